#!/usr/bin/env python3
"""P4: unary Authorize over gRPC beside an empty tonic handler, in one run; with --check P5:
Envoy's Check with an API key (verified, routed, authorized, headers made) beside a handler
that decodes the same request and always allows.

Both servers on core 0 with one worker, h2load on core 1, over loopback; the two in turn,
medians of the rounds. Prints a Markdown table. Needs h2load (Debian: nghttp2-client) and
release builds:

    cargo build --release --bin postern --example empty_handler
    bench/wire/run.py [--rounds 5] [--seconds-max 240] --principal P --resource R
    bench/wire/run.py [--rounds 5] [--seconds-max 240] --check
"""
import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

PRINCIPAL = "serviceAccount:{}"
METHOD = "/postern.v1.AuthorizationService/Authorize"
CHECK = "/envoy.service.auth.v3.Authorization/Check"
CHECK_KEY = "pst_demoTrainer1_gKzgvl2S6lnP91TXXVxasuA527P6GZo9he4otHB5o8v_1TIRZF"
CHECK_PATH = "/v1/teams/vision/projects/inspector/runs"
SHAPES = [(1, 1, 20_000), (4, 10, 200_000), (4, 50, 400_000), (16, 1, 100_000)]


def field(number, data):
    """One length-delimited protobuf field of less than 16 KiB."""
    raw = data.encode() if isinstance(data, str) else data
    length = len(raw)
    size = bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])
    return bytes([number << 3 | 2]) + size + raw


def framed(message):
    return b"\0" + len(message).to_bytes(4, "big") + message


def check_request():
    """A CheckRequest as Envoy 1.40 sends it of a client's POST (INTERFACES 4.1)."""
    headers = {
        ":authority": "api.acme.example", ":method": "POST", ":path": CHECK_PATH,
        ":scheme": "https", "accept": "*/*", "accept-encoding": "gzip, deflate",
        "authorization": f"Bearer {CHECK_KEY}", "content-length": "112",
        "content-type": "application/json", "user-agent": "python-requests/2.32.3",
        "x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "https",
        "x-request-id": "0f1c1f0e-7f5e-4b3a-9d6e-2c8f5a1b7c3d",
    }
    address = lambda ip, port: field(1, field(1, field(2, ip) + bytes([3 << 3, *port])))
    http = field(1, headers["x-request-id"]) + field(2, "POST")
    for name, value in headers.items():
        http += field(3, field(1, name) + field(2, value))
    http += field(4, CHECK_PATH) + field(5, "api.acme.example") + field(6, "https")
    http += bytes([9 << 3, 112]) + field(10, "HTTP/1.1")
    return field(1, field(1, address("198.51.100.7", b"\xd8\xe7\x03"))
                 + field(2, address("10.0.0.5", b"\xbb\x43"))
                 + field(4, field(1, b"\x08\x80\xa0\xcd\xda\x06") + field(2, http))
                 + field(10, field(1, "virtual_host") + field(2, "api"))
                 + field(11, b"") + field(13, b""))


def request(numbers, principal, permission, resource_name):
    message = (field(numbers["principal"], principal) + field(numbers["permission"], permission)
               + field(numbers["resource"], resource_name))
    return framed(message)


def field_numbers(root):
    """The numbers of AuthorizeRequest's fields, read from the proto so that they cannot drift."""
    text = ""
    directory = os.path.join(root, "proto/postern/v1")
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            text += file.read()
    body = text.split("message AuthorizeRequest {", 1)[1]
    wanted = ("principal", "permission", "resource")
    return {w: int(re.search(rf"string {w} = (\d+)", body).group(1)) for w in wanted}


class Server:
    def __init__(self, name, command, url):
        self.name, self.url = name, url
        self.process = subprocess.Popen(["taskset", "-c", "0", *command],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.rounds = {}

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            parts = file.read().rsplit(")", 1)[1].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


def load(server, shape, body, log, method):
    connections, streams, requests = shape
    if os.path.exists(log):
        os.remove(log)
    before = server.cpu()
    command = ["taskset", "-c", "1", "h2load", "-n", str(requests), "-c", str(connections),
               "-m", str(streams), "-t", "1", "-d", body, "--log-file", log,
               "-H", "content-type: application/grpc", "-H", "te: trailers",
               f"{server.url}{method}"]
    output = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    done = re.search(r"requests: (\d+) total, .*?(\d+) succeeded, (\d+) failed", output)
    assert done and done.group(2) == str(requests), output
    rate = float(re.search(r"finished in .*?, ([\d.]+) req/s", output).group(1))
    with open(log, encoding="ascii") as file:
        times = sorted(int(line.split("\t")[2]) for line in file)
    at = lambda q: times[min(len(times) - 1, int(q * len(times)))]
    cpu = (server.cpu() - before) * 1e6 / requests
    return rate, at(0.5), at(0.99), cpu


def measure(servers, shapes, rounds, body, log, deadline, method):
    for server in servers:
        load(server, (4, 10, 50_000), body, log, method)
    for shape in shapes:
        for round_number in range(rounds):
            if time.monotonic() > deadline and round_number:
                break
            for server in servers if round_number % 2 else servers[::-1]:
                server.rounds.setdefault(shape, []).append(load(server, shape, body, log, method))
            print(f"  c={shape[0]} m={shape[1]} round {round_number + 1}/{rounds}",
                  file=sys.stderr)


def median(server, shape):
    return [statistics.median(column) for column in zip(*server.rounds[shape])]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds-max", type=int, default=240)
    parser.add_argument("--check", action="store_true", help="P5 in place of P4")
    parser.add_argument("--principal", default="serviceAccount:trainer@acme-iam.example")
    parser.add_argument("--permission", default="models.runs.create")
    parser.add_argument("--resource",
                        default="organizations/acme/teams/vision/projects/inspector")
    arguments = parser.parse_args()
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    release = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(root, "target")),
                           "release")
    deadline = time.monotonic() + arguments.seconds_max
    with tempfile.TemporaryDirectory() as directory:
        body, log = os.path.join(directory, "body"), os.path.join(directory, "log")
        method, message = METHOD, None
        if arguments.check:
            # The demo has a route for it.
            method, message = CHECK, framed(check_request())
        else:
            message = request(field_numbers(root), arguments.principal, arguments.permission,
                              arguments.resource)
        with open(body, "wb") as file:
            file.write(message)
        empty = [os.path.join(release, "examples/empty_handler"), "127.0.0.1:9291",
                 arguments.principal, arguments.resource]
        own = [os.path.join(release, "postern"), "serve", "--demo", "--workers", "1",
               "--listen", "127.0.0.1:9292"]
        servers = [Server("empty tonic handler", empty, "http://127.0.0.1:9291"),
                   Server("postern", own, "http://127.0.0.1:9292")]
        time.sleep(1.5)
        try:
            measure(servers, SHAPES, arguments.rounds, body, log, deadline, method)
        finally:
            for server in servers:
                server.stop()
    print("| c x m | server | req/s | p50 us | p99 us | CPU us/req | throughput ratio | p99 ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for shape in SHAPES:
        base = median(servers[0], shape)
        for server in servers:
            rate, p50, p99, cpu = median(server, shape)
            print(f"| {shape[0]} x {shape[1]} | {server.name} | {rate:,.0f} | {p50} | {p99} | "
                  f"{cpu:.1f} | {rate / base[0]:.2f} | {p99 / base[2]:.2f} |")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    main()
