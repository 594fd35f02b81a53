"""All benchmarks one after the other, each with a deadline, and one page of what they have found.

    make bench          # under half an hour; the figures of the manual
    make bench-quick    # under five minutes: that everything can be measured, and roughly what

Each benchmark is a command of its own that prints its tables and keeps JSON and plots in build/bench. Nothing
depends on the hour: cities begin at fixed hours. ``--publish`` copies the plots into the manual.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness
from benchmarks.report import PICTURES


class Step(NamedTuple):
    """A benchmark: its name, options of the whole suite and of the quick one, and deadlines in seconds."""

    name: str
    script: str
    whole: str
    quick: str | None
    whole_s: int
    quick_s: int


_CITY = "--search --seconds 12 --partitions 2"
STEPS = (
    Step("throughput", "throughput", "--riders 100000 --days 0.12", "--riders 5000 --days 0.12", 300, 60),
    Step("live-ignoring", "live", f"{_CITY} --rate 90000", "--riders 5000 --rate 4000 --seconds 6", 480, 90),
    Step("live-honouring", "live", f"{_CITY} --rate 150000 --honour 0.95 --levels 0.5",
         "--riders 5000 --rate 4000 --seconds 6 --honour 0.95", 420, 60),
    Step("live-two-workers", "live", f"{_CITY} --rate 90000 --workers 2 --levels 0.5", None, 420, 0),
    Step("kernel", "kernel", "--events 200000", "--riders 2000,10000 --limits 1,8 --of 2000 --events 20000",
         180, 40),
    Step("memory", "memory", "--riders 1000 --days 14", "--riders 200 --days 2", 120, 30),
    Step("restore", "restore", "--riders 300000", "--riders 5000", 120, 40),
    Step("takeover", "takeover", "--riders 100000 --days 0.9", None, 300, 0),
    Step("api", "api", "--riders 100000 --days 0.2 --rate 40000 --seconds 4",
         "--riders 2000 --days 0.2 --rate 2000 --seconds 1", 240, 60),
    Step("encode", "encode", "--riders 20000", "--riders 2000", 60, 30),
)  # fmt: skip


def run(step: Step, *, quick: bool) -> tuple[bool, float]:
    """Run one; whether it ended well, and the seconds it took."""
    options, deadline_s = (step.quick, step.quick_s) if quick else (step.whole, step.whole_s)
    assert options is not None
    command = [sys.executable, str(harness.ROOT / "benchmarks" / f"bench_{step.script}.py"), *options.split()]
    if step.script == "live":
        command += ["--name", step.name]
    print(f"\n== {step.name}: {' '.join(command[1:])}", flush=True)
    began = time.monotonic()
    process = subprocess.Popen(command)
    try:
        ended = process.wait(deadline_s) == 0
        why = "" if ended else f"{step.name} has failed"
    except subprocess.TimeoutExpired:
        # In order, so that it stops the Kafka and the workers that it has started.
        process.terminate()
        process.wait(60)
        ended, why = False, f"{step.name}: not within {deadline_s} s, stopped"
    if why:
        print(why, flush=True)
    return ended, time.monotonic() - began


def main() -> None:
    """Run all, print what took how long; the exit status says whether all ended well."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="", help="names, with commas")
    parser.add_argument("--publish", action="store_true", help="copy the plots into the manual")
    chosen = parser.parse_args()
    harness.stop_in_order()
    harness.say_about()
    only = {one for one in chosen.only.split(",") if one}
    rows, failed = [], []
    for step in STEPS:
        if (only and step.name not in only) or (chosen.quick and step.quick is None):
            continue
        ended, seconds = run(step, quick=chosen.quick)
        rows.append([step.name, f"{seconds:.0f}", "yes" if ended else "NO"])
        failed += [] if ended else [step.name]
    harness.table(("benchmark", "s", "ended well"), rows)
    if chosen.publish:
        PICTURES.mkdir(parents=True, exist_ok=True)
        for picture in sorted(harness.RESULTS.glob("*.png")):
            shutil.copy(picture, PICTURES)
    if failed:
        raise SystemExit(f"without a figure: {', '.join(failed)}")


if __name__ == "__main__":
    main()
