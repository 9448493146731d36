"""The rows of the table: what is sent, what the client sees, what the upstream sees."""

import dataclasses
import pathlib
import re

from upstream import GRPC_SERVICE

ROOT = pathlib.Path(__file__).parents[3]
HOST = "api.acme.example"
RUNS = "/v1/teams/vision/projects/inspector/runs"
IDENTITY = ["principal", "organization", "team", "attributed-user", "revision", "request-id"]


def demo_keys() -> dict:
    """The example's keys by their short name: `trainer/main`, `erin/laptop`."""
    lines = [line.strip() for line in (ROOT / "examples/acme/keys.txt").read_text().splitlines()]
    keys = {}
    for name, key in zip(lines, lines[1:]):
        if found := re.fullmatch(r"(?:.*/)?(?:users|serviceAccounts)/([^/]+)/keys/([^/]+)", name):
            keys["/".join(found.groups())] = key
    return keys


KEYS = demo_keys()
TRAINER, PIPELINE, ERIN = KEYS["trainer/main"], KEYS["pipeline/main"], KEYS["erin/laptop"]
# well-formed, of nobody
UNKNOWN = "k" * 40
SECRETS = [*KEYS.values(), UNKNOWN]


@dataclasses.dataclass(frozen=True)
class Send:
    method: str = "GET"
    path: str = RUNS
    host: str = HOST
    headers: tuple = ()
    body: bytes = b""
    via: tuple = ("http1", "http2")  # or grpc, websocket
    certificate: str = None


@dataclasses.dataclass(frozen=True)
class Passed:
    """The upstream got the request. `path` is what it saw, if not what was sent."""

    who: str = None  # e-mail of the principal; None: nobody
    organization: str = None
    team: str = None
    path: str = None
    headers: tuple = ()  # more that the upstream must see
    status: object = 200
    attributed_user: str = None
    identity: bool = True  # whether identity headers are told at all
    keeps: bool = False  # the upstream may see the credential
    answer: tuple = ()  # headers that the client must see
    decision: str = "allow"  # in the metadata
    reason: str = ".*"  # in the metadata, a regular expression

    @property
    def principal(self):
        return self.who


@dataclasses.dataclass(frozen=True)
class Denied:
    """The upstream got nothing, and the client this status with Postern's own body."""

    status: object
    reason: str = ".*"  # in the metadata, a regular expression


@dataclasses.dataclass(frozen=True)
class ByEnvoy:
    """Envoy itself refuses, Postern is not asked. Status 0: it closes the connection."""

    status: int


@dataclasses.dataclass(frozen=True)
class Since:
    """Envoys do not agree: what is expected before `version`, and from it on."""

    version: str
    before: object
    after: object

    def of(self, version: str):
        number = lambda text: [int(part) for part in text.split(".")]
        return self.before if number(version) < number(self.version) else self.after


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    clause: str
    send: Send
    expect: object  # or a dictionary: kind of listener -> what is expected there
    on: tuple = ("plain", "raw", "normal", "normal-raw")

    def expected(self, kind: str, version: str):
        told = self.expect[kind] if isinstance(self.expect, dict) else self.expect
        return told.of(version) if isinstance(told, Since) else told


def bearer(key: str) -> tuple:
    return ("Authorization", f"Bearer {key}")


