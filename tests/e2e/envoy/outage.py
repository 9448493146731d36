"""What Envoy does when Postern does not answer: measured, and held against docs/ENVOY.md."""

import fcntl
import os
import pathlib
import re
import shutil
import signal
import tempfile

import client
from config import Listener, cluster
from envoy import Envoy, version
from processes import Failure, Postern, Programs
from rows import HOST, RUNS, TRAINER, bearer
from upstream import CASE, Upstream

STATES = ["stopped", "slow", "not ready"]
SETTINGS = {
    "false": {},
    "false, `status_on_error` 503": {"status_on_error": 503},
    "true": {"open": True},
}
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
PASSES = "200, unchecked"


class Held:
    """A snapshot that cannot be opened as long as this is held: what a Postern that loads a
    large one looks like. A lease of the kernel makes whoever opens the file wait."""

    def __init__(self, source: pathlib.Path):
        # not every file system grants leases
        for parent in (None, "/dev/shm"):
            self.directory = pathlib.Path(tempfile.mkdtemp(prefix="postern-held-", dir=parent))
            copy = self.directory / "snapshot"
            shutil.copytree(source, copy)
            self.files = [os.open(path, os.O_RDWR) for path in copy.iterdir()]
            try:
                # the kernel tells of whoever waits; by default that ends the process
                signal.signal(signal.SIGIO, signal.SIG_IGN)
                for file in self.files:
                    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
                self.snapshot = copy
                return
            except OSError as error:
                self.release()
                problem = error
        self.snapshot = None
        print(f"SKIPPED: not ready: no file system here grants leases: {problem}", flush=True)

    def release(self) -> None:
        for file in self.files:
            os.close(file)
        self.files = []
        shutil.rmtree(self.directory, ignore_errors=True)


def pdp_name(state: str, error_response: bool) -> str:
    """The cluster's name is the `:authority` of Envoy's calls: it must look like a host."""
    return f"{state.replace(' ', '-')}-{'on' if error_response else 'off'}"


def listener_name(state: str, error_response: bool, setting: str) -> str:
    return f"{state}/{error_response}/{setting}"


class Outage:
    def __init__(self, programs: Programs, postern: pathlib.Path, source: pathlib.Path, more: list):
        self.programs, self.postern, self.source, self.more = programs, postern, source, more
        self.count = 0

    def serve(self, name: str, source: pathlib.Path, error_response: bool) -> Postern:
        self.count += 1
        words = ["--envoy-error-response"] if error_response else []
        program = Postern(f"{name}-{self.count}", [
            self.postern, "serve", "--snapshot", source, "--listen", "127.0.0.1:0",
            *self.more, *words,
        ], self.programs.directory / f"{name}-{self.count}.log")
        self.programs.started.append(program)
        return program

    def measure(self, binary: pathlib.Path) -> dict:
        """(state, error_response, setting) -> what the client and the upstream saw."""
        upstream, held, running = Upstream(), Held(self.source), {}
        try:
            for error_response in (False, True):
                for state in STATES if held.snapshot else STATES[:-1]:
                    source = held.snapshot if state == "not ready" else self.source
                    running[state, error_response] = self.serve(
                        state.replace(" ", "-"), source, error_response)
            return self.of(binary, upstream, running)
        finally:
            for program in running.values():
                program.stop()
            held.release()
            upstream.stop()

    def of(self, binary: pathlib.Path, upstream: Upstream, running: dict) -> dict:
        clusters = [cluster("http", f"127.0.0.1:{upstream.http_port}", http2=False),
                    cluster("grpc", f"127.0.0.1:{upstream.grpc_port}", http2=True)]
        listeners = []
        for (state, error_response), program in running.items():
            [address] = program.addresses(1)
            pdp = pdp_name(state, error_response)
            clusters.append(cluster(pdp, address, http2=True))
            for setting, words in SETTINGS.items():
                # no time-out: Envoy's own 200 ms; one that does answer may take its time
                timeout = "10s" if state == "not ready" else ""
                listeners.append(Listener(
                    listener_name(state, error_response, setting), pdp, timeout=timeout, **words))
        name = f"envoy-outage-{version(binary)}"
        envoy = Envoy(self.programs, binary, name, listeners, clusters, self.source)
        for (state, _), program in running.items():
            if state == "not ready":
                continue
            program.ready()
        # as long as it answers, one setting is like another
        for listener in listeners:
            if listener.pdp.startswith("not-ready"):
                continue
            self.healthy(envoy, upstream, listener)
        for (state, _), program in running.items():
            if state == "stopped":
                program.stop()
            elif state == "slow":
                program.signal(signal.SIGSTOP)
        found = {}
        for listener in listeners:
            state, error_response, setting = listener.name.split("/")
            found[state, error_response == "True", setting] = ask(envoy, upstream, listener)
        self.afterwards(envoy, upstream, listeners, running)
        envoy.program.stop()
        return found

    @staticmethod
    def healthy(envoy, upstream, listener) -> None:
        """A first call may take longer than Envoy waits, on a machine that is busy."""
        for _ in range(50):
            found = ask(envoy, upstream, listener, key=TRAINER)
            if found == "200, as it should":
                return
        raise Failure(f"{listener.name}: no allow while Postern serves, but {found}")

    def afterwards(self, envoy, upstream, listeners, running) -> None:
        for (state, error_response), program in running.items():
            if state == "not ready" and "serving revision" in program.text():
                raise Failure("the snapshot was opened while it was held")
            if state == "slow":
                program.signal(signal.SIGCONT)
                for listener in listeners:
                    if listener.pdp == pdp_name("slow", error_response):
                        self.healthy(envoy, upstream, listener)


