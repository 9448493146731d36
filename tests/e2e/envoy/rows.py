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
    """Envoy itself refuses, Postern is not asked."""

    status: int


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    clause: str
    send: Send
    expect: object  # or a dictionary: kind of listener -> what is expected there
    on: tuple = ("plain", "raw", "normal", "normal-raw")

    def expected(self, kind: str):
        return self.expect[kind] if isinstance(self.expect, dict) else self.expect


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
# `team` of an organization's account: its default team
PIPES = account("pipeline", "vision")
BAD_REQUEST, UNAUTHENTICATED, FORBIDDEN = Denied(400), Denied(401), Denied(403)


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
            Passed(who="user:erin@acme.example")),
        Row("no key", "13.3", Send(), UNAUTHENTICATED),
        Row("a method without a route", "13.1", with_key(method="PUT", body=b"{}"), FORBIDDEN),
        Row("a permission not granted", "13.3",
            with_key(method="DELETE", path="/v1/teams/vision/projects/inspector"), FORBIDDEN),
        Row("a restricted project", "13.3", with_key(path=RUNS.replace("inspector", "recall")),
            FORBIDDEN),
        Row("a project that does not exist", "13.3",
            with_key(path=RUNS.replace("inspector", "nothing")), FORBIDDEN),
        Row("another team", "13.3", with_key(path="/v1/teams/speech/projects/wakeword/runs"),
            FORBIDDEN),
        Row("another organization", "13.3", with_key(path="/birch/scans"), FORBIDDEN),
        Row("another organization's key", "13.3",
            Send(headers=(bearer(KEYS["registry/main"]),)), FORBIDDEN),
        Row("a personal key where keys must be the organization's", "9.2",
            Send(path="/birch/scans", headers=(bearer(KEYS["zoe/personal"]),)), UNAUTHENTICATED),
        Row("an organization's key elsewhere", "9.2",
            Send(headers=(bearer(KEYS["zoe/birch"]),)), UNAUTHENTICATED),
        Row("an empty bearer", "9.1", Send(headers=(("Authorization", "Bearer "),)),
            UNAUTHENTICATED),
        Row("an empty X-Api-Key", "9.1", Send(headers=(("X-Api-Key", ""),)), UNAUTHENTICATED),
        Row("an unknown scheme", "9.1", Send(headers=(("Authorization", f"Digest {TRAINER}"),)),
            UNAUTHENTICATED),
        Row("a key with a wrong check sum", "9.1", Send(headers=(bearer(TRAINER[:-1] + "!"),)),
            UNAUTHENTICATED),
        Row("Basic that is not base64", "9.1", Send(headers=(("Authorization", "Basic !!!"),)),
            UNAUTHENTICATED),
        Row("a short key", "9.1", Send(headers=(bearer("short"),)), UNAUTHENTICATED),
        Row("a long key", "9.1", Send(headers=(bearer("k" * 4000),)), UNAUTHENTICATED),
        # two credentials
        Row("the same key twice", "13.2",
            Send(headers=(bearer(TRAINER), ("X-Api-Key", TRAINER))), TRAINS),
        Row("two keys that differ", "13.2",
            Send(headers=(bearer(TRAINER), ("X-Api-Key", PIPELINE))), UNAUTHENTICATED),
        Row("a good key and a bad one", "13.2",
            Send(headers=(bearer(TRAINER), ("X-Api-Key", UNKNOWN))), UNAUTHENTICATED),
        Row("Authorization twice", "13.2", Send(headers=(bearer(TRAINER), bearer(PIPELINE))),
            UNAUTHENTICATED),
        Row("the same Authorization twice", "13.2",
            Send(headers=(bearer(TRAINER), bearer(TRAINER))), UNAUTHENTICATED),
        Row("a joined Authorization", "13.2",
            Send(headers=(("Authorization", f"Bearer {TRAINER}, Bearer {PIPELINE}"),)),
            UNAUTHENTICATED),
        Row("X-Api-Key twice", "13.2",
            Send(headers=(("X-Api-Key", TRAINER), ("X-Api-Key", PIPELINE))), UNAUTHENTICATED),
    ]
    for key in ("trainer/expired", "trainer/future", "trainer/disabled", "trainer/exposed",
                "trainer/build", "nightly/main", "deployer/before", "xander/laptop"):
        rows.append(Row(f"the key {key}", "9.2", Send(headers=(bearer(KEYS[key]),)),
                        UNAUTHENTICATED))
    rows.append(Row("an unknown key", "9.2", Send(headers=(bearer(UNKNOWN),)), UNAUTHENTICATED))
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
                Send(headers=(bearer(ERIN), *evil(spoofed))), Passed(who="user:erin@acme.example")),
            Row(f"identity headers {form}, anonymous", "13.3",
                Send(path="/handbook/start", headers=evil(spoofed)), Passed()),
            Row(f"identity headers {form}, and no key", "13.3", Send(headers=evil(spoofed)),
                UNAUTHENTICATED),
        ]
    # an Envoy that stands before ours says what it cut; a client's own word is not believed
    rows.append(Row("x-envoy-auth-partial-body from a client", "13.3",
                    Send(headers=(bearer(TRAINER), ("x-envoy-auth-partial-body", "true"))), TRAINS))
    rows.append(Row("x-forwarded-for does not make an address", "9.5",
                    Send(headers=(bearer(KEYS["trainer/build"]),
                                  ("x-forwarded-for", "198.51.100.7"))), UNAUTHENTICATED))
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
        row("/files/..;/closed/a", BAD_REQUEST, BAD_REQUEST),
        row("/files/%61", BAD_REQUEST, to("/files/a")),
        row("/files/a%252fb", BAD_REQUEST, BAD_REQUEST),
        row("/files/a%c0%afb", BAD_REQUEST, BAD_REQUEST),
        row("/files/caf\xe9", ByEnvoy(400), ByEnvoy(400), via=("http1",)),
        row("/files/a\x7f", ByEnvoy(400), ByEnvoy(400), via=("http1",)),
        row("/files/a#b", ByEnvoy(400), ByEnvoy(400), via=("http1",)),
        row("/files", FORBIDDEN, FORBIDDEN),
        row("/Files/a", FORBIDDEN, FORBIDDEN),
        row(RUNS + "/", FORBIDDEN, FORBIDDEN),
        row(RUNS.replace("vision", "-"), FORBIDDEN, FORBIDDEN),
    ]


