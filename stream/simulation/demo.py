"""``respite demo``: a simulated city's day in a minute, with everything running for real.

Starts a Kafka of its own (or uses the one that ``RESPITE_BROKER`` names), makes topics, runs a worker on the
events' own clock, the API with its console, Prometheus and Alertmanager where they are installed, and
couriers at accelerated event time; shows alerts as they come and stops it all.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
import webbrowser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.live import Live

from stream.kafka.admin import KafkaUnavailable, administration
from stream.kafka.log_reader import tail
from stream.settings import Settings, load_settings
from stream.simulation.demo_monitoring import free_port, servers
from stream.simulation.demo_processes import (
    LOGS,
    DemoFailed,
    Part,
    address_of,
    await_ready,
    broker,
    start as start_part,
)
from stream.simulation.demo_terminal import DemoTerminal, take
from stream.simulation.events import PLATFORMS
from stream.state.shm_writer import shared_folder

#: Where the console is, unless the port is taken.
CONSOLE_PORT = 8080
_DRAIN_S = 6.0
_DAYS = 0.9
_FAULTS = {"late": 0.01, "duplicate": 0.01, "shuffled": 0.02, "malformed": 0.001, "lost": 0.005}
#: Two platforms ask before they assign and do as they are told; the third goes on as if nobody had spoken.
HONOURS = {"meituan": 0.98, "eleme": 0.98, "jd": 0.2}
_KEPT = "Orders kept from riders on hold: {}; one that is not breaches its hold".format(
    ", ".join(f"{name} {share:.0%}" for name, share in HONOURS.items())
)
_RESPITE = (sys.executable, "-m", "stream")


@dataclass(frozen=True, slots=True)
class Day:
    """What is shown.

    Parameters
    ----------
    stay
        Keep all running after the day, until interrupted.
    browser
        Open the console in this machine's browser as the day begins.
    """

    riders: int
    seconds: int
    seed: int
    stay: bool
    browser: bool


async def _watch(
    settings: Settings, board: DemoTerminal, city: Part, others: Sequence[Part], *, stay: bool
) -> None:
    """Show what comes out until the city has gone home and nothing more comes."""
    topics = [
        settings.alerts_topic,
        settings.status_topic,
        settings.dead_letter_topic,
        settings.watermark_topic,
    ]
    quiet_s = time.monotonic()
    # The line goes when the day is over: the summary stands in its place.
    with Live(board.line(), console=board.console, refresh_per_second=4, transient=True) as live:
        async with tail(settings, topics) as read:
            while True:
                records = await read(500)
                for topic, value in records:
                    take(settings, board, topic, value)
                    if topic == settings.alerts_topic:
                        quiet_s = time.monotonic()
                live.update(board.line())
                for part in others:
                    part.check()
                if city.process.poll() is None:
                    quiet_s = time.monotonic()
                elif not board.over and time.monotonic() - quiet_s > _DRAIN_S:
                    board.over = True
                    if not stay:
                        return
                    board.console.print(board.summary())


def _settings(address: str) -> Settings:
    """A run of its own in that Kafka."""
    name = f"demo-{uuid.uuid4().hex[:6]}"
    return load_settings(broker=address, prefix=f"{name}.", group=name, clock="event", outlets=PLATFORMS)


def _environment(settings: Settings, worker_port: int, api_port: int, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "RESPITE_BROKER": settings.broker,
        "RESPITE_PREFIX": settings.prefix,
        "RESPITE_GROUP": settings.group,
        "RESPITE_CLOCK": "event",
        "RESPITE_OUTLETS": ",".join(PLATFORMS),
        "RESPITE_METRICS_PORT": str(worker_port),
        "RESPITE_API_HOST": "127.0.0.1",
        "RESPITE_API_PORT": str(api_port),
        "RESPITE_HISTORY": str(folder / "history.json"),
        "RESPITE_REVIEWS": str(folder / "reviews.sqlite3"),
    }


def _city(day: Day) -> list[str]:
    """The command that plays the city."""
    command = [*_RESPITE, "simulate", "--riders", str(day.riders), "--days", str(_DAYS)]
    command += ["--speed", str(_DAYS * 86_400 / day.seconds), "--seed", str(day.seed)]
    command += ["--honour", ",".join(f"{name}={share}" for name, share in HONOURS.items())]
    for fault, share in _FAULTS.items():
        command += [f"--{fault}", str(share)]
    return command


def _make_topics(environment: dict[str, str]) -> None:
    made = subprocess.run(
        [*_RESPITE, "topics", "--partitions", "4"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        message = f"topics could not be made: {made.stderr.strip()}"
        raise DemoFailed(message)


def _delete_topics(settings: Settings) -> None:
    """Take away the topics of this run: each leaves tens of megabytes."""
    try:
        with administration(settings) as admin:
            ours = [name for name in admin.list_topics() if name.startswith(settings.prefix)]
            if ours:
                admin.delete_topics(ours)
    except KafkaUnavailable as error:
        sys.stderr.write(f"respite: the topics {settings.prefix}* are left over: {error}\n")


@contextlib.contextmanager
def _folder(settings: Settings) -> Iterator[Path]:
    """Room for the servers' data; it and the riders' shared state are gone in the end."""
    try:
        with tempfile.TemporaryDirectory(prefix="respite-demo-") as folder:
            yield Path(folder)
    finally:
        shared = shared_folder(settings.shared_dir, settings.group, settings.prefix)
        if shared is not None:
            shutil.rmtree(shared, ignore_errors=True)


def _show(console: Console, address: str, day: Day) -> None:
    settings = _settings(address)
    worker_port, api_port = free_port(), free_port(CONSOLE_PORT)
    LOGS.mkdir(exist_ok=True)
    board = DemoTerminal(console)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(_folder(settings))
        environment = _environment(settings, worker_port, api_port, folder)
        # The last of all: when nobody writes to them any more.
        stack.callback(_delete_topics, settings)

        def start(name: str, command: Sequence[str]) -> Part:
            part = start_part(name, command, environment)
            stack.callback(part.stop)
            return part

        # It loads its kernels while the topics are made.
        api = start("API", [*_RESPITE, "api", "--no-auth"])
        _make_topics(environment)
        worker = start("worker", [*_RESPITE, "worker"])
        beside = list(servers(folder, worker_port, api_port))
        for server in beside:
            start(server.name, server.command)
        console_at = address_of(api)
        board.console_at = f"{console_at}/"
        pictures_at = f"{board.console_at}#/pictures"
        console.print(f"Console        {board.console_at}", style="bold")
        console.print(f"Pictures       {pictures_at}", style="bold")
        for server in beside:
            console.print(f"{server.name:<14} {server.address}/")
        console.print(f"Metrics        http://127.0.0.1:{worker_port}/metrics")
        console.print(f"Kafka          {address}, topics {settings.prefix}*")
        console.print("Loading kernels; the very first time they are compiled, which takes minutes.")
        await_ready(console_at, [worker, api])
        city = start("city", _city(day))
        console.print(f"{day.riders} riders, a day in {day.seconds} s; Ctrl-C ends it")
        console.print(_KEPT)
        if not (day.browser and webbrowser.open(pictures_at)):
            console.print(f"No browser opened here: open {pictures_at} in one of yours.")
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_watch(settings, board, city, [worker, api], stay=day.stay))
    if not (board.over and day.stay):
        console.print(board.summary())


def run(day: Day) -> int:
    """The command ``respite demo``; the exit status."""
    console = Console()
    # Who ends it by a signal wants the parts ended too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with broker() as address:
            _show(console, address, day)
    except KeyboardInterrupt:
        console.print("stopped")
    except DemoFailed as error:
        sys.stderr.write(f"respite: {error}\n")
        return 1
    return 0
