"""A running Envoy."""

import json
import pathlib
import subprocess
import time
import urllib.request

from config import bootstrap
from processes import Failure, Programs


def version(binary: pathlib.Path) -> str:
    out = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=60)
    return out.stdout.split("version:")[1].split("/")[1]


class Envoy:
    """Started with the listeners and clusters given; `ports` says where each listener is."""

    def __init__(self, programs: Programs, binary: pathlib.Path, name: str, listeners: list,
                 clusters: list, certificates: pathlib.Path):
        directory = programs.directory
        self.access = directory / f"{name}.access"
        config, admin = directory / f"{name}.json", directory / f"{name}.admin"
        for old in (self.access, admin):
            old.unlink(missing_ok=True)
        config.write_text(bootstrap(listeners, clusters, certificates, self.access))
        self.program = programs.start(name, [
            binary, "--config-path", config, "--admin-address-path", admin, "--concurrency", "1",
            "--disable-hot-restart", "--log-level", "warning", "--file-flush-interval-msec", "100",
            "--drain-time-s", "1",
        ])
        self.admin = self.program.wait_for(
            "admin address", lambda: admin.exists() and admin.read_text().strip()
        )
        self.program.wait_for("live state", self._live)
        found = json.loads(self._get("/listeners?format=json"))["listener_statuses"]
        self.ports = {
            status["name"]: status["local_address"]["socket_address"]["port_value"]
            for status in found
        }
        if missing := {listener.name for listener in listeners} - set(self.ports):
            raise Failure(f"{name}: no listener {missing}")

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{self.admin}{path}", timeout=10) as answer:
            return answer.read().decode()

    def _live(self) -> bool:
        try:
            return self._get("/ready").strip() == "LIVE"
        except OSError:
            return False

    def metadata(self, cases: set, seconds: float = 10.0) -> dict:
        """What Postern told Envoy of each case; of one that Envoy did not log, nothing."""
        end = time.monotonic() + seconds
        while True:
            text = self.access.read_text() if self.access.exists() else ""
            lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
            found = {line["case"]: line["metadata"] for line in map(json.loads, lines)}
            if cases <= set(found) or time.monotonic() > end:
                return found
            time.sleep(0.1)
