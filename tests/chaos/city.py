"""A city on the wall clock with limits of seconds: a feed, worker processes and a broker to break."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from deploy.kafka.broker import Broker
from schemas.instants import parse_instant
from schemas.work_state import Refused, read_event
from stream.kafka.condition_producer import announce
from stream.kafka.topics import provisioning
from stream.output.alert_json import utc
from stream.settings import Settings
from stream.worker.construction import new_run
from stream.worker.context import WorkerContext
from stream.worker.warm_up import warm_up
from tests.chaos.feed import PARTITIONS, Feed
from tests.chaos.proxy import Proxy, free_port
from tests.chaos.verify import Found, compare, stored
from tests.short_policies import policy_text
from tests.stream.topic_contents import records_of

ROOT = Path(__file__).resolve().parent.parent.parent
#: After the last event nothing changes by itself any more: sessions have ended, windows have passed.
QUIET_S = 75
FRESH_S = 4.0
MOST_RESIDENT_BYTES = 900 << 20
_MAXIMA = {"max_open_order": "12s", "max_open_session": "25s", "max_open_break": "8s"}
POLICY = policy_text(
    "chaos",
    """
name = "c"
kind = "continuous"
clock = "order"
limit = "20s"
reset = "5s"
warn_before = ["4s"]
effect = "hold"
""",
    """
name = "r"
kind = "rolling"
clock = "order"
limit = "25s"
window = "40s"
effect = "hold"
""",
    """
name = "s"
kind = "span"
clock = "online"
limit = "20s"
reset = "6s"
remind_every = "1min"
effect = "remind"
""",
    """
name = "b"
kind = "ban"
clock = "online"
condition = "heat"
effect = "hold"
""",
    """
