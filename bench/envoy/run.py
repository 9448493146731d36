#!/usr/bin/env python3
"""CPU time of Envoy and of Postern for each request, over TCP and over a Unix socket.

Envoy with one worker and Postern with one, both on core 0; h2load on core 1, HTTP/2 over
loopback. Envoy answers by itself (`direct_response`), so that no upstream is counted, and the
same without `ext_authz` is its own share. The cases are taken in turn, `--rounds` times, and the
medians told. Writes Markdown. Needs h2load (Debian: nghttp2-client), a release build and what
`scripts/e2e-envoy` installs:

    cargo build --release --bin postern
    .tools/py/bin/python bench/envoy/run.py target/release/postern \\
        .tools/envoy/1.40.0/envoy/_bin/envoy --out docs/benchmarks/ENVOY.md
"""

import argparse
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/e2e/envoy"), str(ROOT / "tests/e2e")]

from config import Listener, cluster  # noqa: E402
from envoy import Envoy, version  # noqa: E402
from processes import Failure, Postern, Programs  # noqa: E402
from rows import HOST, RUNS, TRAINER  # noqa: E402

LISTENERS = [
    Listener("off", "", filtered=False, direct=True),
    Listener("tcp", "tcp", direct=True),
    Listener("unix", "unix", direct=True),
]
WAYS = {"off": "no `ext_authz`", "tcp": "TCP", "unix": "Unix socket"}
# what is asked: the headers, and the status that every answer must have
KEY = ["-H", f"authorization: Bearer {TRAINER}"]
CASES = {"allowed, by key": (KEY, "2xx"), "denied, no key": ([], "4xx")}
# connections, streams of each
SHAPES = [(4, 10), (1, 1)]


def cpu(pid: int) -> float:
    """Seconds of user and system time that a process has used, all its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pinned(core: int, argv: list) -> list:
    return ["taskset", "-c", str(core), *argv]


def ask(envoy, postern, port: int, case: str, listener: str, shape: tuple, count: int) -> dict:
    words, expected = CASES[case]
    if listener == "off":
        expected = "2xx"
    before = cpu(envoy.program.pid), cpu(postern.pid)
    # the host is the listener's address: the route of the bench takes every host
    done = subprocess.run(
        pinned(1, ["h2load", "-n", str(count), "-c", str(shape[0]), "-m", str(shape[1]), "-t", "1",
                   *words, f"http://127.0.0.1:{port}{RUNS}"]),
        capture_output=True, text=True, timeout=300,
    ).stdout
    after = cpu(envoy.program.pid), cpu(postern.pid)
    got = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", done)
    if not got or int(got.group(1 if expected == "2xx" else 3)) != count:
        raise Failure(f"{case} over {listener}: not {count} times {expected}:\n{done}")
    rate = float(re.search(r"([\d.]+) req/s", done).group(1))
    used = [(late - early) / count * 1e6 for early, late in zip(before, after)]
    return {"rate": rate, "envoy": used[0], "postern": used[1]}


def measure(arguments, directory: pathlib.Path) -> dict:
    source = directory / "snapshot"
    source.mkdir()
    shutil.copy(ROOT / "examples/acme/acme.yaml", source)
    routes = (ROOT / "tests/e2e/envoy/routes.yaml").read_text()
    (source / "routes.yaml").write_text(routes.replace(f"[{HOST}]", '["127.0.0.1"]'))
    found = {}
    with Programs(directory) as programs:
        postern = Postern("postern", pinned(0, [
            arguments.postern, "serve", "--snapshot", source, "--workers", "1", "--listen",
            "127.0.0.1:0", "--listen", f"unix:{directory}/postern.sock",
        ]), directory / "postern.log")
        programs.started.append(postern)
        tcp, unix = postern.addresses(2)
        postern.ready()
        clusters = [cluster("tcp", tcp, True), cluster("unix", unix, True)]
        os.sched_setaffinity(0, {0})
        envoy = Envoy(programs, arguments.envoy, "envoy", LISTENERS, clusters, directory)
        for number in range(arguments.rounds + 1):
            for shape in SHAPES:
                for case in CASES:
                    for listener in LISTENERS:
                        count = arguments.requests // (1 if shape == SHAPES[0] else 4)
                        port = envoy.ports[listener.name]
                        told = ask(envoy, postern, port, case, listener.name, shape, count)
                        # the first round warms up
                        if number:
                            found.setdefault((shape, case, listener.name), []).append(told)
    return found


def table(found: dict, shape: tuple) -> str:
    lines = ["| asked | over | requests/s | Envoy us | Postern us | together us | for asking us |",
             "|---|---|---|---|---|---|---|"]
    for case in CASES:
        of = lambda listener, what: statistics.median(
            told[what] for told in found[shape, case, listener])
        alone = of("off", "envoy")
        for listener, way in WAYS.items():
            envoy = of(listener, "envoy")
            # what is not asked uses no time; its clock ticks say so within their error
            postern = 0.0 if listener == "off" else of(listener, "postern")
            lines.append(
                f"| {case} | {way} | {of(listener, 'rate'):,.0f} | {envoy:.1f} | {postern:.1f} | "
                f"{envoy + postern:.1f} | {envoy + postern - alone:.1f} |")
    return "\n".join(lines)


def page(arguments, found: dict) -> str:
    command = (f"cargo build --profile {arguments.profile} --bin postern\n"
               f".tools/py/bin/python bench/envoy/run.py target/{arguments.profile}/postern \\\n"
               f"    .tools/envoy/{version(arguments.envoy)}/envoy/_bin/envoy "
               f"--profile {arguments.profile} \\\n    --out docs/benchmarks/ENVOY.md")
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    machine = (f"{os.cpu_count()} cores, {model.group(1) if model else platform.machine()}, "
               f"{platform.system()} {platform.release()}; load average before the run "
               f"{arguments.load:.1f}")
    parts = [
        "# CPU time behind Envoy",
        f"Envoy {version(arguments.envoy)} with one worker and Postern with one, both on one core;\n"
        "h2load on the other; HTTP/2 over loopback; Envoy answers by itself. User and system time\n"
        f"of each process, divided by the requests. Medians of {arguments.rounds} rounds of\n"
        f"{arguments.requests:,} requests (a quarter of that where one is in flight), the ways in\n"
        f"turn. {machine}.\nAbsolute figures move with the machine, and with what else runs there.",
        "```console\n" + command + "\n```",
        "`allowed, by key`: the key is hashed and looked up, the route found, the decision made,\n"
        "six headers written. `denied, no key`: a 401 with its body. `for asking`: what both use\n"
        "beyond Envoy without the filter, whose 200 it is compared with.",
    ]
    for shape in SHAPES:
        parts += [f"## {shape[0]} connections, {shape[1]} in flight on each"
                  if shape[0] > 1 else "## One request in flight", table(found, shape)]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("postern", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("envoy", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--profile", default="release", help="how Postern was built")
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as name:
        try:
            text = page(arguments, measure(arguments, pathlib.Path(name)))
        except Failure as failure:
            sys.exit(f"FAILED: {failure}")
    print(text)
    if arguments.out:
        arguments.out.write_text(text)


main()
