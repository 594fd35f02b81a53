"""Catching up: events per second and CPU per event of one worker, beside the stock Faust agent.

A topic of a real Kafka is filled with the simulated city's events from 11:00 of a fixed day on (JSON, the
producers' default compression; the events' clock is the worker's). Then are measured one after another: the
stock Faust agent doing nothing, the stock agent with the json codec and one table update per event, and one
Respite worker with both first policies, which decodes, validates, places, judges and tells. CPU is the
worker process's own. All share this machine with Kafka.

    make bench                                       # or
    python benchmarks/bench_throughput.py --riders 100000 --days 0.12
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness
from benchmarks.harness import Measured, city, fill, of_metric, own_environment, running
from benchmarks.live.parts import Helper
from deploy.kafka.broker import Broker
from deploy.kafka.processes import free_ports
from stream.output.alert_json import utc

STOCK_SECONDS = 12
PATIENCE_S = 300
FROM = "11:00"
HEAD = ("one worker", "events/s", "CPU per event, µs", "times the stock agent")


def row(name: str, measured: Measured, baseline: float) -> list[str]:
    """A line of the table."""
    return [name, f"{measured.rate:,.0f}", f"{measured.cpu_us:.2f}", f"{measured.rate / baseline:.1f}"]


def stock(role: str, environment: dict[str, str]) -> Measured:
    """What the stock agent does in some seconds, or until it has read all, counted from its first event."""
    command = [sys.executable, __file__, "--role", role]
    with running(f"stock-{role}", command, environment) as process:
        found = Helper(process, f"stock agent ({role})").answer("counting", STOCK_SECONDS + PATIENCE_S)
    return Measured(found["events"], found["seconds"], found["cpu_seconds"])


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
    count, most = 0, int(settings["BENCH_EVENTS"])

    @app.agent(topic)  # type: ignore[untyped-decorator]
    async def agent(stream: faust.StreamT[object]) -> None:
        nonlocal count
        async for event in stream:
            if table is not None:
                table[event["rider_id"]] += 1
            if not began:
                began[:] = [time.monotonic(), time.process_time()]
            count += 1
            if count == most or (count % 1000 == 0 and time.monotonic() - began[0] > STOCK_SECONDS):
                seconds, used = time.monotonic() - began[0], time.process_time() - began[1]
                found = {"events": count, "seconds": seconds, "cpu_seconds": used}
                # Faust's worker takes sys.stdout for its log.
                os.write(1, json.dumps(found).encode() + b"\n")
                os._exit(0)

    faust.Worker(app, loglevel="ERROR").execute_from_commandline()


def respite(environment: dict[str, str], events: int, partitions: int) -> dict[str, Any]:
    """One worker from its first chunk until all is judged, and until all of it has been told."""
    port = free_ports(["metrics"], {})["metrics"]
    environment = {**environment, "RESPITE_METRICS_PORT": str(port)}
    with running("worker", [sys.executable, "-m", "stream", "worker"], environment) as process:
        began, judged = (0.0, 0.0), None

        def told() -> dict[str, float] | None:
            nonlocal began, judged
            metrics = harness.scraped(port, process)
            now = time.monotonic(), harness.cpu_seconds(process.pid)
            read = int(metrics.get('respite_events_total{outcome="read"}', 0))
            if read == 0:
                began = now
            elif read >= events and judged is None:
                judged = Measured(read, now[0] - began[0], now[1] - began[1])
            live = sum(value for name, value in metrics.items() if name.startswith("respite_live"))
            return metrics if judged is not None and live == partitions else None

        metrics = harness.wait_until(f"judging and telling {events:,} events", told, PATIENCE_S)
        whole = Measured(events, time.monotonic() - began[0], harness.cpu_seconds(process.pid) - began[1])
    assert judged is not None
    stages = of_metric(metrics, "respite_stage_seconds_sum", "stage")
    sums = {
        name: sum(value for one, value in metrics.items() if one.startswith(f"respite_{name}"))
        for name in ("alerts_total", "dead_letters_total", "store_bytes")
    }
    us = {name: seconds / events * 1e6 for name, seconds in sorted(stages.items())}
    return {"judged": judged, "told": whole, "stage_us_per_event": us, **sums}


def main() -> None:
    """Fill, measure, print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riders", type=int, default=100_000)
    parser.add_argument("--days", type=float, default=0.12)
    parser.add_argument("--partitions", type=int, default=2)
    parser.add_argument("--malformed", type=float, default=0.0, help="share; leaves the stock agents out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--role", choices=("nothing", "table"))
    chosen = parser.parse_args()
    if chosen.role:
        run_stock(chosen.role)
        return
    harness.stop_in_order()
    harness.say_about(chosen.seed)
    with Broker.running() as broker:
        own = own_environment(
            broker.bootstrap, RESPITE_CLOCK="event", BENCH_PARTITIONS=str(chosen.partitions)
        )
        start = utc(harness.city_second(FROM))
        more = ["--start", start, "--malformed", str(chosen.malformed), "--seed", str(chosen.seed)]
        events = fill(own, chosen.partitions, city(chosen.riders, chosen.days, *more))
        environment = {**own, "BENCH_EVENTS": str(events)}
        print(f"{events:,} events of {chosen.riders:,} riders, {chosen.partitions} partitions")
        rows: dict[str, Measured] = {}
        if not chosen.malformed:
            rows["stock Faust agent, doing nothing"] = stock("nothing", environment)
            rows["stock Faust agent, json, one table update"] = stock("table", environment)
        found = respite(environment, events, chosen.partitions)
    rows["Respite, all judged"], rows["Respite, all judged and told"] = found["judged"], found["told"]
    baseline = next(iter(rows.values())).rate
    harness.table(HEAD, [row(name, one, baseline) for name, one in rows.items()])
    print(
        "  " + ", ".join(f"{name} {us:.2f} µs per event" for name, us in found["stage_us_per_event"].items())
    )
    print(
        f"  alerts {found['alerts_total']:,.0f}, dead letters {found['dead_letters_total']:,.0f}, "
        f"store {found['store_bytes'] / 1e6:,.0f} MB"
    )
    document = {
        **found,
        "riders": chosen.riders,
        "events": events,
        "judged": found["judged"].document(),
        "told": found["told"].document(),
        "rows": {name: one.document() for name, one in rows.items()},
    }
    harness.keep("throughput", document, chosen.seed)
    harness.bars("throughput", {name: one.rate for name, one in rows.items()}, "events per second")


if __name__ == "__main__":
    main()
