"""How much memory a rider takes, by the days that are kept.

No Kafka. A city lives for so many days in one rider store, and at midnight of each it is said what the
store's arrays hold: what is in use, and what has been reserved (arrays double when they are full). Once with
the policies that a worker has by default, once with a limit over rolling windows of weeks beside them, which
keeps the spans of its clock for as long.

    python benchmarks/bench_memory.py --riders 2000 --days 14
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness
from benchmarks.bench_kernel import first_policies
from detectors.kernels.evidence.arrivals import Place
from detectors.kernels.layout.values import I64
from detectors.kernels.memory import blocks
from detectors.limits import Limit, LimitTable
from detectors.store import RiderStore
from schemas.decode import decode_lines
from stream.columns import arrivals_of
from stream.policies.calendars import window_starts
from stream.settings import Settings
from stream.simulation.city import City, profiles, slices
from stream.simulation.events import lines
from stream.worker.context import SEAL_EVENTS
from stream.worker.warm_up import warm_up

_DAY_S, _HOUR_S = 86_400, 3600
_WORD_BYTES = 8
#: Final events are sealed together as by a worker on the wall clock.
_SEAL = SEAL_EVENTS["wall"]
HEAD = ("days", "limits", "riders", "events each", "in use, KB per rider", "reserved, KB per rider")


def with_rolling() -> LimitTable:
    """The first policies, and a limit that looks back two weeks."""
    weeks = Limit(
        "made-up@1", "two-weeks", "rolling", "order", 90 * _HOUR_S, "Asia/Shanghai", "hold", "elapsed",
        reset_s=1200, window_s=14 * _DAY_S, hold_for_s=1200,
    )  # fmt: skip
    return LimitTable([*first_policies().limits, weeks], window_starts)


def in_use(store: RiderStore) -> int:
    """Bytes of rows, names and blocks that riders have."""
    mem = store.memory
    meta: I64 = mem.heap_meta
    free = 0
    for size_class in range(blocks.CLASSES):
        at = int(meta[blocks.FREE + size_class])
        while at:
            free += blocks.SMALLEST << size_class
            at = int(mem.heap[at])
    each = mem.rows.strides[0] + mem.ids.strides[0] + mem.briefs.strides[0] + 4 * _WORD_BYTES
    return store.riders * each + (int(meta[blocks.TOP]) - free) * _WORD_BYTES


def measure(table: LimitTable, riders: int, days: int, seed: int) -> list[dict[str, float]]:
    """What a rider takes at the end of each day."""
    store = RiderStore(table, Settings().store(_SEAL))
    city = City(seed, riders, harness.city_second("00:00"), days * _DAY_S)
    zones, place = profiles(city).zone, Place(0, 1, 1, 0)
    found: list[dict[str, float]] = []
    events, day = 0, 1
    for happened in slices(city):
        if happened.size:
            decoded = decode_lines(lines(happened, zones))
            store.ingest(arrivals_of(decoded), place)
            store.judge_words(store.read_s, store.read_s)
            events += happened.size
        if store.read_s >= city.start_s + day * _DAY_S - _HOUR_S and store.riders:
            known = store.riders
            found.append(
                {
                    "days": day, "limits": len(table.limits), "riders": known, "events": events / known,
                    "used": in_use(store) / known, "reserved": store.size_bytes / known,
                }
            )  # fmt: skip
            day += 1
    return found


def row(one: dict[str, float]) -> list[str]:
    """A line of the table."""
    whole = [f"{one[name]:,.0f}" for name in ("days", "limits", "riders", "events")]
    return [*whole, f"{one['used'] / 1000:.2f}", f"{one['reserved'] / 1000:.2f}"]


def main() -> None:
    """Measure, print, keep, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riders", type=int, default=2000)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    harness.say_about(chosen.seed)
    warm_up()
    names = {"first policies": first_policies(), "and two rolling weeks": with_rolling()}
    found = {name: measure(one, chosen.riders, chosen.days, chosen.seed) for name, one in names.items()}
    for name, rows in found.items():
        print(f"\n{name}")
        harness.table(HEAD, [row(one) for one in rows])
    harness.keep("memory", found, chosen.seed)
    drawn = {
        f"{name}, {what}": ([one["days"] for one in rows], [one[key] / 1000 for one in rows])
        for name, rows in found.items()
        for what, key in (("in use", "used"), ("reserved", "reserved"))
    }
    harness.plot("memory", drawn, "days", "KB per rider")


if __name__ == "__main__":
    main()
