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
import os
import sys
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import (
    Measured,
    city,
    cpu_seconds,
    fill,
    machine,
    of_metric,
    own_environment,
    running,
    scrape,
)
from deploy.kafka.broker import Broker
from deploy.kafka.processes import free_ports

STOCK_SECONDS = 12
PATIENCE_S = 300


def row(measured: Measured, name: str, baseline: float) -> str:
    """A line of the table."""
    return f"| {name} | {measured.rate:,.0f} | {measured.cpu_us:.2f} | {measured.rate / baseline:.1f} |"


def stock(role: str, environment: dict[str, str]) -> Measured:
    """What the stock agent does in some seconds, counted from its first event."""
    with running(f"stock-{role}", [sys.executable, __file__, "--role", role], environment) as process:
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


def respite(
    environment: dict[str, str], events: int, partitions: int
) -> tuple[Measured, Measured, dict[str, float]]:
    """One worker from its first chunk until all is judged, and until all of it has been told."""
    port = free_ports(["metrics"], {})["metrics"]
    environment = {**environment, "RESPITE_METRICS_PORT": str(port)}
    judged = None
    began = (0.0, 0.0)
    deadline = time.monotonic() + PATIENCE_S
    with running("worker", [sys.executable, "-m", "stream", "worker"], environment) as process:
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
        environment = own_environment(broker.bootstrap, BENCH_PARTITIONS=str(chosen.partitions))
        sent = city(chosen.riders, chosen.days, "--malformed", str(chosen.malformed))
        events = fill(environment, chosen.partitions, sent)
        print(f"{machine()}; {events:,} events of {chosen.riders:,} riders, {chosen.partitions} partitions")
        print("\n| one worker | events/s | CPU per event, µs | times the stock agent |")
        print("|---|---|---|---|")
        baseline = float("nan")
        if not chosen.malformed:
            nothing = stock("nothing", environment)
            baseline = nothing.rate
            print(row(nothing, "stock Faust agent, doing nothing", baseline))
            table = stock("table", environment)
            print(row(table, "stock Faust agent, json, one table update", baseline), flush=True)
        judged, told, metrics = respite(environment, events, chosen.partitions)
        print(row(judged, "Respite, all judged", baseline))
        print(row(told, "Respite, all judged and told", baseline))
        for stage, seconds in sorted(of_metric(metrics, "respite_stage_seconds_sum", "stage").items()):
            print(f"  {stage}: {seconds / events * 1e6:.2f} µs per event")
        alerts = sum(v for n, v in metrics.items() if n.startswith("respite_alerts_total"))
        letters = sum(v for n, v in metrics.items() if n.startswith("respite_dead_letters_total"))
        print(f"  dead letters: {letters:,.0f}")
        stored = sum(v for n, v in metrics.items() if n.startswith("respite_store_bytes"))
        print(f"  alerts told: {alerts:,.0f}; store: {stored / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