def hosts() -> list:
    def row(name, host, expect, path=RUNS, via=("http1", "http2")):
        return Row(name, "13.1", with_key(host=host, path=path, via=via), expect)

    return [
        row("a host with a port", "api.acme.example:8443", TRAINS),
        row("a host in capitals", "API.Acme.EXAMPLE", TRAINS),
        row("both", "Api.Acme.Example:80", TRAINS),
        row("a host with a final dot", "api.acme.example.", FORBIDDEN),
        row("a host without routes", "other.acme.example", FORBIDDEN),
        row("an address as host", "127.0.0.1:80", FORBIDDEN),
        row("absolute form: its host counts", "other.acme.example", dataclasses.replace(
            TRAINS, path=RUNS), path=f"http://{HOST}{RUNS}", via=("http1",)),
        row("absolute form: not the header's host", HOST, FORBIDDEN,
            path=f"http://other.acme.example{RUNS}", via=("http1",)),
        row("absolute form of an ambiguous path", HOST,
            {"plain": BAD_REQUEST, "raw": BAD_REQUEST,
             "normal": dataclasses.replace(TRAINS, path="/files/a"),
             "normal-raw": dataclasses.replace(TRAINS, path="/files/a")},
            path=f"http://{HOST}//files/a", via=("http1",)),
        # SPEC 13.1: no route, as configured for the host
        Row("no route of a host that lets through", "13.1",
            Send(host="open.acme.example", path="/anything"), Passed()),
        Row("no route of a host that lets through, with a port and in capitals", "13.1",
            Send(host="OPEN.acme.example:80", path="/anything"), Passed()),
        Row("no route of a host that lets through, bad key", "13.1",
            Send(host="open.acme.example", path="/anything", headers=(bearer(UNKNOWN),)),
            UNAUTHENTICATED),
        Row("no route of a host that lets through, ambiguous", "13.2",
            Send(host="open.acme.example", path="/a%2fb"), BAD_REQUEST),
        Row("no route", "13.1", with_key(path="/nothing/here"), FORBIDDEN),
        Row("no route and no key", "13.1", Send(path="/nothing/here"), FORBIDDEN),
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
            Send(path="/handbook/start", headers=(bearer(UNKNOWN),)), UNAUTHENTICATED),
        Row("anonymous route with a disabled key", "13.1",
            Send(path="/handbook/start", headers=(bearer(KEYS["trainer/disabled"]),)),
            UNAUTHENTICATED),
        Row("anonymous route with another scheme", "13.1",
            Send(path="/handbook/start", headers=(("Authorization", "Digest x"),)),
            UNAUTHENTICATED),
        Row("anonymous is not enough", "13.1", Send(path="/closed/a"), UNAUTHENTICATED),
        Row("shadow passes a deny", "13.1", with_key(path="/shadow/dictation"), TRAINS),
        Row("shadow passes nobody", "13.1", Send(path="/shadow/dictation"), Passed()),
        Row("context extensions", "13.1", with_key(path="/extended/a"), TRAINS),
        Row("context extensions without a key", "13.1", Send(path="/extended/a"), UNAUTHENTICATED),
        Row("context extensions beat the route", "13.1", with_key(path="/v1/extended/a"),
            FORBIDDEN),
        Row("context extensions, ambiguous path", "13.2", with_key(path="/extended/a%2fb"),
            BAD_REQUEST),
        Row("WebSocket", "13.1", websocket("inspector"),
            dataclasses.replace(TRAINS, status=101)),
        Row("WebSocket, denied", "13.1", websocket("recall"), FORBIDDEN),
        Row("WebSocket without a key", "13.1", websocket("inspector", ()), UNAUTHENTICATED),
        Row("a gRPC method", "13.1", grpc("Get"), dataclasses.replace(TRAINS, status="OK")),
        Row("a gRPC method, denied", "13.1", grpc("Write"), Denied("PERMISSION_DENIED")),
        Row("a gRPC method without a key", "13.1", grpc("Get", ()), Denied("UNAUTHENTICATED")),
        Row("a gRPC method with an unknown key", "13.1", grpc("Get", (bearer(UNKNOWN),)),
            Denied("UNAUTHENTICATED")),
        Row("a gRPC method without a route", "13.1", grpc("Other"), Denied("PERMISSION_DENIED")),
        Row("a gRPC method with spoofed identity", "13.3",
            grpc("Get", (bearer(TRAINER), *((f"x-postern-{word}", "evil") for word in IDENTITY))),
            dataclasses.replace(TRAINS, status="OK")),
        # the route says what it is, not the content type
        Row("a gRPC method asked without its content type", "13.1",
            with_key(path=f"/{GRPC_SERVICE}/Write", method="POST", body=b"{}"), FORBIDDEN),
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
            FORBIDDEN, on=("body", "bytes")),
        Row("a large body without a key", "13", Send(method="POST", body=large), UNAUTHENTICATED,
            on=("body", "bytes")),
        Row("a small body", "13", with_key(method="POST", body=b"{}"),
            TRAINS, on=("body", "bytes")),
        Row("a large body that Postern does not see", "13", send(), TRAINS),
        Row("a body that is not UTF-8", "13", with_key(method="POST", body=b"\xff\x00\xfe"),
            TRAINS, on=("body", "bytes")),
    ]


