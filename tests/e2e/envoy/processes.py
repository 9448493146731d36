"""Programs that a test starts: each has a log, each is ended, every wait has an end."""

import pathlib
import signal
import subprocess
import time


class Failure(Exception):
    """What the test found; one line."""


class Program:
    def __init__(self, name: str, argv: list, log: pathlib.Path):
        self.name, self.log = name, log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        self.pid = self.process.pid

    def running(self) -> bool:
        return self.process.poll() is None

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, what: str, question, seconds: float = 60.0):
        """Asks until the answer is true, for as long as the program runs."""
        end = time.monotonic() + seconds
        while True:
            alive, answer = self.running(), question()
            if answer:
                return answer
            if not alive:
                raise Failure(f"{self.name} stopped before {what}:\n{self.text()[-2000:]}")
            if time.monotonic() > end:
                raise Failure(f"{self.name}: no {what} in {seconds} s:\n{self.text()[-2000:]}")
            time.sleep(0.02)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        if self.running():
            # one that was stopped with SIGSTOP must run to end
            self.signal(signal.SIGCONT)
            self.process.terminate()
        try:
            return self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(timeout=5)


class Programs:
    """A context that ends all it started, the youngest first."""

    def __init__(self, directory: pathlib.Path):
        self.directory, self.started = directory, []

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            for program in self.started:
                print(f"--- {program.log}\n{program.text()[-3000:]}", flush=True)
        for program in reversed(self.started):
            program.stop()

    def start(self, name: str, argv: list) -> Program:
        program = Program(name, argv, self.directory / f"{name}.log")
        self.started.append(program)
        return program


class Postern(Program):
    """`postern serve`; knows where it listens."""

    def addresses(self, count: int) -> list:
        def listening():
            lines = [line for line in self.text().splitlines() if line.startswith("listening on ")]
            return len(lines) >= count and [line.split(" ")[2] for line in lines]

        return self.wait_for("address", listening)

    def ready(self) -> None:
        self.wait_for("snapshot", lambda: "serving revision" in self.text())
