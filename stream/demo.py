"""``respite demo``: a simulated city's day in a minute, with everything running for real.

Starts a Kafka of its own (or uses the one that ``RESPITE_BROKER`` names), makes topics, runs a worker on
the events' own clock and couriers at accelerated event time, shows alerts as they come and stops it all.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console
from rich.live import Live
from rich.text import Text

from stream.settings import Settings, load_settings
from stream.tail import tail

BROKER = Path(__file__).resolve().parent.parent / "deploy" / "kafka" / "broker.py"
_STOP_S = 15
_DRAIN_S = 6.0
_DAYS = 0.9
_FAULTS = {"late": 0.01, "duplicate": 0.01, "shuffled": 0.02, "malformed": 0.001, "lost": 0.005}
_COLOURS = {
    "approaching": "yellow",
    "limit_reached": "bold red",
    "reminder": "magenta",
    "hold_released": "green",
    "hold_breached": "bold white on red",
    "retracted": "dim",
}
_WORDS = {
    "approaching": "接近上限 approaching",
    "limit_reached": "到达上限 limit reached",
    "reminder": "再次提醒 reminder",
    "hold_released": "可以接单 hold released",
    "hold_breached": "违规派单 hold breached",
    "retracted": "已撤回 retracted",
}


class DemoFailed(RuntimeError):
    """A part of the demonstration could not be started or has ended; the message says which and why."""


@contextlib.contextmanager
def _broker() -> Iterator[str]:
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


@contextlib.contextmanager
def _process(environment: dict[str, str], log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command of Respite beside this one, stopped at the end; what it says goes into a file."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "stream", *arguments],
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for this process, which then stops the others in order.
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(_STOP_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


class _Board:
    """What scrolls, and the live line below it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_s = 0.0
        self._began_s = time.monotonic()
        self.alerts: Counter[str] = Counter()
        self.statuses: dict[str, str] = {}
        self.refused = 0
        self.clock = "-"
        self.skipped = 0

    def alert(self, document: dict[str, object]) -> None:
        """Show an alert; of a burst only some, the rest are counted."""
        kind = str(document["kind"])
        self.alerts[kind] += 1
        if time.monotonic() - self._shown_s < 0.05 and kind not in ("limit_reached", "hold_breached"):
            self.skipped += 1
            return
        self._shown_s = time.monotonic()
        minutes = int(str(document["counted_s"])) // 60
        line = (
            f"{str(document['event_time'])[5:16].replace('T', ' ')}  {document['rider_id']:<10} "
            f"{_WORDS[kind]}  {document['limit']}  {minutes // 60} h {minutes % 60:02d} min"
        )
        if document["platform"]:
            line += f"  {document['platform']}"
        message = document["message"]
        if isinstance(message, dict):
            line += f"\n             {message['zh']} {message['en']}"
        self._console.print(Text(line, style=_COLOURS[kind]))

    def line(self) -> Text:
        """The live line."""
        held = sum(1 for status in self.statuses.values() if status == "hold")
        rate = sum(self.alerts.values()) / max(1.0, time.monotonic() - self._began_s)
        return Text(
            f"now {self.clock}   riders {len(self.statuses)}   on hold {held}   "
            f"alerts {sum(self.alerts.values())} ({rate:.0f}/s)   refused messages {self.refused}",
            style="reverse",
        )

    def summary(self) -> str:
        """What the day came to."""
        held = sum(1 for status in self.statuses.values() if status == "hold")
        told = ", ".join(f"{_WORDS[kind]} {count}" for kind, count in self.alerts.most_common())
        return (
            f"{len(self.statuses)} riders, {held} of them on hold at the end; {told or 'no alerts'}; "
            f"{self.refused} refused messages in the dead letters ({self.skipped} alerts counted, not shown)"
        )


async def _watch(
    settings: Settings, board: _Board, city: subprocess.Popen[bytes], worker: subprocess.Popen[bytes]
) -> None:
    """Show what comes out until the city has gone home and nothing more comes."""
    console = board._console  # noqa: SLF001 - the board's own
    topics = [
        settings.alerts_topic,
        settings.status_topic,
        settings.dead_letter_topic,
        settings.watermark_topic,
    ]
    quiet_s = time.monotonic()
    with Live(board.line(), console=console, refresh_per_second=4) as live:
        async with tail(settings, topics) as read:
            while True:
                records = await read(500)
                for topic, value in records:
                    _take(settings, board, topic, value)
                    if topic == settings.alerts_topic:
                        quiet_s = time.monotonic()
                live.update(board.line())
                if worker.poll() is not None:
                    message = (
                        f"the worker has ended with status {worker.returncode}; see .respite/demo-worker.log"
                    )
                    raise DemoFailed(message)
                if city.poll() is None:
                    quiet_s = time.monotonic()
                elif time.monotonic() - quiet_s > _DRAIN_S:
                    return


def _take(settings: Settings, board: _Board, topic: str, value: bytes | None) -> None:
    if value is None or topic == settings.dead_letter_topic:
        board.refused += topic == settings.dead_letter_topic
        return
    document = msgspec.json.decode(value)
    if topic == settings.alerts_topic:
        board.alert(document)
    elif topic == settings.status_topic:
        board.statuses[document["rider_id"]] = document["status"]
    else:
        board.clock = max(board.clock, str(document["now"] or "-"))


def _parts(address: str, riders: int, seconds: int, seed: int) -> tuple[dict[str, str], Settings, list[str]]:
    """The environment of all parts, its settings, and the city's command; a run of its own in that Kafka."""
    name = f"demo-{uuid.uuid4().hex[:6]}"
    settings = load_settings(broker=address, prefix=f"{name}.", group=name, clock="event")
    environment = {
        **os.environ,
        "RESPITE_BROKER": address,
        "RESPITE_PREFIX": settings.prefix,
        "RESPITE_GROUP": name,
        "RESPITE_CLOCK": "event",
        "RESPITE_METRICS_PORT": "0",
    }
    speed = _DAYS * 86_400 / seconds
    city = [
        "simulate",
        "--riders",
        str(riders),
        "--days",
        str(_DAYS),
        "--speed",
        str(speed),
        "--seed",
        str(seed),
    ]
    for fault, share in _FAULTS.items():
        city += [f"--{fault}", str(share)]
    return environment, settings, city


def _show(console: Console, address: str, riders: int, seconds: int, seed: int) -> None:
    environment, settings, simulate = _parts(address, riders, seconds, seed)
    console.print(f"Kafka at {address}, topics {settings.prefix}*")
    console.print(f"{riders} riders, a day in {seconds} s; Ctrl-C ends it")
    made = subprocess.run(
        [sys.executable, "-m", "stream", "topics", "--partitions", "4"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        message = f"topics could not be made: {made.stderr.strip()}"
        raise DemoFailed(message)
    logs = Path(".respite")
    logs.mkdir(exist_ok=True)
    board = _Board(console)
    with (
        _process(environment, logs / "demo-worker.log", "worker") as worker,
        _process(environment, logs / "demo-city.log", *simulate) as city,
        contextlib.suppress(KeyboardInterrupt),
    ):
        asyncio.run(_watch(settings, board, city, worker))
    console.print(board.summary())


def run(riders: int, seconds: int, seed: int) -> int:
    """The command ``respite demo``; the exit status."""
    console = Console()
    try:
        with _broker() as address:
            _show(console, address, riders, seconds, seed)
    except KeyboardInterrupt:
        console.print("stopped")
    except DemoFailed as error:
        sys.stderr.write(f"respite: {error}\n")
        return 1
    return 0
