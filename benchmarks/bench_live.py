"""Workers that are live while a city's afternoon goes on: CPU per event, lag, and event to alert.

The worst honest case. Workers on a real Kafka have taken over the city's morning (07:00 to 13:30 of a fixed
day) and are live; then the afternoon (from 13:30 on) is sent by another process, event after event on a
schedule, to the platforms' own topics too: by platforms that ignore holds, so that 100 and more alerts are
told per 1,000 events, or with ``--honour`` by platforms that ask before they assign, as `respite simulate`
has them. The events' clock is the workers', so the hour of measuring does not matter.

An alert's latency is counted from when the event that brings *now* to its instant was due to be sent, whether
or not it was sent in time, until a consumer of committed records sees it. CPU is the workers' own.

    python benchmarks/bench_live.py --rate 20000 --seconds 30
    python benchmarks/bench_live.py --search            # the highest rate at which lag does not grow
    python benchmarks/bench_live.py --search --honour 0.95 --workers 2
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness
from benchmarks.live.city_run import CityRun
from benchmarks.live.parts import helper
from benchmarks.live.trial import HEAD, Trial
from deploy.kafka.broker import Broker
from stream.simulation.events import PLATFORMS

MORNING, LIVE_FROM = "07:00", "13:30"
#: Of what was judged under the rate before, what is tried next.
_STEP = 0.85
_TRIES = 5


def search(run: CityRun, rate: float, seconds: float) -> list[Trial]:
    """From a rate that is too high downwards, until lag does not grow; the last trial is that one."""
    trials: list[Trial] = []
    for _ in range(_TRIES):
        trials.append(run.trial(rate, seconds))
        if not trials[-1].lag_grows:
            return trials
        rate = _STEP * min(trials[-1].events_per_s, rate)
    raise SystemExit(f"lag grows even at {trials[-1].rate:,.0f} events/s")


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riders", type=int, default=100_000)
    parser.add_argument(
        "--rate", type=float, default=20_000, help="events per second; with --search, the first"
    )
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--search", action="store_true", help="find the highest rate without growing lag")
    parser.add_argument("--levels", default="0.05,0.25,0.5,0.75", help="shares of it that are tried then")
    parser.add_argument("--honour", default="", help="platforms ask before they assign, as in simulate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--partitions", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--outlets", default=",".join(PLATFORMS), help="platforms with topics of their own")
    parser.add_argument("--settle", type=float, default=5.0, help="seconds between taking over and measuring")
    parser.add_argument("--name", default="live", help="of the JSON and the plots")
    return parser.parse_args()


def main() -> None:
    """Start Kafka and the city, measure, print, keep."""
    chosen = options()
    harness.stop_in_order()
    harness.say_about(chosen.seed)
    with Broker.running() as broker, tempfile.TemporaryDirectory(prefix="respite-bench-") as folder:
        told = {
            "broker": broker.bootstrap, "seed": chosen.seed, "riders": chosen.riders,
            "start_s": harness.city_second(MORNING), "live_s": harness.city_second(LIVE_FROM),
            "duration_s": 17 * 3600, "partitions": chosen.partitions, "honour": chosen.honour,
        }  # fmt: skip
        environment = harness.own_environment(broker.bootstrap)
        with (
            helper("sender", told, environment) as sender,
            CityRun(broker.bootstrap, chosen, sender, Path(folder)) as run,
        ):
            trials = (search if chosen.search else _once)(run, chosen.rate, chosen.seconds)
            highest = trials[-1].rate
            levels: list[Trial] = []
            if chosen.search:
                shares = [float(one) for one in chosen.levels.split(",") if one]
                levels = [run.trial(share * highest, chosen.seconds) for share in shares]
    report(chosen, trials, levels)


def _once(run: CityRun, rate: float, seconds: float) -> list[Trial]:
    return [run.trial(rate, seconds)]


def report(chosen: argparse.Namespace, trials: list[Trial], levels: list[Trial]) -> None:
    """Print the tables, keep them as JSON, draw lag and latency."""
    city = f"honours holds ({chosen.honour})" if chosen.honour else "ignores holds"
    print(
        f"\n{harness.machine()}; {chosen.riders:,} riders, {chosen.partitions} partitions, "
        f"{chosen.workers} worker(s), seed {chosen.seed}; the city {city}"
    )
    harness.table(HEAD, [one.row() for one in (*trials, *levels)])
    document = {
        "riders": chosen.riders, "partitions": chosen.partitions, "workers": chosen.workers,
        "honour": chosen.honour, "outlets": chosen.outlets,
        "sustained_events_per_s": None if trials[-1].lag_grows else trials[-1].rate,
        "trials": [asdict(one) for one in trials], "levels": [asdict(one) for one in levels],
    }  # fmt: skip
    harness.keep(chosen.name, document, chosen.seed)
    lines = {}
    for one in trials:
        lines[f"{one.rate:,.0f} events/s"] = [at for at, _ in one.lag], [lag for _, lag in one.lag]
    harness.plot(f"{chosen.name}-lag", lines, "seconds", "lag, seconds")
    told = [one for one in levels if one.latency_s]
    if told:
        rates = [one.rate for one in told]
        lines = {
            name: (rates, [one.latency_s[name] * 1000 for one in told]) for name in ("p50", "p99", "p99.9")
        }
        harness.plot(f"{chosen.name}-latency", lines, "events per second", "event to alert, ms")


if __name__ == "__main__":
    main()
