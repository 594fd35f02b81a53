"""What a scrape costs a worker, and for how long its event loop stands still meanwhile.

Lets riders of the simulated city work from morning to late afternoon, in the stores of some partitions, then
serves the worker's real endpoint beside an event loop that does nothing but notice how late it is woken, and
scrapes it from another process. Says, too, what counting a platform's evidence costs per event. No Kafka.

    python benchmarks/bench_scrape.py --riders 100000
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from detectors.kernels.evidence.arrivals import Place
from detectors.limits import LimitTable
from detectors.store import RiderStore
from schemas.decode import Decoded, decode_lines
from stream.columns import arrivals_of
from stream.metrics.evidence_quality import Evidence
from stream.metrics.operator import Metrics
from stream.metrics.rider_counts import take
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.loader import load_all
from stream.settings import Settings
from stream.simulation.city import City, profiles, slices
from stream.simulation.events import lines
from stream.worker.warm_up import warm_up

#: Eight in the morning in Shanghai, of some day.
MORNING_S = 1_795_392_000
WAKE_S = 0.001
QUIET_S = 3.0
#: The one who scrapes, so that reading the answer is not counted: address, times, pause; prints seconds each.
SCRAPER = """
import sys, time, urllib.request
for _ in range(int(sys.argv[2])):
    began = time.perf_counter()
    size = len(urllib.request.urlopen(sys.argv[1], timeout=60).read())
    print(time.perf_counter() - began, size, flush=True)
    time.sleep(float(sys.argv[3]))
"""


class Filled:
    """A partition as metrics see it."""

    def __init__(self, number: int, store: RiderStore) -> None:
        self.number = number
        self.store = store
        self.counts: Counter[tuple[str, str]] = Counter()
        self.seconds: Counter[str] = Counter()
        self.lag_records = 0
        self.clock_difference_s = 0.0
        self.progress_s = self.committed_s = self.checkpoint_age_s = 0.0
        self.restore_ratio = 1.0
        self.checkpoint_bytes = 0

    @property
    def now_s(self) -> int:
        """*now*; it moves, so that time worked in holds is added up."""
        return self.store.now_s + int(time.monotonic())


def filled(settings: Settings, partitions: int, city: City) -> tuple[list[Filled], Decoded]:
    """Partitions that have judged the city's day, and the last of its events."""
    table = LimitTable(limits_of(load_all(settings.policies)), window_starts)
    stores = [RiderStore(table, settings.store(512)) for _ in range(partitions)]
    found = [Filled(number, store) for number, store in enumerate(stores)]
    evidence = [Evidence() for _ in stores]
    zones = profiles(city).zone
    decoded, last = decode_lines([]), decode_lines([])
    for happened in slices(city):
        decoded = decode_lines(lines(happened, zones))
        last = decoded if decoded.count > last.count // 2 else last
        homes = decoded.columns.rider_murmur % partitions
        for one, seen in zip(found, evidence, strict=True):
            # What belongs to other partitions is no event of this one.
            before = decoded.columns.status.copy()
            decoded.columns.status[homes != one.number] = 3
            codes = one.store.ingest(arrivals_of(decoded), Place(one.number, partitions, 1, 0))
            decoded.columns.status[:] = before
            one.store.judge(one.store.read_s)
            one.counts.update(seen.of(decoded, codes, measured=False))
    return found, last


async def lateness_ms(until: asyncio.Future[None]) -> np.ndarray:
    """How late the loop was woken, each time it was to be after a millisecond."""
    late = []
    while not until.done():
        began = time.perf_counter()
        await asyncio.sleep(WAKE_S)
        late.append((time.perf_counter() - began - WAKE_S) * 1000)
    return np.array(late)


def line(name: str, ms: np.ndarray) -> str:
    """A line of the table, milliseconds."""
    p50, p99, most = np.quantile(ms, [0.5, 0.99, 1.0])
    return f"| {name} | {len(ms)} | {p50:.1f} | {p99:.1f} | {most:.1f} |"


async def measure(found: list[Filled], settings: Settings, scrapes: int, pause_s: float) -> None:
    """Scrape, and print how long it took and how late the loop was."""
    loop = asyncio.get_running_loop()
    metrics = Metrics(settings, lambda: found, None, lambda: frozenset(one.number for one in found))
    address = metrics.start(loop)
    idle = loop.create_future()
    loop.call_later(QUIET_S, idle.set_result, None)
    used_s = time.process_time()
    quiet = await lateness_ms(idle)
    loops_own = (time.process_time() - used_s) / QUIET_S
    began, used_s = time.perf_counter(), time.process_time()
    scraper = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRAPER, address, str(scrapes), str(pause_s), stdout=subprocess.PIPE
    )
    reading = asyncio.ensure_future(scraper.communicate())
    ended = loop.create_future()
    reading.add_done_callback(lambda _: ended.set_result(None))
    busy = await lateness_ms(ended)
    used_s = time.process_time() - used_s - loops_own * (time.perf_counter() - began)
    rows = [row.split() for row in (await reading)[0].decode().splitlines()]
    metrics.stop()
    print("\n| milliseconds | n | p50 | p99 | most |\n|---|---|---|---|---|")
    print(line("a scrape", np.array([float(took) for took, _ in rows]) * 1000))
    print(line("event loop woken late, nobody scrapes", quiet))
    print(line("event loop woken late, scraped", busy))
    print(f"\n{used_s * 1000 / scrapes:.0f} ms of CPU per scrape; an answer of {rows[-1][1]} bytes")


def main() -> None:
    """Fill, then measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riders", type=int, default=100_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--hours", type=float, default=9.0, help="of the day, from eight on")
    parser.add_argument("--scrapes", type=int, default=20)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two scrapes")
    chosen = parser.parse_args()
    settings = Settings(metrics_port=0, clock="event", zone_digits=6)
    warm_up()
    city = City(1, chosen.riders, MORNING_S, int(chosen.hours * 3600))
    found, last = filled(settings, chosen.partitions, city)
    statuses = np.array([take(one.store, zones=False).statuses for one in found]).sum(axis=0).tolist()
    taken = sum(count for one in found for (kind, _), count in one.counts.items() if kind == "taken")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    riders = sum(one.store.riders for one in found)
    print(f"{taken:,} events of {riders:,} riders in {len(found)} partitions;")
    stores = sum(one.store.size_bytes for one in found) / (1 << 20)
    print(f"clear, approaching, hold: {statuses}; stores of {stores:.0f} MiB, at most {peak:.0f} MiB in all")
    for one in found:
        began = time.perf_counter()
        take(one.store, zones=True)
        print(f"partition {one.number}: counted in {(time.perf_counter() - began) * 1000:.1f} ms")
    evidence, codes = Evidence(), np.zeros(last.count, dtype=np.uint8)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        evidence.of(last, codes, measured=True)
        times.append(time.perf_counter() - began)
    print(f"evidence by platform: {min(times) / last.count * 1e9:.1f} ns per event, of {last.count:,}")
    asyncio.run(measure(found, settings, chosen.scrapes, chosen.pause))


if __name__ == "__main__":
    main()