asked = 0


def ask(envoy: Envoy, upstream: Upstream, listener: Listener, key: str = None) -> str:
    """One request that must not pass (no key is good), or with `key` one that must."""
    global asked
    asked += 1
    case = f"outage-{asked}"
    presented = key or "k" * 40
    headers = [bearer(presented), ("x-postern-principal", "evil"), (CASE, case)]
    with client.connect(envoy.ports[listener.name]) as connection:
        answer = client.http1(connection, "GET", RUNS, HOST, headers, b"")
    seen = upstream.recorder.of(case)
    if not seen:
        kind = dict(answer.headers).get("content-type", "")
        return f"{answer.status}" + (" with a problem body" if "problem" in kind else "")
    if key and "evil" not in seen[0].values("x-postern-principal"):
        return "200, as it should"
    marks = [
        any(presented in value for value in seen[0].values("authorization")),
        seen[0].values("x-postern-principal") == ["evil"],
        seen[0].values("x-envoy-auth-failure-mode-allowed") == ["true"],
    ]
    if not all(marks):
        raise Failure(f"{listener.name}: passed, and the upstream saw {seen[0].headers}")
    return PASSES


def exits(programs: Programs, postern: pathlib.Path) -> None:
    """A snapshot that is not there, or is not valid, is no state to be in: Postern ends."""
    bad = programs.directory / "bad.yaml"
    bad.write_text("entities: [{organization: {name: acme}}]\n")
    for source in (bad, programs.directory / "not-there.yaml"):
        program = programs.start(source.stem, [
            postern, "serve", "--snapshot", source, "--listen", "127.0.0.1:0"])
        if (code := program.process.wait(60)) != 65:
            raise Failure(f"{source.name}: exit code {code}, expected 65")


# === the document ===

def table(measured: dict) -> str:
    """`measured`: version -> what `measure` found. Rows that agree with and without
    error responses are one."""
    versions = list(measured)
    lines = ["| Postern is | `failure_mode_allow` | `--envoy-error-response` | "
             + " | ".join(versions) + " |",
             "|---" * (3 + len(versions)) + "|"]
    for state in STATES:
        for setting in SETTINGS:
            cells = [[measured[v][state, on, setting] for v in versions] for on in (False, True)]
            if cells[0] == cells[1]:
                rows = [("off or on", cells[0])]
            else:
                rows = [("off", cells[0]), ("on", cells[1])]
            lines += [f"| {state} | {setting} | {on} | " + " | ".join(row) + " |"
                      for on, row in rows]
    return "\n".join(lines) + "\n"


def documented(text: str) -> dict:
    """The table of the document: (state, setting, on or off) -> version -> cell."""
    body = re.search(re.escape(BEGIN) + "(.*?)" + re.escape(END), text, re.DOTALL)
    if not body:
        raise Failure(f"docs/ENVOY.md has no {BEGIN.strip()}")
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in body.group(1).strip().splitlines()]
    found = {}
    for state, setting, which, *cells in rows[2:]:
        for on in (False, True):
            if which in ("off or on", "on" if on else "off"):
                found[state, on, setting] = dict(zip(rows[0][3:], cells))
    return found


def check(document: pathlib.Path, measured: dict) -> None:
    told = documented(document.read_text())
    problems = [
        f"Envoy {name}, {key}: measured `{cell}`, docs/ENVOY.md says `{told[key].get(name)}`"
        for name, cells in measured.items() for key, cell in cells.items()
        if told.get(key, {}).get(name) != cell
    ]
    if problems:
        raise Failure("\n".join([*problems, "measure again: scripts/e2e-envoy BINARY all write"]))


def write(document: pathlib.Path, measured: dict) -> None:
    head, _, rest = document.read_text().partition(BEGIN)
    _, _, tail = rest.partition(END)
    document.write_text(head + BEGIN + table(measured) + END + tail)
