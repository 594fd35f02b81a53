"""One city before live workers: its morning is taken over, its afternoon sent at one rate after the other."""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from benchmarks import harness
from benchmarks.live.parts import DEADLINE_S, Helper, Progress, helper
from benchmarks.live.trial import QUANTILES, Trial, grows, latencies
from deploy.kafka.processes import free_ports

_SAMPLE_S = 0.1
#: What was judged last is being told.
_AFTERWARDS_S = 1.0


class CityRun:
    """Fresh topics, and workers that are live from the city's morning on. A context manager.

    Parameters
    ----------
    chosen
        ``partitions``, ``workers``, ``outlets``, and ``settle``: seconds between taking over and measuring.
    sender
        The city.
    """

    def __init__(self, broker: str, chosen: argparse.Namespace, sender: Helper, folder: Path) -> None:
        self._broker = broker
        self._chosen = chosen
        self._sender = sender
        self._folder = folder
        self._environment = harness.own_environment(
            broker, RESPITE_CLOCK="event", RESPITE_OUTLETS=chosen.outlets
        )
        self._progress = Progress(self._environment, chosen.partitions)
        self._ports: list[int] = []
        self._workers: list[subprocess.Popen[str]] = []
        self._stack = contextlib.ExitStack()

    def _topic(self, name: str) -> str:
        return self._environment["RESPITE_PREFIX"] + name

    def __enter__(self) -> Self:
        chosen = self._chosen
        harness.make_topics(self._environment, chosen.partitions)
        self._sender.say(do="morning", topic=self._topic("courier.work-state"))
        morning = self._sender.answer("sending the morning")["events"]
        self._ports = list(free_ports([f"metrics{n}" for n in range(chosen.workers)], {}).values())
        command = [sys.executable, "-m", "stream", "worker"]
        with contextlib.ExitStack() as stack:
            for number, port in enumerate(self._ports):
                environment = {**self._environment, "RESPITE_METRICS_PORT": str(port)}
                running = harness.running(f"worker-{number}", command, environment)
                self._workers.append(stack.enter_context(running))
            harness.wait_until(
                "the workers taking over the morning",
                lambda: True if self._live() and self._progress.read >= morning else None,
                DEADLINE_S,
            )
            self._stack = stack.pop_all()
        # The first checkpoint after taking over is no part of being live.
        time.sleep(chosen.settle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stack.close()

    def _live(self) -> bool:
        if any(one.poll() is not None for one in self._workers):
            raise SystemExit(f"a worker has ended; see {harness.RESULTS / 'logs'}")
        return self._progress.live

    def _scrapes(self) -> list[dict[str, float]]:
        pairs = zip(self._ports, self._workers, strict=True)
        return [harness.scraped(port, worker) for port, worker in pairs]

    def _cpu_s(self) -> float:
        return sum(harness.cpu_seconds(one.pid) for one in self._workers)

    def trial(self, rate: float, seconds: float) -> Trial:
        """Send the next of the afternoon at a rate, and measure."""
        trial = Trial(rate, seconds)
        alerts, sent = self._folder / "seen.npz", self._folder / "sent.npz"
        told = {
            "broker": self._broker, "topic": self._topic("courier.fatigue-alerts"),
            "partitions": self._chosen.partitions, "out": str(alerts),
        }  # fmt: skip
        with helper("watcher", told, self._environment) as watcher:
            self._sender.say(
                do="afternoon", topic=self._topic("courier.work-state"),
                rate=rate, seconds=seconds, out=str(sent),
            )  # fmt: skip
            schedule = self._sender.answer("packing the afternoon")
            trial.events = schedule["events"]
            before, read, cpu_s = self._scrapes(), self._progress.read, self._cpu_s()
            busy_s = harness.machine_busy_s()
            ended_s = self._follow(trial, schedule["begins_s"], read)
            busy_s, cpu_s = harness.machine_busy_s() - busy_s, self._cpu_s() - cpu_s
            after = self._scrapes()
            trial.sender = self._sender.answer("sending the afternoon")
            time.sleep(_AFTERWARDS_S)
            watcher.say(do="stop")
            watcher.answer("looking into the alerts")
        took_s = ended_s - schedule["begins_s"]
        trial.events_per_s, trial.cpu_us_per_event = trial.events / took_s, cpu_s / trial.events * 1e6
        trial.cpu_share, trial.machine_share = cpu_s / took_s, busy_s / took_s / harness.CORES
        trial.lag_grows = grows(trial.lag, trial.events / rate)
        found = latencies(np.load(sent), np.load(alerts))
        trial.alerts_per_1000 = len(found) / trial.events * 1000
        if len(found):
            trial.latency_s = {name: float(np.quantile(found, share)) for name, share in QUANTILES}
        trial.stages(before, after)
        trial.show()
        return trial

    def _follow(self, trial: Trial, begins_s: float, before: int) -> float:
        """Note the lag until all has been judged; when that was."""

        def all_judged() -> float | None:
            self._live()
            passed_s = time.time() - begins_s
            read = self._progress.read - before
            if passed_s >= 0:
                due = min(trial.events, passed_s * trial.rate)
                trial.lag.append((round(passed_s, 2), max(0.0, due - read) / trial.rate))
            return time.time() if read >= trial.events else None

        return harness.wait_until(
            f"judging {trial.events:,} events at {trial.rate:,.0f} a second",
            all_judged,
            trial.events / trial.rate + DEADLINE_S,
            _SAMPLE_S,
        )
