"""Paced load on one listener of Envoy, and what each request came to.

    load.py PLAN RECORDS

PLAN is JSON: port, connections, rate (requests a second in all), seconds, requests (a list of
heads of requests, asked in turn). RECORDS gets for each request the index of its head, its
status (0: none came), when it was sent and when the answer was there, on the system's
monotonic clock. SIGTERM ends it before the time. A connection waits for an answer before it asks again, so a busy machine is
asked less often than was planned, and the records say how often.
"""

import array
import asyncio
import json
import pathlib
import re
import signal
import sys
import time

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Connection(asyncio.Protocol):
    def __init__(self, plan: dict, records: array.array, number: int, start: float):
        self.requests = [head.encode("latin-1") for head in plan["requests"]]
        self.period = plan["connections"] / plan["rate"]
        self.all = plan
        self.end = start + plan["seconds"]
        self.due = start + self.period * number / plan["connections"]
        self.index, self.records = number, records
        self.buffer, self.sent, self.timer = b"", None, None
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.schedule()

    def schedule(self):
        delay = max(0.0, self.due - time.monotonic())
        # what could not be asked in time is left out, not caught up
        self.due = max(self.due, time.monotonic() - self.period) + self.period
        self.timer = asyncio.get_running_loop().call_later(delay, self.send)

    def send(self):
        if self.all["stopped"] or time.monotonic() >= self.end:
            self.transport.close()
            return
        self.index += 1
        self.kind = self.index % len(self.requests)
        self.sent = time.monotonic()
        self.transport.write(self.requests[self.kind])

    def data_received(self, data):
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        length = LENGTH.search(self.buffer, 0, head)
        if len(self.buffer) < head + 4 + (int(length.group(1)) if length else 0):
            return
        self.record(int(self.buffer[9:12]))
        self.buffer = b""
        self.schedule()

    def record(self, status: int):
        self.records.extend((self.kind, status, self.sent, time.monotonic()))
        self.sent = None

    def connection_lost(self, _error):
        self.timer.cancel()
        if self.sent is not None:
            self.record(0)
        self.done.set_result(None)


async def main(plan: dict, out: pathlib.Path):
    records, start = array.array("d"), time.monotonic() + 0.1
    loop, connections = asyncio.get_running_loop(), []
    plan["stopped"] = False
    loop.add_signal_handler(signal.SIGTERM, plan.update, {"stopped": True})
    for number in range(plan["connections"]):
        connection = Connection(plan, records, number, start)
        await loop.create_connection(lambda c=connection: c, "127.0.0.1", plan["port"])
        connections.append(connection)
    await asyncio.wait_for(
        asyncio.gather(*(connection.done for connection in connections)), plan["seconds"] + 60
    )
    out.write_bytes(records.tobytes())


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1]), pathlib.Path(sys.argv[2])))
