"""A worker that is live while a city's afternoon goes on: CPU per event, lag, and event to alert.

The worst honest case. One worker on a real Kafka has taken over the city's morning (07:00 to 13:30 of a fixed
day) and is live; then the afternoon (from 13:30 on) is sent by another process, event after event on a
schedule, by platforms that ignore holds, so that 100 and more alerts are told per 1,000 events, to the
platforms' own topics too. The events' clock is the worker's, so the hour of measuring does not matter.

An alert's latency is counted from when the event that brings *now* to its instant was due to be sent, whether
or not it was sent in time, until a consumer of committed records sees it. CPU is the worker process's own.

    python benchmarks/bench_live.py --rate 20000 --seconds 30
    python benchmarks/bench_live.py --search          # the highest rate at which lag does not grow
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks import harness
from benchmarks.live_parts import DEADLINE_S, Helper, Progress, helper
from deploy.kafka.broker import Broker
from deploy.kafka.processes import free_ports
from stream.simulation.events import PLATFORMS

MORNING, LIVE_FROM = "07:00", "13:30"
_SAMPLE_S = 0.1
#: Lag has grown when it is so much longer at the end than in the second quarter, and by so many seconds.
_GROWS, _GROWS_S = 1.5, 0.5
#: Shares of the highest rate that are looked at one after the other.
_STEPS = (1.0, 0.85, 0.7, 0.55, 0.4)


@dataclass
class Trial:
    """What one rate has led to."""

    rate: float
    seconds: float
    events: int = 0
    events_per_s: float = 0.0
    cpu_us_per_event: float = 0.0
    cpu_share: float = 0.0
    alerts_per_1000: float = 0.0
    latency_s: dict[str, float] = field(default_factory=dict)
    #: Seconds since the beginning, and events due but not judged then, as seconds of the rate.
    lag: list[tuple[float, float]] = field(default_factory=list)
    lag_grows: bool = False
    #: By stage, microseconds per event, and the share of the time that the worker's stages take.
    stage_us_per_event: dict[str, float] = field(default_factory=dict)
    sender: dict[str, float] = field(default_factory=dict)

    def row(self) -> list[str]:
        """A line of the table."""
        late = self.latency_s
        return [
            f"{self.rate:,.0f}", f"{self.events_per_s:,.0f}", f"{self.cpu_us_per_event:.2f}",
            f"{self.cpu_share:.0%}", f"{self.alerts_per_1000:.0f}",
            *(f"{late[name] * 1000:,.0f}" for name in ("p50", "p99", "p99.9")),
            f"{max(value for _, value in self.lag):.2f}", "grows" if self.lag_grows else "steady",
        ]  # fmt: skip


HEAD = ("events/s sent", "judged", "CPU µs/event", "of a core", "alerts per 1,000", "p50 ms", "p99 ms",
        "p99.9 ms", "most lag s", "lag")  # fmt: skip


def grows(lag: list[tuple[float, float]], until_s: float) -> bool:
    """Whether lag is longer in the last quarter of the sending than in the second one."""
    found = np.array([value for at_s, value in lag if at_s <= until_s])
    quarters = np.array_split(found, 4)
    return bool(quarters[3].mean() > max(_GROWS * quarters[1].mean(), quarters[1].mean() + _GROWS_S))


def latencies(sent: Mapping[str, np.ndarray], seen: Mapping[str, np.ndarray]) -> np.ndarray:
    """Seconds from when the event that brought an alert's instant was due, until the alert was seen."""
    found = []
    for number in np.unique(sent["partition"]).tolist():
        mine = sent["partition"] == number
        at_s, due_s = sent["at_s"][mine], sent["due_s"][mine]
        chosen = (seen["partition"] == number) & (seen["instant_s"] > at_s[0]) & (seen["retracted"] == 0)
        causes = np.searchsorted(at_s, seen["instant_s"][chosen])
        told = causes < len(at_s)
        found.append(seen["seen_s"][chosen][told] - due_s[causes[told]])
    return np.concatenate(found)