def basic(key: str, user: str = "api") -> tuple:
    import base64

    return ("Authorization", "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode())


def account(name: str, team: str = None, organization: str = "acme", **more) -> Passed:
    node = f"organizations/{organization}"
    return Passed(
        who=f"serviceAccount:{name}@{organization}-iam.example", organization=node,
        team=f"{node}/teams/{team}" if team else None, **more,
    )


TRAINS = account("trainer", "vision")
SCORES = account("scorer", "vision")
PIPES = account("pipeline")
ERINS = Passed(who="user:erin@acme.example")
# passed without a decision: nobody is named, whoever asked
UNROUTED = Passed(identity=False, decision="unrouted")
BAD_REQUEST = Denied(400, "AMBIGUOUS_REQUEST")
NO_ROUTE, NO_GRANT = Denied(403, "NO_GRANT"), Denied(403, "NO_GRANT")
NOBODY = Denied(401, "UNAUTHENTICATED")
CLOSED = ByEnvoy(0)
MALFORMED, NOT_FOUND = Denied(401, "CREDENTIAL_MALFORMED"), Denied(401, "CREDENTIAL_NOT_FOUND")
RESTRICTED, MISSING = Denied(403, "RESTRICTED_PROJECT"), Denied(403, "RESOURCE_NOT_FOUND")
OTHERS_KEY = Denied(401, "CREDENTIAL_ORG_SCOPED_KEY_REQUIRED")


def shadowed(reason: str) -> Passed:
    return Passed(identity=False, decision="deny", reason=reason,
                  answer=(("x-postern-shadow", "deny"),))


def with_key(**send) -> Send:
    return Send(headers=(bearer(TRAINER),), **send)


def credentials() -> list:
    rows = [
        Row("an allow", "13.3", with_key(), TRAINS),
        Row("an allow of POST", "13.1", with_key(method="POST", body=b"{}"), TRAINS),
        Row("a key as password", "9.1", Send(headers=(basic(TRAINER),)), TRAINS),
        Row("a key as password of nobody", "9.1", Send(headers=(basic(TRAINER, ""),)), TRAINS),
        Row("X-Api-Key", "9.1", Send(headers=(("X-Api-Key", TRAINER),)), TRAINS),
        Row("bearer in small letters", "9.1",
            Send(headers=(("authorization", f"bearer {TRAINER}"),)), TRAINS),
        Row("an account of the organization", "13.3", Send(headers=(bearer(PIPELINE),)), PIPES),
        Row("a person's key", "13.3", Send(headers=(bearer(ERIN),)),
            ERINS),
        Row("no key", "13.3", Send(), NOBODY),
        Row("a method without a route", "13.1", with_key(method="PUT", body=b"{}"), NO_ROUTE),
        Row("a permission not granted", "13.3",
            with_key(method="DELETE", path="/v1/teams/vision/projects/inspector"), NO_GRANT),
        Row("a restricted project", "13.3", with_key(path=RUNS.replace("inspector", "recall")),
            RESTRICTED),
        Row("a project that does not exist", "13.3",
            with_key(path=RUNS.replace("inspector", "nothing")), MISSING),
        Row("another team", "13.3", with_key(path="/v1/teams/speech/projects/wakeword/runs"),
            NO_GRANT),
        Row("another organization", "9.2", with_key(path="/birch/scans"), OTHERS_KEY),
        Row("another organization's key", "13.3",
            Send(headers=(bearer(KEYS["registry/main"]),)), NO_GRANT),
        Row("a personal key where keys must be the organization's", "9.2",
            Send(path="/birch/scans", headers=(bearer(KEYS["zoe/personal"]),)), OTHERS_KEY),
        Row("an organization's key elsewhere", "9.2",
            Send(headers=(bearer(KEYS["zoe/birch"]),)),
            Denied(401, "CREDENTIAL_OUT_OF_SCOPE")),
        Row("an empty bearer", "9.1", Send(headers=(("Authorization", "Bearer "),)), MALFORMED),
        Row("an empty X-Api-Key", "9.1", Send(headers=(("X-Api-Key", ""),)), MALFORMED),
        Row("an unknown scheme", "9.1", Send(headers=(("Authorization", f"Digest {TRAINER}"),)),
            MALFORMED),
        Row("a key with a wrong check sum", "9.1", Send(headers=(bearer(TRAINER[:-1] + "!"),)),
            MALFORMED),
        Row("Basic that is not base64", "9.1", Send(headers=(("Authorization", "Basic !!!"),)),
            MALFORMED),
        Row("a short key", "9.1", Send(headers=(bearer("short"),)), MALFORMED),
        Row("a long key", "9.1", Send(headers=(bearer("k" * 4000),)), MALFORMED),
        # two credentials
        Row("the same key twice", "13.2",
            Send(headers=(bearer(TRAINER), ("X-Api-Key", TRAINER))), TRAINS),
        Row("two keys that differ", "13.2",
            Send(headers=(bearer(TRAINER), ("X-Api-Key", PIPELINE))), BAD_REQUEST),
        Row("a good key and a bad one", "13.2",
            Send(headers=(bearer(TRAINER), ("X-Api-Key", UNKNOWN))), BAD_REQUEST),
        Row("Authorization twice", "13.2", Send(headers=(bearer(TRAINER), bearer(PIPELINE))),
            BAD_REQUEST),
        Row("the same Authorization twice", "13.2",
            Send(headers=(bearer(TRAINER), bearer(TRAINER))), BAD_REQUEST),
        Row("a joined Authorization", "13.2",
            Send(headers=(("Authorization", f"Bearer {TRAINER}, Bearer {PIPELINE}"),)),
            BAD_REQUEST),
        Row("X-Api-Key twice", "13.2",
            Send(headers=(("X-Api-Key", TRAINER), ("X-Api-Key", PIPELINE))), BAD_REQUEST),
    ]
    for key, reason in {
        "trainer/expired": "EXPIRED", "trainer/future": "NOT_YET_VALID",
        "trainer/disabled": "DISABLED", "trainer/exposed": "DISABLED",
        "trainer/build": "IP_NOT_ALLOWED", "nightly/main": "OWNER_DISABLED",
        "deployer/before": "OWNER_DELETED", "xander/laptop": "OWNER_DISABLED",
    }.items():
        rows.append(Row(f"the key {key}", "9.2", Send(headers=(bearer(KEYS[key]),)),
                        Denied(401, f"CREDENTIAL_{reason}")))
    rows.append(Row("an unknown key", "9.2", Send(headers=(bearer(UNKNOWN),)), NOT_FOUND))
    return rows


def spoofing() -> list:
    """A client says who it is; nobody may believe it."""
    names = [f"x-postern-{word}" for word in IDENTITY]
    evil = lambda names: tuple((name, "evil") for name in names)
    forms = {
        "as they are": names,
        "in capitals": [name.upper() for name in names],
        "with underscores": [name.replace("-", "_") for name in names],
        "with one underscore": [name.replace("-", "_", 1) for name in names],
        "twice": names + names,
    }
    rows = []
    for form, spoofed in forms.items():
        rows += [
            Row(f"identity headers {form}", "13.3",
                Send(headers=(bearer(TRAINER), *evil(spoofed))), TRAINS),
            Row(f"identity headers {form}, without a team", "13.3",
                Send(headers=(bearer(ERIN), *evil(spoofed))), ERINS),
            Row(f"identity headers {form}, anonymous", "13.3",
                Send(path="/handbook/start", headers=evil(spoofed)), Passed()),
            Row(f"identity headers {form}, and no key", "13.3", Send(headers=evil(spoofed)),
                NOBODY),
        ]
    # an Envoy that stands before ours says what it cut; a client's own word is not believed
    rows.append(Row("x-envoy-auth-partial-body from a client", "13.3",
                    Send(headers=(bearer(TRAINER), ("x-envoy-auth-partial-body", "true"))), TRAINS))
    rows.append(Row("x-forwarded-for does not make an address", "9.5",
                    Send(headers=(bearer(KEYS["trainer/build"]),
                                  ("x-forwarded-for", "198.51.100.7"))),
                    Denied(401, "CREDENTIAL_IP_NOT_ALLOWED")))
    return rows


def paths() -> list:
    """SPEC 13.2 in both settings of Envoy; the upstream sees the path that was decided."""

    def row(path: str, plain=BAD_REQUEST, normal=BAD_REQUEST, unescape=None, via=("http1", "http2"),
            method="GET"):
        told = {"plain": plain, "raw": plain, "normal": normal, "normal-raw": normal}
        told["unescape"] = normal if unescape is None else unescape
        return Row(f"{method} {path!r}", "13.2", with_key(path=path, via=via, method=method), told,
                   on=tuple(told))

    def to(path: str) -> Passed:
        return dataclasses.replace(TRAINS, path=path)

    return [
        row("/files/a", to("/files/a"), to("/files/a")),
        row("/files/a/b/c.bin", to("/files/a/b/c.bin"), to("/files/a/b/c.bin")),
        row("/files/a%20b", to("/files/a%20b"), to("/files/a%20b")),
        row("/files/a?x=1&x=2", to("/files/a?x=1&x=2"), to("/files/a?x=1&x=2")),
        # split once: the query is nobody's path
        row("/files/a?b=//x/../%2f;c%00?d", to("/files/a?b=//x/../%2f;c%00?d"),
            to("/files/a?b=//x/../%2f;c%00?d")),
        row("//files/a", BAD_REQUEST, to("/files/a")),
        row("/files//a", BAD_REQUEST, to("/files/a")),
        row("///files///a", BAD_REQUEST, to("/files/a")),
        row("/files/a//", BAD_REQUEST, to("/files/a/")),
        row("/x/../files/a", BAD_REQUEST, to("/files/a")),
        row("/files/./a", BAD_REQUEST, to("/files/a")),
        row("/files/a/..", BAD_REQUEST, to("/files/")),
        row("/files/a/.", BAD_REQUEST, to("/files/a/")),
        row("/files/../closed/a", BAD_REQUEST, to("/closed/a")),
        row("/handbook/../" + RUNS[1:], BAD_REQUEST, to(RUNS)),
        row("/files/%2e%2e/closed/a", BAD_REQUEST, to("/closed/a")),
        row("/files/%2E./closed/a", BAD_REQUEST, to("/closed/a")),
        row("/files/%2e/a", BAD_REQUEST, to("/files/a")),
        row("/files/a%2Fb", BAD_REQUEST, BAD_REQUEST, to("/files/a/b")),
        row("/files/a%2fb", BAD_REQUEST, BAD_REQUEST, to("/files/a/b")),
        row("/files/..%2Fclosed/a", BAD_REQUEST, BAD_REQUEST, to("/closed/a")),
        row("/files/a%5Cb", BAD_REQUEST, BAD_REQUEST, to("/files/a/b")),
        row("/files/a%5cb", BAD_REQUEST, BAD_REQUEST, to("/files/a/b")),
        row("/files/..%5cclosed/a", BAD_REQUEST, BAD_REQUEST, to("/closed/a")),
        row("/files/a\\b", BAD_REQUEST, to("/files/a/b")),
        # an HTTP/1.1 codec of Envoy refuses what is no path at all
        row("\\files\\a", ByEnvoy(400), ByEnvoy(400), via=("http1",)),
        row("/files/..\\closed\\a", BAD_REQUEST, to("/closed/a")),
        row("/files/%00a", BAD_REQUEST, ByEnvoy(400)),
        row("/files/a%0ab", BAD_REQUEST, BAD_REQUEST),
        row("/files/a%7f", BAD_REQUEST, BAD_REQUEST),
        row("/files/%zz", BAD_REQUEST, BAD_REQUEST),
        row("/files/a%", BAD_REQUEST, BAD_REQUEST),
        row("/files/a%2", BAD_REQUEST, BAD_REQUEST),
        row("/files/a;v=1/b", BAD_REQUEST, BAD_REQUEST),
        # later Envoys take `..;` for `..`, as servlets do
        row("/files/..;/closed/a", BAD_REQUEST, Since("1.39.0", BAD_REQUEST, to("/closed/a"))),
        row("/files/%61", BAD_REQUEST, to("/files/a")),
        row("/files/a%252fb", BAD_REQUEST, BAD_REQUEST),
        row("/files/a%c0%afb", BAD_REQUEST, BAD_REQUEST),
        row("/files/caf\xe9", ByEnvoy(400), ByEnvoy(400), via=("http1",)),
        row("/files/a\x7f", ByEnvoy(400), ByEnvoy(400), via=("http1",)),
        row("/files/a\x01", ByEnvoy(400), ByEnvoy(400), via=("http1",)),
        # over HTTP/2 Envoy closes the connection
        row("/files/a\x01", CLOSED, CLOSED, via=("http2",)),
        row("/files/a\x7f", CLOSED, CLOSED, via=("http2",)),
        row("/files/a b", CLOSED, CLOSED, via=("http2",)),
        row("files/a", CLOSED, CLOSED, via=("http2",)),
        row("", CLOSED, CLOSED, via=("http2",)),
        row("/files/a#b", ByEnvoy(400), ByEnvoy(400), via=("http2",)),
        # normalized into escapes, or told as it is
        row("/files/caf\xe9", BAD_REQUEST, to("/files/caf%C3%A9"), via=("http2",)),
        # no route of Envoy's takes it
        row("*", ByEnvoy(404), ByEnvoy(404), method="OPTIONS"),
        row("/files/a#b", ByEnvoy(400), ByEnvoy(400), via=("http1",)),
        row("/files", NO_ROUTE, NO_ROUTE),
        row("/Files/a", NO_ROUTE, NO_ROUTE),
        row(RUNS + "/", NO_ROUTE, NO_ROUTE),
        row(RUNS.replace("vision", "-"), NO_ROUTE, NO_ROUTE),
    ]


def hosts() -> list:
    def row(name, host, expect, path=RUNS, via=("http1", "http2")):
        return Row(name, "13.1", with_key(host=host, path=path, via=via), expect)

    return [
        row("a host with a port", "api.acme.example:8443", TRAINS),
        row("a host in capitals", "API.Acme.EXAMPLE", TRAINS),
        row("both", "Api.Acme.Example:80", TRAINS),
        row("a host with a final dot", "api.acme.example.", TRAINS),
        row("a host without routes", "other.acme.example", NO_ROUTE),
        row("an address as host", "127.0.0.1:80", NO_ROUTE),
        row("absolute form: its host counts", "other.acme.example", dataclasses.replace(
            TRAINS, path=RUNS), path=f"http://{HOST}{RUNS}", via=("http1",)),
        row("absolute form: not the header's host", HOST, NO_ROUTE,
            path=f"http://other.acme.example{RUNS}", via=("http1",)),
        row("absolute form of an ambiguous path", HOST,
            {"plain": BAD_REQUEST, "raw": BAD_REQUEST,
             "normal": dataclasses.replace(TRAINS, path="/files/a"),
             "normal-raw": dataclasses.replace(TRAINS, path="/files/a")},
            path=f"http://{HOST}//files/a", via=("http1",)),
        # SPEC 13.1: no route, as configured for the host
        Row("no route of a host that lets through", "13.1",
            Send(host="open.acme.example", path="/anything"), UNROUTED),
        Row("no route of a host that lets through, with a port and in capitals", "13.1",
            Send(host="OPEN.acme.example:80", path="/anything"), UNROUTED),
        Row("no route of a host that lets through, bad key", "13.1",
            Send(host="open.acme.example", path="/anything", headers=(bearer(UNKNOWN),)),
            NOT_FOUND),
        Row("no route of a host that lets through, a good key", "13.3",
            Send(host="open.acme.example", path="/anything", headers=(bearer(TRAINER),)), UNROUTED),
        Row("no route of a host that lets through, spoofed identity", "13.3",
            Send(host="open.acme.example", path="/anything", headers=(
                ("x-postern-principal", "evil"), ("x_postern_team", "evil"))), UNROUTED),
        Row("no route of a host that lets through, two keys", "13.2",
            Send(host="open.acme.example", path="/anything",
                 headers=(bearer(TRAINER), ("x-api-key", PIPELINE))), BAD_REQUEST),
        Row("no route of a host that lets through, ambiguous", "13.2",
            Send(host="open.acme.example", path="/a%2fb"), BAD_REQUEST),
        Row("no route", "13.1", with_key(path="/nothing/here"), NO_ROUTE),
        Row("no route and no key", "13.1", Send(path="/nothing/here"), NO_ROUTE),
    ]


def modes() -> list:
    """Anonymous and shadow routes, context extensions, upgrades, gRPC."""
    grpc = lambda name, headers=(bearer(TRAINER),), host=HOST: Send(
        method="POST", path=f"/{GRPC_SERVICE}/{name}", host=host, headers=headers, body=b"\x01",
        via=("grpc",))
    websocket = lambda project, headers=(bearer(TRAINER),): Send(
        path=f"/socket/vision/{project}", headers=headers, via=("websocket",), body=b"hello")
    return [
        Row("anonymous", "13.1", Send(path="/handbook/start"), Passed()),
        Row("anonymous route with a key", "13.1",
            Send(path="/handbook/start", headers=(bearer(TRAINER),)), TRAINS),
        Row("anonymous route with an unknown key", "13.1",
            Send(path="/handbook/start", headers=(bearer(UNKNOWN),)), NOT_FOUND),
        Row("anonymous route with a disabled key", "13.1",
            Send(path="/handbook/start", headers=(bearer(KEYS["trainer/disabled"]),)),
            Denied(401, "CREDENTIAL_DISABLED")),
        Row("anonymous route with another scheme", "13.1",
            Send(path="/handbook/start", headers=(("Authorization", "Digest x"),)), MALFORMED),
        Row("anonymous is not enough", "13.1", Send(path="/closed/a"), NOBODY),
        Row("shadow passes a deny", "13.1", with_key(path="/shadow/dictation"),
            shadowed("RESTRICTED_PROJECT|NO_GRANT")),
        Row("shadow passes nobody", "13.1", Send(path="/shadow/dictation"),
            shadowed("UNAUTHENTICATED")),
        Row("shadow passes an unknown key", "13.1",
            Send(path="/shadow/dictation", headers=(bearer(UNKNOWN),)),
            shadowed("CREDENTIAL_NOT_FOUND")),
        Row("shadow passes two keys, the upstream sees neither", "13.3",
            Send(path="/shadow/dictation", headers=(bearer(TRAINER), ("X-Api-Key", PIPELINE))),
            shadowed("AMBIGUOUS_REQUEST")),
        Row("shadow passes, and no spoofed identity", "13.3",
            Send(path="/shadow/dictation", headers=(
                bearer(TRAINER), ("x-postern-principal", "evil"), ("X_Postern_Team", "evil"))),
            shadowed("RESTRICTED_PROJECT|NO_GRANT")),
        Row("shadow does not pass an ambiguous path", "13.2", with_key(path="/shadow%2fdictation"),
            BAD_REQUEST),
        Row("context extensions", "13.1", with_key(path="/extended/a"), TRAINS),
        Row("context extensions without a key", "13.1", Send(path="/extended/a"), NOBODY),
        Row("context extensions beat the route", "13.1", with_key(path="/v1/extended/a"),
            NO_GRANT),
        Row("half of the context extensions", "13.1", with_key(path="/half-extended/a"), NO_GRANT),
        Row("context extensions, ambiguous path", "13.2", with_key(path="/extended/a%2fb"),
            BAD_REQUEST),
        Row("WebSocket", "13.1", websocket("inspector"),
            dataclasses.replace(TRAINS, status=101)),
        Row("WebSocket, denied", "13.1", websocket("recall"), RESTRICTED),
        Row("WebSocket without a key", "13.1", websocket("inspector", ()), NOBODY),
        Row("a gRPC method", "13.1", grpc("Get"), dataclasses.replace(TRAINS, status="OK")),
        Row("a gRPC method, denied", "13.1", grpc("Write"),
            Denied("PERMISSION_DENIED", "RESTRICTED_PROJECT|NO_GRANT")),
        Row("a gRPC method without a key", "13.1", grpc("Get", ()), Denied("UNAUTHENTICATED")),
        Row("a gRPC method with an unknown key", "13.1", grpc("Get", (bearer(UNKNOWN),)),
            Denied("UNAUTHENTICATED")),
        Row("a gRPC method without a route", "13.1", grpc("Other"), Denied("PERMISSION_DENIED")),
        Row("a gRPC method with spoofed identity", "13.3",
            grpc("Get", (bearer(TRAINER), *((f"x-postern-{word}", "evil") for word in IDENTITY))),
            dataclasses.replace(TRAINS, status="OK")),
        # the route says what it is, not the content type
        Row("a gRPC method asked without its content type", "13.1",
            with_key(path=f"/{GRPC_SERVICE}/Write", method="POST", body=b"{}"),
            Denied(403, "RESTRICTED_PROJECT|NO_GRANT")),
        Row("an HTTP route asked with gRPC's content type", "13.1",
            Send(headers=(bearer(TRAINER), ("content-type", "application/grpc"),
                          ("te", "trailers")), method="POST", via=("http2",), body=b"\0\0\0\0\0"),
            TRAINS),
    ]


def bodies() -> list:
    large = b"0123456789" * 20000
    send = lambda **more: with_key(method="POST", body=large, **more)
    return [
        Row("a large body, cut for Postern", "13", send(),
            TRAINS, on=("body", "bytes")),
        Row("a large body, denied", "13", send(path=RUNS.replace("inspector", "recall")),
            RESTRICTED, on=("body", "bytes")),
        Row("a large body without a key", "13", Send(method="POST", body=large), NOBODY,
            on=("body", "bytes")),
        Row("a small body", "13", with_key(method="POST", body=b"{}"),
            TRAINS, on=("body", "bytes")),
        Row("a large body that Postern does not see", "13", send(), TRAINS),
        Row("a body that is not UTF-8", "13", with_key(method="POST", body=b"\xff\x00\xfe"),
            TRAINS, on=("body", "bytes")),
    ]


def hostile() -> list:
    """What could become an error, and with failure_mode_allow an allow."""
    many = tuple((f"x-filler-{number}", "v" * 100) for number in range(80))
    return [
        Row("a header that is not UTF-8", "13.3",
            Send(headers=(bearer(TRAINER), ("x-u", "caf\xe9")), via=("http1",)), TRAINS),
        Row("a header that is not UTF-8, no key", "13.3",
            Send(headers=(("x-u", "caf\xe9\xff"),), via=("http1",)), NOBODY),
        Row("a key that is not UTF-8", "13.3",
            Send(headers=(("Authorization", "Bearer caf\xe9" + "k" * 40),), via=("http1",)),
            # without encode_raw_headers Envoy writes `!` for the byte: another key
            {"plain": NOT_FOUND, "normal": NOT_FOUND, "raw": MALFORMED, "normal-raw": MALFORMED}),
        Row("a request id that is not UTF-8", "13.3",
            Send(headers=(bearer(UNKNOWN), ("x-request-id", "caf\xe9")), via=("http1",)),
            NOT_FOUND),
        Row("a trace of no use", "13.3",
            Send(headers=(bearer(UNKNOWN), ("traceparent", "00-zz-1"), ("grpc-timeout", "1n"),
                          ("grpc-encoding", "gzip"), ("grpc-status", "0"))), NOT_FOUND),
        Row("many headers", "13.3", Send(headers=(bearer(UNKNOWN), *many)), NOT_FOUND),
        Row("many headers and a good key", "13.3", Send(headers=(bearer(TRAINER), *many)), TRAINS),
        Row("a long header", "13.3", Send(headers=(bearer(UNKNOWN), ("x-l", "v" * 50000))),
            NOT_FOUND),
        Row("a long path", "13.3", Send(path="/files/" + "a" * 40000, headers=(bearer(UNKNOWN),)),
            NOT_FOUND),
        Row("a deep path", "13.3", Send(path="/files" + "/a" * 20000, headers=(bearer(UNKNOWN),)),
            NOT_FOUND),
        Row("a long query", "13.3", Send(path=RUNS + "?" + "a=b&" * 10000), NOBODY),
        Row("a long host", "13.3", with_key(host="a" * 5000 + ".example"), BAD_REQUEST),
        Row("a host that is none", "13.2", with_key(host="api.acme.example:x", via=("http1",)),
            BAD_REQUEST),
        Row("a method that is none", "13.1", with_key(method="BREW", via=("http2",)), NO_ROUTE),
        Row("a method that HTTP/1.1 does not parse", "13.1",
            with_key(method="BREW", via=("http1",)), ByEnvoy(400)),
        # there is no request to decide by
        Row("a check of a connection", "13.1", with_key(), CLOSED, on=("network",)),
        # over what Postern reads of a message: an answer all the same
        Row("a body that is larger than any message", "13.3",
            with_key(method="POST", body=b"x" * (5 << 20), via=("http1",)), Denied(413, ""),
            on=("huge",)),
        Row("... and no key", "13.3",
            Send(method="POST", body=b"x" * (5 << 20), via=("http1",)), Denied(413, ""),
            on=("huge",)),
    ]


def certificates() -> list:
    def row(name, certificate, expect, headers=(), path=RUNS):
        return Row(name, "9.6", Send(certificate=certificate, headers=headers, path=path), expect,
                   on=("tls",))

    return [
        row("a certificate of a mapped trust domain", "mapped", SCORES),
        row("... where its account may not", "mapped", RESTRICTED,
            path=RUNS.replace("inspector", "recall")),
        row("a certificate of nobody's", "stranger", NOBODY),
        row("a certificate of another trust domain", "unmapped", NOBODY),
        row("a certificate without a SPIFFE name", "named", NOBODY),
        row("no certificate", None, NOBODY),
        row("no certificate and a key", None, TRAINS, (bearer(TRAINER),)),
        row("a key beats the certificate", "mapped", TRAINS, (bearer(TRAINER),)),
        row("a bad key beats the certificate", "mapped", NOT_FOUND, (bearer(UNKNOWN),)),
        row("a client's word about its certificate", None, NOBODY,
            (("x-forwarded-client-cert",
              "URI=spiffe://mesh.acme.example/ns/prod/sa/scorer"),)),
    ]


def options() -> list:
    """What an operator may switch on: see OPTIONS of run.py."""
    def row(name, clause, send, expect):
        return Row(name, clause, send, expect, on=("options",))

    keeps = dataclasses.replace(TRAINS, keeps=True)
    behalf = lambda name: (bearer(TRAINER), ("X-On-Behalf-Of", name))
    return [
        row("the credential is kept", "13.3", with_key(),
            dataclasses.replace(keeps, headers=(("authorization", f"Bearer {TRAINER}"),))),
        row("X-Api-Key is kept", "13.3", Send(headers=(("X-Api-Key", TRAINER),)),
            dataclasses.replace(keeps, headers=(("x-api-key", TRAINER),))),
        row("a kept credential, and no spoofed identity", "13.3",
            Send(headers=(bearer(TRAINER), ("x_postern_principal", "evil"))), keeps),
        row("on behalf of a member", "5.5", Send(headers=behalf("farid")),
            dataclasses.replace(keeps, attributed_user="farid")),
        row("on behalf of a member's address", "5.5", Send(headers=behalf("farid@acme.example")),
            dataclasses.replace(keeps, attributed_user="farid")),
        row("on behalf of one who is no member", "5.5", Send(headers=behalf("quinn")), keeps),
        row("on behalf of nobody known", "5.5", Send(headers=behalf("root")), keeps),
        row("on behalf of two", "5.5",
            Send(headers=(*behalf("farid"), ("X-On-Behalf-Of", "gina"))), keeps),
        row("an allowed class: ;", "13.2", with_key(path="/files/a;v=1/b"), keeps),
        row("an allowed class: //", "13.2", with_key(path="/files/a//b"), keeps),
        row("allowed classes are not others", "13.2", with_key(path="/files/a;v=1/..;/b"),
            BAD_REQUEST),
        row("allowed classes, encoded slash", "13.2", with_key(path="/files/a%2fb"), BAD_REQUEST),
        row("a host of *", "13.1", Send(host="any.example", path="/x"),
            UNROUTED),
        row("a host named beside *", "13.1", with_key(path="/nothing/here"), NO_ROUTE),
        row("no key is still no key", "13.3", Send(), NOBODY),
    ]


ROWS = [*credentials(), *spoofing(), *paths(), *hosts(), *modes(), *bodies(),
        *hostile(), *certificates(), *options()]
