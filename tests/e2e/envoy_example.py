"""Starts examples/envoy as its README says, on ports of the system's choosing, and asks.

  envoy_example.py POSTERN ENVOY
"""

import contextlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "envoy"
sys.path.insert(0, str(EXAMPLES))
sys.dont_write_bytecode = True

import upstream  # noqa: E402
from peer import check  # noqa: E402

RUN = "/v1/teams/vision/projects/inspector/runs/7"
# of a project that only its own members may see
RESTRICTED = "/v1/teams/speech/projects/dictation/runs/1"
SPOOFED = {"x-postern-principal": "user:admin@acme.example", "x-postern-team": "mine"}


def key(name: str) -> str:
    """A key of examples/acme/keys.txt by the id in it."""
    text = (ROOT / "examples" / "acme" / "keys.txt").read_text()
    return re.search(rf"pst_{name}_\w+", text).group()


@contextlib.contextmanager
def program(log: pathlib.Path, *command):
    with log.open("wb") as out:
        process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=out)
    try:
        yield process
    except BaseException:
        print(f"--- {log.name}\n{log.read_text()[-2000:]}", flush=True)
        raise
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def until(what: str, question, seconds: float = 60.0):
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, ValueError):
            if answer := question():
                return answer
        if time.monotonic() > end:
            raise SystemExit(f"FAILED: {what}: not within {seconds} s")
        time.sleep(0.05)


def ask(port: int, path: str, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def questions(name: str, port: int, grpc_port: int) -> None:
    trainer = f"Bearer {key('demoTrainer1')}"
    status, seen = ask(port, RUN, authorization=trainer, **SPOOFED)
    check(f"{name}: allowed", status == 200, (status, seen))
    principal = seen["x-postern-principal"]
    check(f"{name}: the upstream reads who it is", principal.startswith("serviceAccount:trainer@"), seen)
    check(f"{name}: and not what the client said", "mine" not in seen.get("x-postern-team", ""), seen)
    check(f"{name}: the key does not go on", seen["authorization"] is False, seen)
    status, seen = ask(port, "/own-words", authorization=trainer)
    check(f"{name}: allowed by context_extensions", status == 200, (status, seen))
    status, seen = ask(port, RESTRICTED, authorization=trainer)
    check(f"{name}: denied", status == 403, (status, seen))
    status, seen = ask(port, RUN)
    check(f"{name}: no credential", status == 401, (status, seen))
    status, seen = ask(port, "/no/route", authorization=trainer)
    check(f"{name}: no route", status == 403, (status, seen))
    status, seen = ask(port, "/healthz", **SPOOFED)
    told = [header for header in seen if header.startswith("x-postern-")]
    check(f"{name}: an unchecked route tells nothing of a caller", status == 200 and not told, seen)
    if grpc_port:
        ask_grpc(name, port)


def ask_grpc(name: str, port: int) -> None:
    import grpc

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(upstream.GRPC_METHOD)
        metadata = [("authorization", f"Bearer {key('demoPipeline')}")]
        answer = call(b"\n\x01x", metadata=metadata, timeout=30)
        check(f"{name}: gRPC allowed", answer == b"\n\x01x", answer)
        try:
            call(b"", timeout=30)
            code = None
        except grpc.RpcError as error:
            code = error.code()
        check(f"{name}: gRPC without a credential", code == grpc.StatusCode.UNAUTHENTICATED, code)


def example(name: str, config: str, listen: str, postern, envoy, directory: pathlib.Path) -> None:
    http = upstream.serve_http(0)
    grpc_server, grpc_port = upstream.serve_grpc(0)
    log = directory / f"{name}-postern.log"
    with program(log, postern, "serve", "--demo", "--listen", listen):
        found = until("postern", lambda: re.search(r"listening on (\S+)", log.read_text()))
        text = (EXAMPLES / config).read_text()
        for port, real in [
            (8080, 0), (9901, 0), (8000, http.server_address[1]), (8001, grpc_port or 1),
            (9191, found.group(1).rpartition(":")[2]),
        ]:
            text = text.replace(f"port_value: {port}", f"port_value: {real}")
        text = text.replace("path: /tmp/postern.sock", f"path: {directory}/postern.sock")
        (directory / config).write_text(text)
        admin = directory / f"{name}.admin"
        with program(
            directory / f"{name}-envoy.log", envoy, "--config-path", directory / config,
            "--admin-address-path", admin, "--concurrency", "1", "--disable-hot-restart",
            "--log-level", "warning",
        ):
            def listener():
                url = f"http://{admin.read_text().strip()}/listeners?format=json"
                with urllib.request.urlopen(url, timeout=10) as answer:
                    statuses = json.loads(answer.read())["listener_statuses"]
                return statuses[0]["local_address"]["socket_address"]["port_value"]

            port = until("envoy", listener)
            until("an answer", lambda: ask(port, "/healthz")[0] == 200)
            questions(name, port, grpc_port)
            dump = urllib.request.urlopen(f"http://{admin.read_text().strip()}/config_dump", timeout=30)
            lint = subprocess.run(
                [postern, "lint", "envoy", "-"], input=dump.read(), capture_output=True, timeout=60
            )
            check(f"{name}: the running configuration is clean", lint.returncode == 0, lint.stdout)
    http.shutdown()
    if grpc_server:
        grpc_server.stop(None).wait(5)


def main() -> None:
    postern, envoy = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as made:
        directory = pathlib.Path(made)
        example("tcp", "envoy.yaml", "127.0.0.1:0", postern, envoy, directory)
        socket = f"unix:{directory}/postern.sock"
        example("unix", "envoy-unix.yaml", socket, postern, envoy, directory)


if __name__ == "__main__":
    main()
