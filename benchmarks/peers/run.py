"""The same reduced job by other engines, in one run, beside Respite doing all of its own.

A topic of a real Kafka is filled with the city's events from 11:00 of a fixed day on, and every engine reads
it from the beginning, one after another, on this machine with that Kafka: each with its best known settings,
each writing its alerts to Kafka. What it told is compared with an oracle that is worked out from the whole
history (`reduced.py`). Engines are fetched into build/peers (Maven, PyPI); one that cannot be had is said to
be missing, with the reason. A slow engine is stopped after some seconds, and its alerts are then compared
with those of the riders' events that it has read.

    make bench-peers
    python benchmarks/peers/run.py --riders 20000 --only faust,flink
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks import bench_throughput, harness
from benchmarks.harness import Measured, city, fill, own_environment, running
from benchmarks.live.parts import Helper
from benchmarks.peers.reduced import Alert, alerts_of
from benchmarks.peers.wire import alert_of, event_of
from deploy.kafka.broker import Broker
from stream.output.alert_json import utc

HERE = Path(__file__).resolve().parent
BUILD = harness.ROOT / "build" / "peers"
FROM, SECONDS, PATIENCE_S, FETCH_S = "11:00", 20.0, 240.0, 900
QUIX = "quixstreams==3.28.1"
HEAD = ("engine", "events/s", "CPU per event, µs", "of its events", "alerts as the oracle's", "gives up")
_REDUCED = "union over platforms, lateness, silence, warnings, holds, evidence, retraction"
_OPENS = ("java.base/java.util", "java.base/java.lang", "java.base/java.time")


class Missing(RuntimeError):
    """An engine cannot be had here; the message says why."""


class Peer(NamedTuple):
    """An engine: how it is fetched, which gives the command, and what it gives up."""

    title: str
    fetch: Callable[[Mapping[str, str]], list[str]]
    gives_up: str


def _done(command: list[str], where: Path) -> None:
    try:
        subprocess.run(command, cwd=where, check=True, capture_output=True, text=True, timeout=FETCH_S)
    except subprocess.CalledProcessError as error:
        raise Missing((error.stderr or error.stdout).strip().splitlines()[-1]) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(str(error)) from error


def faust(_: Mapping[str, str]) -> list[str]:
    """The stock agent, from the environment that Respite itself has."""
    return [sys.executable, str(HERE / "faust_peer.py")]


def quix(_: Mapping[str, str]) -> list[str]:
    """Quix Streams in an environment of its own."""
    python = BUILD / "quix" / "bin" / "python"
    if not python.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        _done([sys.executable, "-m", "venv", "quix"], BUILD)
    _done([str(python), "-m", "pip", "install", "--quiet", QUIX], BUILD)
    return [str(python), str(HERE / "quix_peer.py")]


def flink(environment: Mapping[str, str]) -> list[str]:
    """The Flink job, built by Maven."""
    out = BUILD / "flink"
    goals = ["package", "dependency:copy-dependencies", f"-DoutputDirectory={out / 'jars'}"]
    _done(["mvn", "-B", "-q", f"-Dout={out}", *goals], HERE / "flink")
    told = {
        "broker": environment["PEER_BROKER"], "source": environment["PEER_SOURCE"],
        "sink": environment["PEER_SINK"], "events": environment["PEER_EVENTS"],
        "checkpoints": f"file:{out / 'checkpoints'}",
    }  # fmt: skip
    opens = [word for one in _OPENS for word in ("--add-opens", f"{one}=ALL-UNNAMED")]
    given = [f"-D{name}={value}" for name, value in told.items()]
    return ["java", *opens, *given, "-cp", f"{out / 'flink-peer-1.jar'}:{out / 'jars'}/*", "ReducedJob"]


PEERS = {
    "faust": Peer("stock Faust 0.15.3, agent and table", faust, f"{_REDUCED}; exactly-once"),
    "quix": Peer("Quix Streams 3.28, RocksDB and changelog", quix, f"{_REDUCED}; exactly-once (can have it)"),
    "flink": Peer(
        "Flink 2.1.1, hand-written, heap state, checkpoints", flink, f"{_REDUCED}; exactly-once (can have it)"
    ),
}
NOT_HERE = (
    "Not here yet: Kafka Streams, Bytewax, Pathway. Probes of them on another day are no figures of this run."
)


async def _read(broker: str, topic: str, partitions: int) -> list[bytes]:
    """All of a topic, a partition after the other."""
    consumer = AIOKafkaConsumer(bootstrap_servers=broker, enable_auto_commit=False)
    await consumer.start()
    found: list[bytes] = []
    try:
        for place in (TopicPartition(topic, number) for number in range(partitions)):
            consumer.assign([place])
            end = (await consumer.end_offsets([place]))[place]
            consumer.seek(place, 0)
            while await consumer.position(place) < end:
                for records in (await consumer.getmany(place, timeout_ms=1000)).values():
                    found += [one.value for one in records]
    finally:
        await consumer.stop()
    return found


def read(broker: str, topic: str, partitions: int) -> list[bytes]:
    """The messages of a topic; those of a partition in its order."""
    return asyncio.run(asyncio.wait_for(_read(broker, topic, partitions), PATIENCE_S))


def agreement(told: list[Alert], wanted: set[Alert], *, whole: bool) -> str:
    """How what was told compares with the oracle; of a part only what it has told can be judged."""
    wrong, twice = len(set(told) - wanted), len(told) - len(set(told))
    missing = len(wanted - set(told)) if whole else 0
    text = f"{len(set(told) & wanted):,} right, {wrong} wrong, {twice} twice"
    return text + (f", {missing} missing" if whole else ", of a part")


def measure(peer: Peer, name: str, environment: dict[str, str], wanted: set[Alert]) -> list[object]:
    """Run one engine; its line of the table."""
    environment = {**environment, "PEER_SINK": f"{environment['RESPITE_PREFIX']}peer-{name}"}
    make_topic(environment)
    try:
        command = peer.fetch(environment)
    except Missing as error:
        return [peer.title, f"missing: {error}", "", "", "", peer.gives_up]
    with running(f"peer-{name}", command, environment) as process:
        found = Helper(process, peer.title).answer("reading the topic", SECONDS + PATIENCE_S)
    one = Measured(found["events"], found["seconds"], found["cpu_seconds"])
    events = int(environment["PEER_EVENTS"])
    told = [alert_of(value) for value in read(environment["PEER_BROKER"], environment["PEER_SINK"], 1)]
    share = f"{one.events / events:.0%}"
    agrees = agreement(told, wanted, whole=one.events >= events)
    return [peer.title, f"{one.rate:,.0f}", f"{one.cpu_us:.2f}", share, agrees, peer.gives_up]


def make_topic(environment: Mapping[str, str]) -> None:
    """The topic that an engine tells to."""
    from kafka.admin import KafkaAdminClient, NewTopic

    admin = KafkaAdminClient(bootstrap_servers=environment["PEER_BROKER"])
    admin.create_topics([NewTopic(environment["PEER_SINK"], 1, 1)])
    admin.close()


def main() -> None:
    """Fill, work out what is right, run everybody, print, keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riders", type=int, default=50_000)
    parser.add_argument("--days", type=float, default=0.4)
    parser.add_argument("--partitions", type=int, default=2)
    parser.add_argument("--only", default=",".join(PEERS))
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    harness.stop_in_order()
    harness.say_about(chosen.seed)
    rows: list[list[object]] = []
    with Broker.running() as broker:
        own = own_environment(broker.bootstrap, RESPITE_CLOCK="event")
        start = utc(harness.city_second(FROM))
        sent = city(chosen.riders, chosen.days, "--start", start, "--seed", str(chosen.seed))
        events = fill(own, chosen.partitions, sent)
        source = own["RESPITE_PREFIX"] + "courier.work-state"
        values = read(broker.bootstrap, source, chosen.partitions)
        wanted = alerts_of(one for one in map(event_of, values) if one is not None)
        events = len(values)
        print(
            f"{events:,} events of {chosen.riders:,} riders; the oracle has {len(wanted):,} alerts",
            flush=True,
        )
        environment = {
            **os.environ, **own, "PEER_BROKER": broker.bootstrap, "PEER_SOURCE": source,
            "PEER_EVENTS": str(events), "PEER_SECONDS": str(SECONDS),
            "PEER_PARTITIONS": str(chosen.partitions),
        }  # fmt: skip
        for name in chosen.only.split(","):
            rows.append(measure(PEERS[name], name, environment, wanted))
            harness.table(HEAD, rows[-1:])
        found = bench_throughput.respite(own, events - chosen.partitions, chosen.partitions)
    one = found["told"]
    agrees = f"{found['alerts_total']:,.0f} of its own, by the oracles of its tests"
    rows.append(
        ["Respite, the whole job", f"{one.rate:,.0f}", f"{one.cpu_us:.2f}", "100%", agrees, "nothing"]
    )
    harness.table(HEAD, rows)
    print(NOT_HERE)
    document = {"riders": chosen.riders, "events": events, "oracle_alerts": len(wanted), "rows": rows}
    harness.keep("peers", document, chosen.seed)


if __name__ == "__main__":
    main()