class Bench:
    """One city, and a fresh worker with fresh topics for every rate."""

    def __init__(self, broker: str, chosen: argparse.Namespace, sender: Helper, folder: Path) -> None:
        self._broker = broker
        self._chosen = chosen
        self._sender = sender
        self._folder = folder

    def trial(self, rate: float, seconds: float) -> Trial:
        """Measure at a rate."""
        chosen = self._chosen
        port = free_ports(["metrics"], {})["metrics"]
        environment = harness.own_environment(
            self._broker,
            RESPITE_CLOCK="event",
            RESPITE_METRICS_PORT=str(port),
            RESPITE_OUTLETS=chosen.outlets,
        )
        harness.make_topics(environment, chosen.partitions)
        source = environment["RESPITE_PREFIX"] + "courier.work-state"
        self._sender.say(do="morning", topic=source)
        morning = self._sender.answer("sending the morning")["events"]
        command = [sys.executable, "-m", "stream", "worker"]
        with harness.running("worker", command, environment) as worker:
            progress = Progress(environment, chosen.partitions)

            def ready() -> bool | None:
                if worker.poll() is not None:
                    raise SystemExit(f"the worker has ended; see {harness.RESULTS / 'logs'}")
                return True if progress.live and progress.read >= morning else None

            harness.wait_until("the worker taking over the morning", ready, DEADLINE_S)
            # The first checkpoint after taking over is no part of being live.
            time.sleep(chosen.settle)
            return self._afternoon(environment, port, worker, progress, Trial(rate, seconds))

    def _afternoon(
        self,
        environment: Mapping[str, str],
        port: int,
        worker: subprocess.Popen[str],
        progress: Progress,
        trial: Trial,
    ) -> Trial:
        alerts, sent = self._folder / "seen.npz", self._folder / "sent.npz"
        told = {
            "broker": self._broker,
            "topic": environment["RESPITE_PREFIX"] + "courier.fatigue-alerts",
            "partitions": self._chosen.partitions,
            "out": str(alerts),
        }
        with helper("watcher", told, environment) as watcher:
            self._sender.say(
                do="afternoon", topic=told["topic"].replace("fatigue-alerts", "work-state"),
                rate=trial.rate, seconds=trial.seconds, out=str(sent),
            )  # fmt: skip
            schedule = self._sender.answer("packing the afternoon")
            trial.events, begins_s = schedule["events"], schedule["begins_s"]
            before, read = harness.scraped(port, worker), progress.read
            cpu_s = harness.cpu_seconds(worker.pid)
            ended_s = self._follow(worker, progress, trial, begins_s, read)
            used_s = harness.cpu_seconds(worker.pid) - cpu_s
            after = harness.scraped(port, worker)
            trial.sender = self._sender.answer("sending the afternoon")
            time.sleep(1.0)  # what was judged last is being told
            watcher.say(do="stop")
            watcher.answer("looking into the alerts")
        took_s = ended_s - begins_s
        trial.events_per_s, trial.cpu_us_per_event = trial.events / took_s, used_s / trial.events * 1e6
        trial.cpu_share = used_s / took_s
        trial.lag_grows = grows(trial.lag, trial.events / trial.rate)
        found = latencies(np.load(sent), np.load(alerts))
        trial.alerts_per_1000 = len(found) / trial.events * 1000
        trial.latency_s = {
            name: float(np.quantile(found, share))
            for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("most", 1.0))
        }
        trial.stage_us_per_event = stages(before, after, trial.events)
        return trial

    def _follow(
        self,
        worker: subprocess.Popen[str],
        progress: Progress,
        trial: Trial,
        begins_s: float,
        before: int,
    ) -> float:
        """Note the lag until all has been judged; when that was."""
        due_s = trial.events / trial.rate

        def all_judged() -> float | None:
            if worker.poll() is not None:
                raise SystemExit(f"the worker has ended; see {harness.RESULTS / 'logs'}")
            passed_s = time.time() - begins_s
            read = progress.read - before
            if passed_s >= 0:
                due = min(trial.events, passed_s * trial.rate)
                trial.lag.append((round(passed_s, 2), max(0.0, due - read) / trial.rate))
            return time.time() if read >= trial.events else None

        return harness.wait_until(
            f"judging {trial.events:,} events at {trial.rate:,.0f} a second",
            all_judged,
            due_s + DEADLINE_S,
            _SAMPLE_S,
        )

    def search(self, rate: float, seconds: float) -> list[Trial]:
        """From a rate that is too high downwards, until lag does not grow; then at half of that."""
        trials = [self.trial(rate, seconds)]
        show(trials[-1])
        highest = trials[0].events_per_s if trials[0].lag_grows else rate
        for share in _STEPS if trials[0].lag_grows else ():
            trials.append(self.trial(share * highest, seconds))
            show(trials[-1])
            if not trials[-1].lag_grows:
                break
        else:
            if trials[0].lag_grows:
                raise SystemExit(f"lag grows even at {trials[-1].rate:,.0f} events/s")
        trials.append(self.trial(trials[-1].rate / 2, seconds))
        show(trials[-1])
        return trials