def certificates() -> list:
    def row(name, certificate, expect, headers=(), path=RUNS):
        return Row(name, "9.6", Send(certificate=certificate, headers=headers, path=path), expect,
                   on=("tls",))

    return [
        row("a certificate of a mapped trust domain", "mapped", SCORES),
        row("... where its account may not", "mapped", FORBIDDEN,
            path=RUNS.replace("inspector", "recall")),
        row("a certificate of nobody's", "stranger", UNAUTHENTICATED),
        row("a certificate of another trust domain", "unmapped", UNAUTHENTICATED),
        row("a certificate without a SPIFFE name", "named", UNAUTHENTICATED),
        row("no certificate", None, UNAUTHENTICATED),
        row("no certificate and a key", None, TRAINS, (bearer(TRAINER),)),
        row("a key beats the certificate", "mapped", TRAINS, (bearer(TRAINER),)),
        row("a bad key beats the certificate", "mapped", UNAUTHENTICATED, (bearer(UNKNOWN),)),
        row("a client's word about its certificate", None, UNAUTHENTICATED,
            (("x-forwarded-client-cert",
              "URI=spiffe://mesh.acme.example/ns/prod/sa/scorer"),)),
    ]


ROWS = [*credentials(), *spoofing(), *paths(), *hosts(), *modes(), *bodies(), *certificates()]
