"""The snapshot changes while requests flow: no failure, and each change holds for every
request that is sent after its revision was reported."""

import array
import hashlib
import json
import os
import pathlib
import signal
import sys
import time

from config import Listener, cluster
from envoy import Envoy, version
from peer import Peer
from processes import Failure, Program, Programs
from rows import HOST, KEYS, RUNS, bearer

HERE = pathlib.Path(__file__).parent
ACCOUNT = "organizations/acme/teams/vision/serviceAccounts/reloader"
PROJECT = "organizations/acme/teams/vision/projects/shown"
KEY = "reload-" + "r" * 33
# A busy machine may need longer for as many changes; the time is bounded all the same.
RATE, CONNECTIONS, SECONDS, SECONDS_MAX, CHANGES = 2000, 16, 12, 90, 13

# What each kind of request may come to, by the state of the snapshot.
KINDS = {
    "a good key": (RUNS, KEYS["trainer/main"], lambda state: 200),
    "the key that is disabled": (RUNS, KEY, lambda state: 401 if state["disabled"] else 200),
    "the project that is hidden": (
        "/shown", None, lambda state: 200 if state["visibility"] == "PUBLIC" else 401),
    "no key": (RUNS, None, lambda state: 401),
    "a restricted project": (
        RUNS.replace("inspector", "recall"), KEYS["trainer/main"], lambda state: 403),
}
STATES = [
    {"disabled": False, "visibility": "PUBLIC", "note": "start"},
    {"disabled": False, "visibility": "PUBLIC", "note": "only a display name"},
    {"disabled": True, "visibility": "PUBLIC", "note": "the key is disabled"},
    {"disabled": True, "visibility": "TEAM", "note": "the project is hidden"},
    {"disabled": False, "visibility": "TEAM", "note": "the key is enabled"},
    {"disabled": False, "visibility": "PUBLIC", "note": "the project is shown"},
]


def write(directory: pathlib.Path, state: dict) -> None:
    """Puts the part of the snapshot that changes in place, in one step."""
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    entities = [
        # never the same content twice, which would be no new revision
        {"service_account": {"name": ACCOUNT, "uid": "sa-reloader",
                             "display_name": f"{state['note']}, {time.monotonic_ns()}",
                             "email": "reloader@acme-iam.example"}},
        {"key": {"name": f"{ACCOUNT}/keys/main", "uid": "k-reloader", "owner_uid": "sa-reloader",
                 "api_key": {"sha256": digest}, "disabled": state["disabled"]}},
        {"project": {"name": PROJECT, "visibility": state["visibility"]}},
        {"route": {"name": "routes/e2e-shown", "hosts": [HOST], "kind": "HTTP", "methods": ["GET"],
                   "path_template": "/shown", "permission": "models.reports.get",
                   "resource": PROJECT, "anonymous": "ALLOW"}},
    ]
    # the watcher reads every file of the directory, so the new one is made outside
    aside = directory.parent / "changing.json"
    aside.write_text(json.dumps({"entities": entities}))
    os.replace(aside, directory / "changing.json")


def revision_of(peer: Peer) -> int:
    return int(peer.call("postern.v1.SnapshotService/GetSnapshot", {})["revision"])


def change(peer: Peer, directory: pathlib.Path, state: dict) -> tuple:
    """Changes the snapshot; when it was written, and when its revision was reported."""
    before, written = revision_of(peer), time.monotonic()
    write(directory, state)
    while revision_of(peer) == before:
        if time.monotonic() > written + 60:
            raise Failure(f"no new revision in 60 s: {state['note']}")
        time.sleep(0.002)
    return written, time.monotonic()


def head(path: str, key: str) -> str:
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}", *([": ".join(bearer(key))] if key else [])]
    return "\r\n".join(lines) + "\r\n\r\n"


def judge(records: list, changes: list) -> list:
    """`changes`: (state, written, reported), oldest first. A request sees one of the states
    that served at some time between its sending and its answer."""
    kinds, problems = list(KINDS.items()), []
    for kind, status, sent, answered in records:
        name, (_, _, expected) = kinds[int(kind)]
        possible = set()
        for number, (state, written, _) in enumerate(changes):
            over = changes[number + 1][2] if number + 1 < len(changes) else float("inf")
            if written <= answered and sent <= over:
                possible.add(expected(state))
        if int(status) not in possible:
            problems.append(
                f"{name}: {int(status)}, expected {possible}, sent {sent - changes[0][2]:.4f} s "
                "after the start"
            )
    return problems


def run(programs: Programs, binary: pathlib.Path, address: str, directory: pathlib.Path) -> str:
    upstream = Program("upstream", [sys.executable, HERE / "upstream.py"],
                       programs.directory / "upstream.log")
    programs.started.append(upstream)
    port = upstream.wait_for("address", lambda: upstream.text().strip()).rpartition(":")[2]
    clusters = [cluster("pdp", address, http2=True), cluster("http", f"127.0.0.1:{port}", False),
                cluster("grpc", f"127.0.0.1:{port}", True)]
    name = f"envoy-change-{version(binary)}"
    envoy = Envoy(programs, binary, name, [Listener("load", "pdp")], clusters, directory)
    peer = Peer(address)
    first = change(peer, directory, STATES[0])
    changes = [(STATES[0], *first)]
    plan = {"port": envoy.ports["load"], "connections": CONNECTIONS, "rate": RATE,
            "seconds": SECONDS_MAX, "requests": [head(path, key) for path, key, _ in KINDS.values()]}
    out = programs.directory / f"{name}.records"
    load = programs.start(f"{name}-load", [sys.executable, HERE / "load.py", json.dumps(plan), out])
    end = time.monotonic() + SECONDS
    while (time.monotonic() < end or len(changes) < CHANGES) and load.running():
        time.sleep(0.1)
        state = STATES[len(changes) % len(STATES)]
        changes.append((state, *change(peer, directory, state)))
    load.signal(signal.SIGTERM)
    if code := load.process.wait(60):
        raise Failure(f"the load ended with {code}:\n{load.text()[-2000:]}")
    flat = array.array("d", out.read_bytes())
    records = [tuple(flat[at : at + 4]) for at in range(0, len(flat), 4)]
    problems = judge(records, changes)
    if problems:
        shown = "\n".join(problems[:20])
        raise Failure(f"{len(problems)} of {len(records)} requests are wrong:\n{shown}")
    if len(changes) < CHANGES or len(records) < 1000:
        raise Failure(f"too little: {len(changes)} changes, {len(records)} requests")
    for program in (envoy.program, upstream):
        program.stop()
    rate = len(records) / (max(r[3] for r in records) - min(r[2] for r in records))
    took = sorted(reported - written for _, written, reported in changes)
    return (f"{len(records)} requests, {rate:.0f} a second, {len(changes) - 1} changes, none "
            f"failed; a change was reported after {took[len(took) // 2] * 1000:.0f} ms (median)")
