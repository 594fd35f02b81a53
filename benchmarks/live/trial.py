"""What one rate has led to, and how it is worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks import harness

#: Lag has grown when it is so much longer at the end than in the second quarter, and by so many seconds.
_GROWS, _GROWS_S = 1.5, 0.5
QUANTILES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("most", 1.0))
#: Stages in which a worker works; in the others it waits for Kafka, or for its turn.
WORKING = ("decode", "ingest", "judge", "render", "tell", "checkpoint")
HEAD = ("events/s sent", "judged", "CPU µs/event", "of a core", "alerts per 1,000", "p50 ms", "p99 ms",
        "p99.9 ms", "most lag s", "lag")  # fmt: skip


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
    #: By stage, microseconds per event.
    stage_us_per_event: dict[str, float] = field(default_factory=dict)
    #: By stage, milliseconds of each time that it was done.
    stage_ms: dict[str, float] = field(default_factory=dict)
    sender: dict[str, float] = field(default_factory=dict)
    #: Of the machine's cores, what was busy.
    machine_share: float = 0.0

    def row(self) -> list[str]:
        """A line of the table."""
        late = self.latency_s
        return [
            f"{self.rate:,.0f}", f"{self.events_per_s:,.0f}", f"{self.cpu_us_per_event:.2f}",
            f"{self.cpu_share:.0%}", f"{self.alerts_per_1000:.0f}",
            *(f"{late[name] * 1000:,.0f}" if name in late else "-" for name in ("p50", "p99", "p99.9")),
            f"{max((value for _, value in self.lag), default=0.0):.2f}",
            "grows" if self.lag_grows else "steady",
        ]  # fmt: skip

    def stages(self, before: Sequence[Mapping[str, float]], after: Sequence[Mapping[str, float]]) -> None:
        """Take in what the stages have taken, from two scrapes of each worker."""
        seconds = _grown(before, after, "respite_stage_seconds_sum")
        times = _grown(before, after, "respite_stage_seconds_count")
        self.stage_us_per_event = {one: value / self.events * 1e6 for one, value in seconds.items()}
        self.stage_ms = {one: value / times[one] * 1e3 for one, value in seconds.items() if times.get(one)}

    def show(self) -> None:
        """Print a line of the table, and where the time went."""
        harness.table(HEAD, [self.row()])
        us, ms = self.stage_us_per_event, self.stage_ms
        print("  " + ", ".join(f"{one} {us[one]:.2f} µs/event {ms.get(one, 0.0):.1f} ms each" for one in us))
        print(f"  the machine's cores were {self.machine_share:.0%} busy", flush=True)


def _grown(
    before: Sequence[Mapping[str, float]], after: Sequence[Mapping[str, float]], name: str
) -> dict[str, float]:
    found: dict[str, float] = {}
    for sign, scrapes in ((-1, before), (1, after)):
        for scrape in scrapes:
            for stage, value in harness.of_metric(scrape, name, "stage").items():
                found[stage] = found.get(stage, 0.0) + sign * value
    return found


def grows(lag: Sequence[tuple[float, float]], until_s: float) -> bool:
    """Whether lag is longer in the last quarter of the sending than in the second one."""
    found = np.array([value for at_s, value in lag if at_s <= until_s])
    if len(found) < len(QUANTILES):
        return False
    quarters = np.array_split(found, 4)
    return bool(quarters[3].mean() > max(_GROWS * quarters[1].mean(), quarters[1].mean() + _GROWS_S))


def latencies(sent: Mapping[str, np.ndarray], seen: Mapping[str, np.ndarray]) -> np.ndarray:
    """Seconds from when the event that brought an alert's instant was due, until the alert was seen."""
    found = [np.zeros(0)]
    for number in np.unique(sent["partition"]).tolist():
        mine = sent["partition"] == number
        at_s, due_s = sent["at_s"][mine], sent["due_s"][mine]
        chosen = (seen["partition"] == number) & (seen["instant_s"] > at_s[0]) & (seen["retracted"] == 0)
        causes = np.searchsorted(at_s, seen["instant_s"][chosen])
        told = causes < len(at_s)
        found.append(seen["seen_s"][chosen][told] - due_s[causes[told]])
    return np.concatenate(found)
