"""The processes of a demonstration: a Kafka, and parts that run beside it until they are stopped."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

BROKER = Path(__file__).resolve().parents[2] / "deploy" / "kafka" / "broker.py"
LOGS = Path(".respite")
_STOP_S = 15
#: The first start compiles every kernel.
_READY_S = 900


class DemoFailed(RuntimeError):
    """A part of the demonstration could not be started or has ended; the message says which and why."""


@contextlib.contextmanager
def broker() -> Iterator[str]:
    """A running Kafka; stopped again when this started it."""
    named = os.environ.get("RESPITE_BROKER")
    if named:
        yield named
        return
    ran_before = _broker_command("status").returncode == 0
    started = _broker_command("start")
    if started.returncode != 0:
        message = (
            f"Kafka does not start: {started.stderr.strip()}; or name a broker: RESPITE_BROKER=HOST:PORT"
        )
        raise DemoFailed(message)
    try:
        yield started.stdout.strip().splitlines()[-1]
    finally:
        if not ran_before:
            _broker_command("stop")


def _broker_command(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BROKER), command], capture_output=True, text=True, check=False, timeout=300
    )


@dataclass(frozen=True, slots=True)
class Part:
    """A running part and where its words go."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raise `DemoFailed` when it has ended."""
        if self.process.poll() is not None:
            message = f"the {self.name} has ended with status {self.process.returncode}; see {self.log}"
            raise DemoFailed(message)

    def stop(self) -> None:
        """Stop it, in order if it will."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start(name: str, command: Sequence[str], environment: dict[str, str]) -> Part:
    """A command beside this one."""
    log = LOGS / f"demo-{name.lower()}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for this process, which then stops the others in order.
            start_new_session=True,
        )
    return Part(name, process, log)


def address_of(api: Part) -> str:
    """Where the API listens, once it does."""
    found = None
    deadline_s = time.monotonic() + _READY_S
    while found is None:
        api.check()
        _not_after(deadline_s, api)
        found = re.search(r"http://[\w.:]+", api.log.read_text(encoding="utf-8", errors="replace"))
    return found[0]


def await_ready(address: str, parts: Sequence[Part]) -> None:
    """Until the API can answer for the worker's riders."""
    deadline_s = time.monotonic() + _READY_S
    while True:
        for part in parts:
            part.check()
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/readyz", timeout=5):  # noqa: S310 - our own
            return
        _not_after(deadline_s, parts[-1])


def _not_after(deadline_s: float, part: Part) -> None:
    if time.monotonic() > deadline_s:
        raise DemoFailed(f"the {part.name} is not ready after {_READY_S} s; see {part.log}")
    time.sleep(0.05)