def stages(before: Mapping[str, float], after: Mapping[str, float], events: int) -> dict[str, float]:
    """Microseconds per event by stage, from two scrapes."""
    found, base = (harness.of_metric(each, "respite_stage_seconds_sum", "stage") for each in (after, before))
    return {one: (value - base.get(one, 0.0)) / events * 1e6 for one, value in found.items()}


def show(trial: Trial) -> None:
    """Print a trial and where its time went."""
    harness.table(HEAD, [trial.row()])
    found = trial.stage_us_per_event
    whole = sum(found.values()) or 1.0
    print(
        "  " + ", ".join(f"{name} {us:.2f} µs ({us / whole:.0%})" for name, us in found.items()), flush=True
    )


def main() -> None:
    """Start Kafka and the city, measure, print, keep.

    Longer than others, longer because it is one measurement from start to end.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riders", type=int, default=100_000)
    parser.add_argument(
        "--rate", type=float, default=20_000, help="events per second; with --search, the first"
    )
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--search", action="store_true", help="find the highest rate without growing lag")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--partitions", type=int, default=2)
    parser.add_argument("--outlets", default=",".join(PLATFORMS), help="platforms with topics of their own")
    parser.add_argument("--settle", type=float, default=5.0, help="seconds between taking over and measuring")
    parser.add_argument(
        "--profile", help="a file for the worker's cProfile, by benchmarks/profiled_worker.py"
    )
    parser.add_argument("--name", default="live", help="of the JSON and the plot")
    chosen = parser.parse_args()
    harness.stop_in_order()
    with Broker.running() as broker, tempfile.TemporaryDirectory(prefix="respite-bench-") as folder:
        told = {
            "broker": broker.bootstrap, "seed": chosen.seed, "riders": chosen.riders,
            "start_s": harness.city_second(MORNING), "live_s": harness.city_second(LIVE_FROM),
            "duration_s": 17 * 3600, "partitions": chosen.partitions,
        }  # fmt: skip
        environment = harness.own_environment(broker.bootstrap)
        with helper("sender", told, environment) as sender:
            bench = Bench(broker.bootstrap, chosen, sender, Path(folder))
            if chosen.search:
                trials = bench.search(chosen.rate, chosen.seconds)
            else:
                trials = [bench.trial(chosen.rate, chosen.seconds)]
    print(
        f"\n{harness.machine()}; {chosen.riders:,} riders, {chosen.partitions} partitions, seed {chosen.seed}"
    )
    for trial in trials if not chosen.search else trials[-1:]:
        show(trial)
    if chosen.search:
        harness.table(HEAD, [one.row() for one in trials])
    document = {"riders": chosen.riders, "outlets": chosen.outlets, "trials": [asdict(one) for one in trials]}
    harness.keep(chosen.name, document, chosen.seed)
    lines = {}
    for one in trials:
        lines[f"{one.rate:,.0f} events/s"] = [at for at, _ in one.lag], [lag for _, lag in one.lag]
    harness.plot(chosen.name, lines, "seconds", "lag, seconds")


if __name__ == "__main__":
    main()
