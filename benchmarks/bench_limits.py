"""What limits cost: CPU of an event and memory of a rider, by how many there are and of which kind.

A city's morning is judged chunk by chunk by one partition's rider store without a broker, first by the two
policies that a worker has by default, then with more limits. CPU of this process, one thread; a case is
measured ``--repeat`` times and the best is told, so that what else the machine does counts little.

    python benchmarks/bench_limits.py --riders 20000
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import city_second, keep, say_about
from detectors.kernels.evidence.arrivals import Arrivals, Place
from detectors.limits import Limit, LimitTable
from detectors.store import RiderStore
from schemas.decode import decode_lines
from stream.columns import arrivals_of
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.policies.loader import builtin_names, load, load_all
from stream.settings import Settings
from stream.simulation.city import City, profiles, slices
from stream.simulation.events import lines

MOST = 32
HOUR_S = 3600
#: One limit of each kind, none of which is reached, so that what is measured is counting.
KINDS: dict[str, dict[str, Any]] = {
    "continuous": {"kind": "continuous", "limit_s": 100 * HOUR_S, "reset_s": 20 * 60},
    "continuous, parts": {
        "kind": "continuous", "limit_s": 100 * HOUR_S, "reset_s": 45 * 60, "reset_parts_s": (900, 1800),
    },
    "span": {"kind": "span", "limit_s": 100 * HOUR_S, "reset_s": 9 * HOUR_S},
    "day": {"kind": "day", "limit_s": 23 * HOUR_S},
    "day, between": {"kind": "day", "limit_s": 23 * HOUR_S, "between_s": (22 * HOUR_S, 6 * HOUR_S)},
    "week": {"kind": "week", "limit_s": 100 * HOUR_S},
    "month": {"kind": "month", "limit_s": 300 * HOUR_S},
    "week, weeks = 17": {"kind": "week", "limit_s": 816 * HOUR_S, "weeks": 17},
    "rolling": {"kind": "rolling", "limit_s": 23 * HOUR_S, "window_s": 24 * HOUR_S},
    "rest_within": {"kind": "rest_within", "limit_s": 13 * HOUR_S, "reset_s": 11 * HOUR_S},
    "rest_within, per week": {
        "kind": "rest_within", "limit_s": 6 * 24 * HOUR_S, "reset_s": 24 * HOUR_S, "per": "week",
    },
}  # fmt: skip


def more_of(number: int, clock: str, **words: Any) -> list[Limit]:  # noqa: ANN401 - fields of a limit
    """So many more limits of a kind, on a clock, which only remind."""
    base = limits_of(load_all(["cn-gbt-2025"]))[0]
    blank = replace(
        base,
        policy="more@1",
        clock=clock,
        effect="remind",
        release="",
        warn_before_s=(),
        reset_s=0,
        window_s=0,
    )
    return [replace(blank, name=f"l{index}", **words) for index in range(number)]


def cases() -> dict[str, list[Limit]]:
    """The sets of limits to measure, by what they are called."""
    two = limits_of(load_all(Settings().policies))
    everything = limits_of([load(name) for name in builtin_names()], enforced=False)
    known = {(one.policy, one.name) for one in two}
    others = [one for one in everything if (one.policy, one.name) not in known]
    found = {
        "two policies": two,
        f"{MOST} limits of the collection": [*two, *others][:MOST],
        "28 more, driving: nobody's evidence": two + more_of(28, "driving", **KINDS["continuous"]),
    }
    return found | {f"8 more: {name}": two + more_of(8, "order", **words) for name, words in KINDS.items()}


def judged(limits: Sequence[Limit], arrivals: Sequence[Arrivals]) -> tuple[float, RiderStore]:
    """CPU seconds of judging the arrivals, and the store they end in."""
    store = RiderStore(LimitTable(limits, window_starts), Settings().store(16))
    spent = 0.0
    for one in arrivals:
        store.ingest(one, Place(0, 1, 1, 0))
        began = time.process_time()
        store.judge_words(store.read_s, store.read_s)
        spent += time.process_time() - began
    return spent, store


def main() -> None:
    """Measure every case over the same morning."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riders", type=int, default=5_000)
    parser.add_argument("--chunk", type=int, default=2_000, help="events judged at once")
    parser.add_argument("--repeat", type=int, default=3)
    chosen = parser.parse_args()
    begin_s, end_s = map(city_second, ("07:00", "13:30"))
    city = City(seed=1, riders=chosen.riders, start_s=begin_s, duration_s=end_s - begin_s)
    zones = profiles(city).zone
    values = [line for found in slices(city) for line in lines(found, zones)]
    arrivals = [
        arrivals_of(decode_lines(values[at : at + chosen.chunk]))
        for at in range(0, len(values), chosen.chunk)
    ]
    say_about(seed=1)
    found = {}
    for name, limits in cases().items():
        runs = [judged(limits, arrivals) for _ in range(chosen.repeat + 1)][1:]
        store = runs[0][1]
        found[name] = {
            "limits": len(limits),
            "us_per_event": min(spent for spent, _ in runs) / len(values) * 1e6,
            "row_bytes_per_rider": store.memory.rows.shape[1] * 8,
            "heap_bytes_per_rider": int(store.memory.heap_meta[0]) * 8 / store.riders,
        }
        one = found[name]
        print(
            f"{name:40} {one['limits']:3} limits {one['us_per_event']:7.2f} us an event, "
            f"{one['row_bytes_per_rider']:6} + {one['heap_bytes_per_rider']:6.0f} bytes a rider",
            flush=True,
        )
    keep("limits", {"events": len(values), "riders": chosen.riders, "cases": found}, seed=1)


if __name__ == "__main__":
    main()