name = "w"
kind = "continuous"
clock = "online"
limit = "15s"
reset = "5s"
when = "heat"
effect = "hold"
release = "elapsed"
hold_for = "10s"
""",
)


class City:
    """All processes of a run. Workers reach the broker through the proxy, the suite directly."""

    def __init__(self, folder: Path, seed: int, *, workers: int = 2, static: bool = False) -> None:
        self.rng = random.Random(seed)
        self.folder = folder
        self.proxy = Proxy()
        self.broker = Broker(
            folder / "kafka", listeners={"PROXIED": "PLAINTEXT"}, advertised={"PROXIED": self.proxy.port}
        )
        self.workers: list[subprocess.Popen[bytes]] = []
        self._static = static
        self._wanted = workers
        self._seed = seed
        self._started = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[City]:
        """Broker, proxy, topics, workers and feed; everything is gone at the end."""
        policy = self.folder / "chaos.toml"
        policy.write_text(POLICY, encoding="utf-8")
        with contextlib.ExitStack() as stack:
            # Compiled before workers are waited for.
            warm_up()
            stack.callback(self.broker.stop)
            self.broker.start()
            stack.enter_context(self.proxy.running(self.broker.address("PROXIED")))
            self.settings = Settings(
                broker=self.broker.bootstrap,
                group="chaos",
                policy=(str(policy),),
                checkpoint_every=3,
                **_MAXIMA,  # type: ignore[arg-type]
            )
            provisioning.ensure_topics(self.settings, PARTITIONS)
            self.run: WorkerContext = new_run(self.settings, PARTITIONS)
            stack.callback(self._kill_all)
            for number in range(self._wanted):
                self.start_worker(number)
            self._watermarks = Watermarks(self.settings)
            stack.callback(self._watermarks.close)
            self.wait_until_fresh(time.time(), within_s=120)
            self.feed = Feed(self.settings, self._seed)
            self.feed.start()
            # A thread that goes on and logs errors would disturb how pytest shows what has failed.
            stack.callback(self.feed.stop)
            yield self

    def start_worker(self, slot: int, **environment: str) -> subprocess.Popen[bytes]:
        """A worker process; with a lasting name where the run has them."""
        self._started += 1
        command = [
            sys.executable,
            "-m",
            "tests.chaos.blockable",
            "worker",
            "--broker",
            f"127.0.0.1:{self.proxy.port}",
        ]
        command += [
            "--group",
            "chaos",
            "--policy",
            str(self.folder / "chaos.toml"),
            "--checkpoint-every",
            "3s",
        ]
        for name, value in _MAXIMA.items():
            command += [f"--{name.replace('_', '-')}", value]
        command += ["--metrics-port", str(free_port())]
        if self._static:
            command += ["--instance", f"worker-{slot}"]
        with (self.folder / f"worker-{self._started}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            )
        if slot < len(self.workers):
            self.workers[slot] = process
        else:
            self.workers.append(process)
        return process

    def supervise(self) -> None:
        """Start again what has ended by itself, as a supervisor does."""
        for slot, process in enumerate(self.workers):
            if process.poll() is not None:
                self.start_worker(slot)

    def wait_until_fresh(self, since_s: float, within_s: float) -> float:
        """Seconds until every partition's *now* has come later than ``since_s`` and is current."""
        began = time.monotonic()
        while not self._watermarks.fresh(since_s):
            if time.monotonic() - began > within_s:
                raise TimeoutError(f"not current within {within_s} s; logs in {self.folder}")
            self.supervise()
            time.sleep(0.1)
        return time.monotonic() - began

    def resident_bytes(self) -> int:
        """The most that a worker holds."""
        pages = [
            int(Path(f"/proc/{one.pid}/statm").read_text(encoding="ascii").split()[1])
            for one in self.workers
            if one.poll() is None
        ]
        return max(pages, default=0) * os.sysconf("SC_PAGE_SIZE")

    def conclude(self) -> Found:
        """Stop feeding, let everything come to rest, drain the workers and compare."""
        self.feed.stop()
        last_s = time.time()
        self.wait_until_fresh(last_s + QUIET_S, within_s=QUIET_S + 120)
        resident = self.resident_bytes()
        for process in self.workers:
            process.send_signal(signal.SIGTERM)
        ended = [process.wait(15) for process in self.workers]
        found = compare(
            self.settings, self.run, [self._log()], as_of_s=int(last_s) + QUIET_S, announced=self._announced()
        )
        if any(ended):
            found.wrong.append(f"workers ended with {ended}")
        if resident > MOST_RESIDENT_BYTES:
            found.wrong.append(f"a worker holds {resident >> 20} MiB")
        found.wrong += self._commits_beyond_markers()
        return found

    def _log(self) -> Path:
        """What the source holds, as the oracle reads it: the set of valid events."""
        lines = set()
        for record in records_of(self.settings.broker, self.settings.source_topic):
            with contextlib.suppress(Refused):
                read_event(record.value)
                lines.add(record.value or b"")
        path = self.folder / "log.ndjson"
        path.write_bytes(b"\n".join(sorted(lines)) + b"\n")
        return path

    def announce(self) -> None:
        """A condition of some zones, from now or soon on; or a change of one before, or its end."""
        rng, now_s = self.rng, int(time.time())
        begin_s = now_s + rng.randrange(-20, 10)
        message = {
            "schema": "zone-condition/1", "condition_id": f"c{rng.randrange(3)}", "condition": "heat",
            "zones": rng.choice([["310101"], ["3101*"], ["310105", "x"]]), "from": utc(begin_s),
            "until": utc(begin_s + rng.randrange(21, 60)), "void": rng.random() < 0.2,
        }  # fmt: skip
        asyncio.run(announce(self.settings, [json.dumps(message).encode()]))

    def _announced(self) -> Path:
        """What the topic of conditions holds, announced when it arrived."""
        path = self.folder / "conditions.ndjson"
        with path.open("wb") as file:
            for record in records_of(self.settings.broker, self.settings.zone_condition_topic):
                message = json.loads(record.value or b"")
                message["announced_at"] = utc(record.timestamp_ms // 1000)
                file.write(json.dumps(message).encode() + b"\n")
        return path

    def _commits_beyond_markers(self) -> list[str]:
        admin = KafkaAdminClient(bootstrap_servers=self.settings.broker)
        try:
            found = admin.list_group_offsets({"chaos": None})["chaos"]
        finally:
            admin.close()
        beyond = []
        for place, entry in found.items():
            offset = int(entry.offset if hasattr(entry, "offset") else entry["offset"])
            marker = stored(self.settings, self.run, place.partition)[2]
            if offset > marker:
                beyond.append(f"partition {place.partition}: committed {offset}, marker {marker}")
        return beyond

    def _kill_all(self) -> None:
        for process in self.workers:
            process.kill()
            process.wait(10)


class Watermarks:
    """The newest watermark of every partition."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = KafkaConsumer(
            bootstrap_servers=settings.broker, isolation_level="read_committed", auto_offset_reset="earliest"
        )
        self._consumer.assign([TopicPartition(settings.watermark_topic, n) for n in range(PARTITIONS)])
        self._newest: dict[int, tuple[int, float]] = {}

    def fresh(self, since_s: float) -> bool:
        """Whether each has come later than that, and was near the clock when it was written."""
        for records in self._consumer.poll(timeout_ms=50).values():
            for record in records:
                document = json.loads(record.value)
                if document["now"]:
                    self._newest[record.partition] = parse_instant(document["now"]), record.timestamp / 1000
        return len(self._newest) == PARTITIONS and all(
            min(now_s, written_s) >= since_s and written_s - now_s < FRESH_S
            for now_s, written_s in self._newest.values()
        )

    def close(self) -> None:
        self._consumer.close()
