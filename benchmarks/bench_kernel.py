"""What judging costs by itself: against the number of riders, and against the number of limits.

No Kafka. A city's late morning (from 10:30 of a fixed day) is taken in and judged in chunks by one rider
store: first what fills it, then what is measured. Riders lie anywhere in memory, so more of them are more
cache misses. Limits are made up, of every kind in turn, so many at once as asked. CPU of this process, one
thread; decoding is measured beside.

    python benchmarks/bench_kernel.py --riders 10000,100000,1000000 --limits 1,2,4,8,16,32
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness
from detectors.kernels.evidence.arrivals import Place
from detectors.limits import Limit, LimitTable
from detectors.settings import StoreSettings
from detectors.store import RiderStore
from schemas.decode import decode_lines
from stream.columns import arrivals_of
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.loader import load_all
from stream.settings import Settings
from stream.simulation.city import City, profiles, slices
from stream.simulation.events import lines
from stream.worker.warm_up import warm_up

BEGIN, HOURS = "10:30", 12
CHUNK = 2000
_KINDS = (("continuous", 0), ("day", 0), ("rolling", 86_400), ("span", 0))
_HOUR_S = 3600
HEAD = ("riders", "limits", "events", "decode µs", "ingest µs", "judge µs", "store, KB per rider")


def made_up(count: int) -> LimitTable:
    """So many limits, each with an amount of its own, of every kind in turn."""
    limits = []
    for number in range(count):
        kind, window_s = _KINDS[number % len(_KINDS)]
        limits.append(
            Limit(
                "made-up@1", f"l{number:02}", kind, "order", 4 * _HOUR_S + 600 * number, "Asia/Shanghai",
                "hold", "elapsed", reset_s=1200, window_s=window_s, hold_for_s=1200,
            )
        )  # fmt: skip
    return LimitTable(limits, window_starts)


def first_policies() -> LimitTable:
    """The limits that a worker has by default."""
    return LimitTable(limits_of(load_all(Settings().policies)), window_starts)


def chunks(riders: int, seed: int) -> Iterator[list[bytes]]:
    """The city's messages."""
    city = City(seed, riders, harness.city_second(BEGIN), HOURS * _HOUR_S)
    zones = profiles(city).zone
    for found in slices(city):
        values = lines(found, zones)
        for begin in range(0, len(values), CHUNK):
            yield values[begin : begin + CHUNK]


def measure(riders: int, limits: LimitTable, events: int, seed: int) -> dict[str, float]:
    """CPU per event, microseconds, of so many events after twice the riders' number of others."""
    store = RiderStore(limits, StoreSettings())
    place = Place(0, 1, 1, 0)
    spent = {"decode": 0.0, "ingest": 0.0, "judge": 0.0}
    seen = counted = 0
    for values in chunks(riders, seed):
        times = [time.process_time()]
        decoded = decode_lines(values)
        times.append(time.process_time())
        store.ingest(arrivals_of(decoded), place)
        times.append(time.process_time())
        store.judge_words(store.read_s, store.read_s)
        times.append(time.process_time())
        seen += len(values)
        if seen <= 2 * riders:
            continue
        counted += len(values)
        for name, begin, end in zip(spent, times, times[1:], strict=False):
            spent[name] += end - begin
        if counted >= events:
            break
    found = {name: seconds / max(1, counted) * 1e6 for name, seconds in spent.items()}
    each = store.size_bytes / max(1, store.riders)
    return {"riders": riders, "limits": len(limits.limits), "events": counted, **found, "bytes": each}


def row(found: dict[str, float]) -> list[str]:
    """A line of the table."""
    us = [f"{found[name]:.2f}" for name in ("decode", "ingest", "judge")]
    whole = [f"{found[name]:,.0f}" for name in ("riders", "limits", "events")]
    return [*whole, *us, f"{found['bytes'] / 1000:.1f}"]


def _numbers(text: str) -> list[int]:
    return [int(one) for one in text.split(",") if one]


def _drawn(name: str, found: Sequence[dict[str, float]], by: str) -> None:
    xs = [one[by] for one in found]
    lines_ = {stage: (xs, [one[stage] for one in found]) for stage in ("decode", "ingest", "judge")}
    harness.plot(name, lines_, by, "µs of CPU per event", log_x=True)


def main() -> None:
    """Measure both, print, keep, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riders", type=_numbers, default=_numbers("10000,30000,100000,300000,1000000"))
    parser.add_argument("--limits", type=_numbers, default=_numbers("1,2,4,8,16,32"))
    parser.add_argument("--of", type=int, default=20_000, help="riders while limits are varied")
    parser.add_argument("--events", type=int, default=200_000, help="events measured of each")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    harness.say_about(chosen.seed)
    warm_up()
    by_riders = []
    for riders in chosen.riders:
        by_riders.append(measure(riders, first_policies(), chosen.events, chosen.seed))
        harness.table(HEAD, [row(by_riders[-1])])
    by_limits = []
    for count in chosen.limits:
        by_limits.append(measure(chosen.of, made_up(count), chosen.events, chosen.seed))
        harness.table(HEAD, [row(by_limits[-1])])
    harness.table(HEAD, [row(one) for one in (*by_riders, *by_limits)])
    harness.keep("kernel", {"by_riders": by_riders, "by_limits": by_limits}, chosen.seed)
    _drawn("kernel-riders", by_riders, "riders")
    _drawn("kernel-limits", by_limits, "limits")


if __name__ == "__main__":
    main()
