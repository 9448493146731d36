"""Every row of rows.py through every listener it is for; what does not agree is listed."""

import concurrent.futures
import json
import pathlib
import re

import client
from config import Listener, cluster
from envoy import Envoy, version
from processes import Failure, Programs
from rows import IDENTITY, ROWS, SECRETS, ByEnvoy, Denied, Passed, Row
from upstream import CASE, Upstream

TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 413: "Content Too Large"
}
GRPC = {"UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403}

# How Envoy is set, by kind of listener; each kind asks over TCP and over a Unix socket, and
# with failure_mode_allow off and on.
KINDS = {
    "plain": {},
    "raw": {"raw": True},
    "normal": {"normalize": True},
    "normal-raw": {"normalize": True, "raw": True},
    "unescape": {"normalize": True, "escaped": "UNESCAPE_AND_FORWARD"},
    "tls": {"tls": True},
    "body": {"body": 1000},
    "bytes": {"body": 1000, "bytes": True},
    "huge": {"body": 16 << 20, "bytes": True},
    "network": {"network": True},
    "options": {},
}


def kind_of(listener: Listener) -> str:
    return listener.name.split("/")[0]


def listeners() -> list:
    made = []
    for kind, settings in KINDS.items():
        for transport in ("tcp", "unix"):
            for is_open in (False, True):
                mode = "open" if is_open else "closed"
                pdp = f"options-{transport}" if kind == "options" else transport
                made.append(
                    Listener(f"{kind}/{transport}/{mode}", pdp, open=is_open, **settings)
                )
    return made


def protocols(row: Row, listener: Listener) -> list:
    """Where a row is for both HTTP versions, each listener takes one of them; every pair of
    transport and failure mode occurs with both over the listeners of a kind and its twins."""
    if set(row.send.via) != {"http1", "http2"}:
        return list(row.send.via)
    return ["http1" if (listener.pdp.endswith("tcp")) != listener.open else "http2"]


class Table:
    def __init__(self, envoy: Envoy, upstream: Upstream, certificates: pathlib.Path, revision: str,
                 number: str):
        self.envoy, self.upstream, self.version = envoy, upstream, number
        self.certificates, self.revision = certificates, revision
        self.asked, self.problems = {}, []

    def run(self) -> int:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for problems in pool.map(self.listener, listeners()):
                self.problems += problems
        # Envoy cannot log the headers of what it did not parse
        asked = {c: a for c, a in self.asked.items() if not isinstance(a[1], ByEnvoy)}
        metadata = self.envoy.metadata(set(asked))
        for case, (where, expect) in asked.items():
            if problem := told(metadata.get(case), expect):
                self.problems.append(f"{where}: {problem}")
        if self.problems:
            shown = "\n".join(sorted(self.problems)[:60])
            raise Failure(f"{len(self.problems)} differences in {len(self.asked)} requests:\n{shown}")
        return len(self.asked)

    def listener(self, listener: Listener) -> list:
        problems = []
        for number, row in enumerate(ROWS):
            if kind_of(listener) not in row.on:
                continue
            for via in protocols(row, listener):
                where = f"{listener.name} {via}: {row.name}"
                case = f"{listener.name}/{number}/{via}"
                expect = row.expected(kind_of(listener), self.version)
                self.asked[case] = (where, expect)
                try:
                    answer = self.ask(row, listener, via, case)
                    found = self.compare(row, via, case, answer, expect)
                except OSError as error:
                    found = [f"no answer: {error!r}"]
                    if expect.status == 0:
                        found = ["the upstream got it"] if self.upstream.recorder.of(case) else []
                problems += [f"{where}: {problem} (SPEC {row.clause})" for problem in found]
        return problems

    def ask(self, row: Row, listener: Listener, via: str, case: str) -> client.Answer:
        send, port = row.send, self.envoy.ports[listener.name]
        headers = [*send.headers, (CASE, case)]
        if via == "grpc":
            return client.grpc_unary(port, send.path, headers, send.body, send.host)
        alpn = "h2" if via == "http2" else "http/1.1"
        certificates = self.certificates if listener.tls else None
        with client.connect(port, certificates, send.certificate, alpn) as connection:
            if via == "websocket":
                return client.websocket(connection, send.path, send.host, headers, send.body)
            if via == "http1":
                return client.http1(
                    connection, send.method, send.path, send.host, headers, send.body
                )
            return client.http2(connection, send.method, send.path, send.host, headers, send.body,
                                "https" if listener.tls else "http")

    def compare(self, row: Row, via: str, case: str, answer, expect) -> list:
        seen = self.upstream.recorder.of(case)
        if answer.status != expect.status:
            return [f"status {answer.status}, expected {expect.status}; upstream saw {len(seen)}"]
        if isinstance(expect, (Denied, ByEnvoy)):
            problems = [] if not seen else ["the upstream got a request that was denied"]
            return problems + (denied(answer, expect) if isinstance(expect, Denied) else [])
        if len(seen) != 1:
            return [f"the upstream got it {len(seen)} times"]
        return self.passed(row, via, answer, expect, seen[0])

    def passed(self, row: Row, via: str, answer, expect: Passed, seen) -> list:
        problems = []
        if via in ("websocket", "grpc"):
            if answer.body != row.send.body:
                problems.append(f"echo {answer.body!r}")
        elif answer.body != b'{"upstream": "http"}':
            problems.append(f"body {answer.body[:100]!r}")
        elif seen.body != row.send.body:
            problems.append(f"the upstream got a body of {len(seen.body)} bytes")
        path = expect.path or row.send.path
        if seen.path != path:
            problems.append(f"the upstream saw the path {seen.path!r}, expected {path!r}")
        for name, value in expect.headers:
            if seen.values(name) != [value]:
                problems.append(f"the upstream saw {name}: {seen.values(name)}, expected {value}")
        for name, value in expect.answer:
            if answer.values(name) != [value]:
                problems.append(f"the client saw {name}: {answer.values(name)}, expected {value}")
        return problems + self.identity(seen, expect) + secrets(seen, expect)

    def identity(self, seen, expect: Passed) -> list:
        told = dict.fromkeys(IDENTITY, [])
        if expect.identity:
            told["revision"] = [self.revision]
            told["request-id"] = seen.values("x-request-id")
            for name in ("principal", "organization", "team", "attributed-user"):
                value = getattr(expect, name.replace("-", "_"))
                told[name] = [value] if value else []
        problems = [
            f"the upstream saw x-postern-{name}: {seen.values('x-postern-' + name)}, expected {value}"
            for name, value in told.items()
            if seen.values("x-postern-" + name) != value
        ]
        # nothing else may look like one, to a server that takes `_` for `-`
        for name, value in seen.headers:
            plain = name.replace("_", "-").lower()
            if plain.startswith("x-postern-") and (name != plain or plain[10:] not in IDENTITY):
                problems.append(f"the upstream saw {name}: {value}")
        return problems


def secrets(seen, expect: Passed) -> list:
    if expect.keeps:
        return []
    text = "\n".join([seen.path, *(f"{name}: {value}" for name, value in seen.headers)])
    found = [f"the upstream saw a key: {secret[:16]}..." for secret in SECRETS if secret in text]
    for name, value in seen.headers:
        if name.replace("_", "-") in ("authorization", "x-api-key"):
            found.append(f"the upstream saw {name}: {value[:10]}...")
    return found


def denied(answer, expect: Denied) -> list:
    """Postern's own answer: one body for each class, whatever the reason."""
    status = GRPC.get(expect.status, expect.status)
    body = {"type": "about:blank", "title": TITLES[status], "status": status}
    problems = []
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = answer.body[:200]
    if found != body:
        problems.append(f"body {found}, expected {body}")
    if expect.status in GRPC:
        return problems
    if answer.values("content-type") != ["application/problem+json"]:
        problems.append(f"content-type {answer.values('content-type')}")
    challenge = ['Bearer realm="postern"'] if status == 401 else []
    if answer.values("www-authenticate") != challenge:
        problems.append(f"www-authenticate {answer.values('www-authenticate')}")
    if leaked := [name for name, _ in answer.headers if name.startswith("x-postern")]:
        problems.append(f"the client saw {leaked}")
    return problems


def told(metadata, expect) -> str:
    """What is wrong with the dynamic metadata of a case (SPEC 13.3: on allow and deny)."""
    if not metadata:
        return "no dynamic metadata"
    decision, reason = metadata.get("decision"), metadata.get("reason", "")
    expected = "deny" if isinstance(expect, Denied) else expect.decision
    if decision != expected:
        return f"metadata says {decision}, expected {expected}"
    if not re.fullmatch(expect.reason, reason):
        return f"metadata says the reason {reason}, expected {expect.reason}"
    return ""


def run(programs: Programs, binary: pathlib.Path, pdps: dict, revision: str,
        certificates: pathlib.Path) -> int:
    """`pdps`: names of clusters and the addresses of Postern. Returns how many were asked."""
    upstream = Upstream()
    try:
        clusters = [cluster(name, address, http2=True) for name, address in pdps.items()]
        clusters.append(cluster("http", f"127.0.0.1:{upstream.http_port}", http2=False))
        clusters.append(cluster("grpc", f"127.0.0.1:{upstream.grpc_port}", http2=True))
        number = version(binary)
        name = f"envoy-table-{number}"
        envoy = Envoy(programs, binary, name, listeners(), clusters, certificates)
        try:
            asked = Table(envoy, upstream, certificates, revision, number).run()
        finally:
            envoy.program.stop()
        return asked
    finally:
        upstream.stop()
