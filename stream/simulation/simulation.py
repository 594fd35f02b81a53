"""What a simulation is asked for, and what cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from stream.simulation.city import LONG_SHARE, SEVERAL_SHARE, City
from stream.simulation.faults import Impairments

Placement = Literal["standard", "mixed"]


DAY_S = 86_400


class InvalidSimulation(ValueError):
    """What was asked for cannot be simulated; the message says why."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What to simulate.

    Parameters
    ----------
    days
        How long, of event time; the default lies within the allowed lateness.
    start_s
        Epoch seconds of the first event; None: such that the last one happens when it is sent.
    rate
        Events per second of real time; None: as ``speed`` says.
    speed
        Seconds of event time per second of real time; None: as fast as it goes.
    placement
        ``standard``: every producer uses Kafka's standard partitioner. ``mixed``: meituan's do, eleme's are
        librdkafka (CRC32), and jd's forget the key.
    to
        A file (``.gz`` and ``.zst`` are compressed, ``-`` is standard output) in place of Kafka.
    happens_now
        At a rate: every event happens when it is sent (what is late, as much earlier), for workers on the
        wall clock; orders are then shorter than a city's by as much as the rate is higher.
    honour
        By platform, the share of orders for riders on hold that it gives to others; without one it asks not.
    heat
        Where the conditions of a heat wave go: a file, or ``topic`` for their topic. None: it stays cool.
    """

    seed: int = 1
    riders: int = 1000
    days: float = 0.9
    start_s: int | None = None
    rate: float | None = None
    speed: float | None = None
    long: float = LONG_SHARE
    several: float = SEVERAL_SHARE
    impairments: Impairments = field(default_factory=Impairments)
    placement: Placement = "mixed"
    to: str | None = None
    happens_now: bool = False
    honour: Mapping[str, float] = field(default_factory=dict)
    heat: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be, all faults at once."""
        faults = [
            f"{name}={getattr(self, name)}: must be above zero"
            for name in ("riders", "days", "rate", "speed")
            if getattr(self, name) is not None and getattr(self, name) <= 0
        ]
        faults += [
            f"{name}={getattr(self, name)}: a share lies between 0 and 1"
            for name in ("long", "several")
            if not 0 <= getattr(self, name) <= 1
        ]
        if self.placement not in get_args(Placement):
            faults.append(f"placement={self.placement}: must be one of {', '.join(get_args(Placement))}")
        if self.riders > 1 << 24:
            faults.append(f"riders={self.riders}: at most {1 << 24}")
        if self.rate is not None and self.speed is not None:
            faults.append("rate and speed: name one of them, the other follows")
        if faults:
            raise InvalidSimulation("; ".join(faults))

    @property
    def is_paced(self) -> bool:
        """Whether messages wait for their time."""
        return self.rate is not None or self.speed is not None

    def city(self, now_s: float) -> City:
        """The city, with the beginning that ``now_s`` (epoch seconds) asks for."""
        duration_s = max(1, round(self.days * DAY_S))
        start_s = self.start_s
        if start_s is None:
            takes_s = duration_s / self.speed if self.speed else 0.0
            start_s = int(now_s + min(takes_s, duration_s)) - duration_s
        return City(self.seed, self.riders, start_s, duration_s, self.long, self.several)
