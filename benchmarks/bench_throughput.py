"""Events per second and CPU per event of one worker, beside the stock Faust agent in the same run.

Fills a topic of a real Kafka with the simulated city's events (JSON, producers' default compression), then
measures one after another: the stock Faust agent doing nothing, the stock agent with the json codec and one
table update per event, and one Respite worker with both first policies, which decodes, validates, places,
judges and tells. CPU is the worker process's own. All share this machine with Kafka.

    make bench                                       # or
    python benchmarks/bench_throughput.py --riders 100000 --days 0.12
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import re
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from deploy.kafka.broker import Broker
from deploy.kafka.processes import free_ports

STOCK_SECONDS = 12
PATIENCE_S = 300
TICKS = os.sysconf("SC_CLK_TCK")


class Measured(NamedTuple):
    """Events, seconds of the clock and of the process's CPU."""

    events: int
    seconds: float
    cpu_seconds: float

    def row(self, name: str, baseline: float) -> str:
        """A line of the table."""
        rate = self.events / self.seconds
        cpu_us = self.cpu_seconds / self.events * 1e6
        return f"| {name} | {rate:,.0f} | {cpu_us:.2f} | {rate / baseline:.1f} |"


def cpu_seconds(pid: int) -> float:
    """CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextlib.contextmanager
def running(arguments: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process whose standard output is read; stopped at the end."""
    process = subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def stock(role: str, environment: dict[str, str]) -> Measured:
    """What the stock agent does in some seconds, counted from its first event."""
    with running([sys.executable, __file__, "--role", role], environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("measured "):
                events, seconds, cpu = line.split()[1:]
                return Measured(int(events), float(seconds), float(cpu))
    raise SystemExit(f"the stock agent ({role}) ended without a figure")


def run_stock(role: str) -> None:
    """Be a stock Faust worker that counts; prints its figure after some seconds."""
    import faust

    settings = os.environ
    app = faust.App(
        f"stock-{uuid.uuid4().hex[:6]}",
        broker=f"kafka://{settings['RESPITE_BROKER']}",
        web_enabled=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        topic_partitions=int(settings["BENCH_PARTITIONS"]),
    )
    topic = app.topic(
        settings["RESPITE_PREFIX"] + "courier.work-state",
        value_type=bytes if role == "nothing" else None,
        value_serializer="raw" if role == "nothing" else "json",
        key_serializer="raw",
    )
    table = app.Table("counts", default=int) if role == "table" else None
    began: list[float] = []
    count = 0

    @app.agent(topic)  # type: ignore[untyped-decorator]
    async def agent(stream: faust.StreamT[object]) -> None:
        nonlocal count
        async for event in stream:
            if table is not None:
                table[event["rider_id"]] += 1
            if not began:
                began[:] = [time.monotonic(), time.process_time()]
            count += 1
            if count % 1000 == 0 and time.monotonic() - began[0] > STOCK_SECONDS:
                used = time.process_time() - began[1]
                # Faust's worker takes sys.stdout for its log.
                os.write(1, f"measured {count} {time.monotonic() - began[0]} {used}\n".encode())
                os._exit(0)

    faust.Worker(app, loglevel="ERROR").execute_from_commandline()


def scrape(port: int) -> dict[str, float]:
    """The sums of a worker's metrics by name and label."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^(respite_\S+) (\S+)$", text, re.MULTILINE)}


def respite(
    environment: dict[str, str], events: int, partitions: int
) -> tuple[Measured, Measured, dict[str, float]]:
    """One worker from its first chunk until all is judged, and until all of it has been told."""
    port = free_ports(["metrics"], {})["metrics"]
    environment = {**environment, "RESPITE_METRICS_PORT": str(port)}
    judged = None
    began = (0.0, 0.0)
    deadline = time.monotonic() + PATIENCE_S
    with running([sys.executable, "-m", "stream", "worker"], environment) as process:
        while time.monotonic() < deadline:
            time.sleep(0.02)
            if process.poll() is not None:
                break
            try:
                metrics = scrape(port)
            except OSError:
                continue
            now = (time.monotonic(), cpu_seconds(process.pid))
            read = int(metrics.get('respite_events_total{outcome="read"}', 0))
            if read == 0:
                began = now
            elif read >= events and judged is None:
                judged = Measured(read, now[0] - began[0], now[1] - began[1])
            live = sum(value for name, value in metrics.items() if name.startswith("respite_live"))
            if judged is not None and live == partitions:
                return judged, Measured(read, now[0] - began[0], now[1] - began[1]), metrics
    raise SystemExit(f"the worker ended or was not done within {PATIENCE_S} s")


def city(riders: int, days: float, *more: str) -> list[str]:
    """The command that sends the simulated city's events."""
    command = [sys.executable, "-m", "stream", "simulate", "--placement", "standard"]
    return [*command, "--riders", str(riders), "--days", str(days), *more]


def fill(environment: dict[str, str], partitions: int, command: list[str]) -> int:
    """Make the topics and fill the source by a `city`; the number of events."""
    topics = [sys.executable, "-m", "stream", "topics", "--partitions", str(partitions)]
    subprocess.run(topics, env=environment, check=True)
    done = subprocess.run(command, env=environment, check=True, stderr=subprocess.PIPE, text=True)
    found = re.search(r"sent (\d+) events", done.stderr)
    assert found, done.stderr
    return int(found[1])


def machine() -> str:
    """What was measured on."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    name = model[1] if model else platform.processor()
    return f"{os.cpu_count()} cores of {name}, Python {platform.python_version()}"


def main() -> None:
    """Fill, measure, print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riders", type=int, default=100_000)
    parser.add_argument("--days", type=float, default=0.12)
    parser.add_argument("--partitions", type=int, default=2)
    parser.add_argument("--malformed", type=float, default=0.0, help="share; leaves the stock agents out")
    parser.add_argument("--role", choices=("nothing", "table"))
    chosen = parser.parse_args()
    if chosen.role:
        run_stock(chosen.role)
        return
    with Broker.running() as broker:
        name = f"bench-{uuid.uuid4().hex[:6]}"
        environment = {
            **os.environ,
            "RESPITE_BROKER": broker.bootstrap,
            "RESPITE_PREFIX": f"{name}.",
            "RESPITE_GROUP": name,
            "BENCH_PARTITIONS": str(chosen.partitions),
            "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
        }
        sent = city(chosen.riders, chosen.days, "--malformed", str(chosen.malformed))
        events = fill(environment, chosen.partitions, sent)
        print(f"{machine()}; {events:,} events of {chosen.riders:,} riders, {chosen.partitions} partitions")
        print("\n| one worker | events/s | CPU per event, µs | times the stock agent |")
        print("|---|---|---|---|")
        baseline = float("nan")
        if not chosen.malformed:
            nothing = stock("nothing", environment)
            baseline = nothing.events / nothing.seconds
            print(nothing.row("stock Faust agent, doing nothing", baseline))
            table = stock("table", environment)
            print(table.row("stock Faust agent, json, one table update", baseline), flush=True)
        judged, told, metrics = respite(environment, events, chosen.partitions)
        print(judged.row("Respite, all judged", baseline))
        print(told.row("Respite, all judged and told", baseline))
        stages = {n: v for n, v in metrics.items() if n.startswith("respite_stage_seconds_total")}
        for stage, seconds in sorted(stages.items()):
            label = stage.split('"')[1]
            print(f"  {label}: {seconds / events * 1e6:.2f} µs per event")
        alerts = sum(v for n, v in metrics.items() if n.startswith("respite_alerts_total"))
        letters = sum(v for n, v in metrics.items() if n.startswith("respite_dead_letters_total"))
        print(f"  dead letters: {letters:,.0f}")
        stored = sum(v for n, v in metrics.items() if n.startswith("respite_store_bytes"))
        print(f"  alerts told: {alerts:,.0f}; store: {stored / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
