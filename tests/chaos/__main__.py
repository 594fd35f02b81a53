"""``python -m tests.chaos``: break a running city in every way, and say what came of it.

``--kills N`` kills workers N times at random instead. Seeded and repeatable, except for the scheduler.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from tests.chaos.city import City
from tests.chaos.faults import FAULTS, kill_worker
from tests.chaos.machine import pass_by
from tests.chaos.verify import Found


def row(name: str, tried: int, found: Found, seconds: list[float]) -> str:
    """A line of the results table."""
    recovered = f"{statistics.median(seconds):.1f} / {max(seconds):.1f}" if seconds else "-"
    counts = f"{len(found.lost)} | {len(found.wrong)} | {len(found.doubled)}"
    return f"| {name} | {tried} | {counts} | {recovered} |"


HEAD = (
    "| fault | tried | lost | wrong | doubled | seconds to recover, median / most |\n"
    "|---|---|---|---|---|---|"
)


def break_everything(folder: Path, seed: int, rounds: int, names: list[str]) -> tuple[list[str], Found]:
    """Every fault in turn, each followed by a return to being current; one verdict over the whole run."""
    seconds: dict[str, list[float]] = defaultdict(list)
    city = City(folder, seed)
    with city.running():
        for number in range(rounds):
            for name in city.rng.sample(names, len(names)):
                fault, within_s = FAULTS[name]
                began_s = time.time()
                fault(city)
                over_s = time.time()
                city.wait_until_fresh(over_s, within_s)
                seconds[name].append(time.time() - over_s)
                say(f"round {number + 1}: {name}: {over_s - began_s:.1f} s of fault, "
                    f"current again after {seconds[name][-1]:.1f} s")  # fmt: skip
                pass_by(city.rng.uniform(0, 3))
        found = city.conclude()
    return [row(name, len(some), found, some) for name, some in sorted(seconds.items())], found


def kill_often(folder: Path, seed: int, kills: int) -> tuple[list[str], Found]:
    """So many kills of workers at random instants, in the middle of whatever they do."""
    city = City(folder, seed, static=True)
    with city.running():
        for number in range(kills):
            kill_worker(city)
            pass_by(city.rng.uniform(0.2, 6))
            if number % 20 == 19:
                say(f"{number + 1} kills")
        seconds = city.wait_until_fresh(time.time(), 120)
        found = city.conclude()
    return [row("workers killed at random instants", kills, found, [seconds])], found


def say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def main(arguments: list[str] | None = None) -> int:
    """The command; 0 when nothing was lost and nothing is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2, help="how often every fault is tried")
    parser.add_argument("--kills", type=int, default=0, help="kill workers so often instead")
    parser.add_argument(
        "--only", choices=sorted(FAULTS), action="append", help="just this fault; may be repeated"
    )
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="respite-chaos-"))
    if chosen.kills:
        rows, found = kill_often(folder, chosen.seed, chosen.kills)
    else:
        rows, found = break_everything(folder, chosen.seed, chosen.rounds, chosen.only or list(FAULTS))
    sys.stdout.write("\n".join([HEAD, *rows]) + "\n")
    sys.stdout.write(
        f"{found.alerts} alerts and {found.riders} riders compared, {found.repeated} messages said again "
        f"what stood; seed {chosen.seed}, {time.monotonic() - began:.0f} s\n"
    )
    if not found.good or found.doubled:
        sys.stdout.write(f"{found.text()}\nlogs in {folder}\n")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
