"""End-to-end tests with real Envoys.

    run.py POSTERN PART... --envoy BINARY...

Parts: control, table, outage and change, which are run when none is named; `write` measures as
outage does and writes docs/ENVOY.md.
"""

import argparse
import pathlib
import shutil
import signal
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import certificates  # noqa: E402
import change  # noqa: E402
import envoy  # noqa: E402
import outage  # noqa: E402
import standin  # noqa: E402
import table  # noqa: E402
from peer import Peer  # noqa: E402
from processes import Failure, Postern, Programs  # noqa: E402
from rows import ROOT  # noqa: E402


def snapshot(directory: pathlib.Path) -> pathlib.Path:
    """The example and the routes of this test, as one directory snapshot."""
    made = directory / "snapshot"
    made.mkdir()
    shutil.copy(ROOT / "examples/acme/acme.yaml", made)
    shutil.copy(HERE / "routes.yaml", made)
    return made


def serve(programs: Programs, postern: pathlib.Path, name: str, source: pathlib.Path, *more):
    """Starts Postern on a port and a socket; the program and both addresses."""
    socket = programs.directory / f"{name}.sock"
    program = Postern(name, [
        postern, "serve", "--snapshot", source, "--listen", "127.0.0.1:0",
        "--listen", f"unix:{socket}", *more,
    ], programs.directory / f"{name}.log")
    programs.started.append(program)
    tcp, unix = program.addresses(2)
    return program, tcp, unix


DEFAULTS = ["--envoy-trust-domain", "mesh.acme.example=organizations/acme",
            "--envoy-no-route", "open.acme.example=allow"]
OPTIONS = ["--envoy-keep-credential", "--envoy-attribution-header", "x-on-behalf-of",
           "--envoy-allow-path", "semicolon", "--envoy-allow-path", "double-slash",
           "--envoy-error-response", "--envoy-no-route", "*=allow",
           "--envoy-no-route", "api.acme.example=deny"]


def run_table(programs, postern, binaries, directory):
    source = snapshot(directory)
    certificates_of = certificates.make(directory / "certificates")
    program, tcp, unix = serve(programs, postern, "postern", source, *DEFAULTS)
    program.ready()
    other, other_tcp, other_unix = serve(programs, postern, "postern-options", source, *OPTIONS)
    other.ready()
    revision = Peer(tcp).call("postern.v1.SnapshotService/GetSnapshot", {})["revision"]
    pdps = {"tcp": tcp, "unix": unix, "options-tcp": other_tcp, "options-unix": other_unix}
    for binary in binaries:
        start = time.monotonic()
        count = table.run(programs, binary, pdps, revision, certificates_of)
        print(f"ok: Envoy {envoy.version(binary)}: {count} requests of the table, "
              f"{time.monotonic() - start:.0f} s", flush=True)


def run_control(programs, _postern, binaries, directory):
    """A table that cannot fail shows nothing: of a decision point that answers with an empty
    message, which to Envoy is an allow, it must say so."""
    made, newest = certificates.make(directory / "certificates"), binaries[-1]
    empty = standin.Standin(standin.EMPTY)
    pdps = dict.fromkeys(["tcp", "unix", "options-tcp", "options-unix"], empty.address)
    try:
        table.run(programs, newest, pdps, "1", made)
    except Failure as failure:
        found = str(failure).splitlines()[0]
        print(f"ok: Envoy {envoy.version(newest)}: empty answers let everything pass, and the "
              f"table finds it: {found}", flush=True)
        return
    finally:
        empty.stop()
    raise Failure("the table agrees with a decision point that lets everything pass")


def run_outage(programs, postern, binaries, directory):
    outages = outage.Outage(programs, postern, snapshot(directory), DEFAULTS)
    measured = {}
    for binary in binaries:
        start, name = time.monotonic(), envoy.version(binary)
        measured[name] = outages.measure(binary)
        print(f"ok: Envoy {name}: {len(measured[name])} ways of not being answered, "
              f"{time.monotonic() - start:.0f} s", flush=True)
    outage.exits(programs, postern)
    return measured


def check_outage(*arguments):
    outage.check(ROOT / "docs/ENVOY.md", run_outage(*arguments))
    print("ok: docs/ENVOY.md says what was measured", flush=True)


def write_outage(*arguments):
    outage.write(ROOT / "docs/ENVOY.md", run_outage(*arguments))


def run_change(programs, postern, binaries, directory):
    source = snapshot(directory)
    program, tcp, _ = serve(programs, postern, "postern", source, *DEFAULTS)
    program.ready()
    for binary in binaries:
        told = change.run(programs, binary, tcp, source)
        print(f"ok: Envoy {envoy.version(binary)}: {told}", flush=True)


PARTS = {"control": run_control, "table": run_table, "outage": check_outage, "change": run_change, "write": write_outage}
DEFAULT_PARTS = ["control", "table", "outage", "change"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("postern", type=pathlib.Path)
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--envoy", nargs="+", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"unknown parts {sorted(unknown)}; expected {list(PARTS)}")
    # a time limit of the caller must not leave programs behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("FAILED: ended from outside"))
    for part in arguments.parts or DEFAULT_PARTS:
        with tempfile.TemporaryDirectory(prefix="postern-envoy-") as name:
            directory = pathlib.Path(name)
            try:
                with Programs(directory) as programs:
                    PARTS[part](programs, arguments.postern.resolve(), arguments.envoy, directory)
            except Failure as failure:
                sys.exit(f"FAILED: {part}: {failure}")


main()
