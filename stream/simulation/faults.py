"""What goes wrong between a courier's phone and Kafka: events lost, late, twice, out of order, broken.

Pure and seeded like the city. What is impaired differs from what happened only in how and when it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields

import numpy as np

from stream.simulation.events import FLAG_VOID, EventColumns, Floats, joined

_MOST_DISORDER_S = 30.0
_MEAN_LATENESS_S = 1800.0
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Impairments:
    """Shares of the events, each between 0 and 1, that meet with a fault; the faults fall independently.

    Parameters
    ----------
    lost
        Never sent: an order without its end, a session that nobody closes.
    late
        Sent half an hour later on average; one in fifty of them a day or two later, which is too late.
    duplicate
        Sent again within a minute.
    shuffled
        Sent up to half a minute later than its neighbours.
    malformed
        Sent in a form that is no event.
    void
        Taken back by a correction within an hour.

    Raises
    ------
    ValueError
        A share is none.
    """

    lost: float = 0.0
    late: float = 0.0
    duplicate: float = 0.0
    shuffled: float = 0.0
    malformed: float = 0.0
    void: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        wrong = [one.name for one in fields(self) if not 0 <= getattr(self, one.name) <= 1]
        if wrong:
            said = ", ".join(f"{name}={getattr(self, name)}" for name in wrong)
            raise ValueError(f"a share lies between 0 and 1: {said}")

    @property
    def any(self) -> bool:
        """Whether anything goes wrong at all."""
        return any(getattr(self, one.name) > 0 for one in fields(self))


def impair(happened: Iterable[EventColumns], seed: int, shares: Impairments) -> Iterator[EventColumns]:
    """The events as they are sent, in order of sending, in the same send_batches.

    ``happened`` is in time order, as `stream.simulation.city.slices` gives it. What is late comes in a later
    helping, and after the last one all that is still under way.
    """
    if not shares.any:
        yield from happened
        return
    waiting: list[EventColumns] = []
    for number, given in enumerate(happened):
        if not given.size:
            yield given
            continue
        rng = np.random.default_rng([seed, 4, number])
        all_sent = joined([*waiting, *_sent(rng, given, shares)])
        due = all_sent.arrival_s <= given.at_s[-1]
        waiting = [all_sent.take(~due)]
        yield _in_order(all_sent.take(due))
    if waiting:
        yield _in_order(waiting[0])


def _sent(rng: np.random.Generator, given: EventColumns, shares: Impairments) -> list[EventColumns]:
    size = given.size
    arrival_s = given.arrival_s + np.where(
        rng.random(size) < shares.shuffled, rng.uniform(0, _MOST_DISORDER_S, size), 0.0
    )
    late = np.minimum(rng.exponential(_MEAN_LATENESS_S, size), 20 * _HOUR_S)
    late = np.where(rng.random(size) < 0.02, rng.uniform(25 * _HOUR_S, 48 * _HOUR_S, size), late)
    arrival_s = arrival_s + np.where(rng.random(size) < shares.late, late, 0.0)
    fault = np.where(rng.random(size) < shares.malformed, rng.integers(1, len(_BREAK) + 1, size), 0)
    kept = rng.random(size) >= shares.lost
    again = kept & (rng.random(size) < shares.duplicate)
    voided = kept & (fault == 0) & (rng.random(size) < shares.void)
    again_s, void_s = arrival_s + rng.uniform(0, 60, size), arrival_s + rng.uniform(10, _HOUR_S, size)
    given = given._replace(arrival_s=arrival_s, fault=fault.astype(np.int8))
    return [given.take(kept), _later(given, again_s).take(again), _voids(_later(given, void_s).take(voided))]


def _later(given: EventColumns, arrival_s: Floats) -> EventColumns:
    return given._replace(arrival_s=arrival_s)


def _voids(given: EventColumns) -> EventColumns:
    return given._replace(flags=given.flags | FLAG_VOID)


def _in_order(sent: EventColumns) -> EventColumns:
    return sent.take(np.argsort(sent.arrival_s, kind="stable"))


def broken(line: bytes, fault: int) -> bytes:
    """A message as one of the faults leaves it; fault 0 leaves it alone."""
    return line if fault == 0 else _BREAK[fault - 1](line)


_BREAK: tuple[Callable[[bytes], bytes], ...] = (
    lambda line: line[: len(line) // 2],
    lambda line: line.replace(b'"platform":"', b'"platform":"\xff', 1),
    lambda line: b"[" + line + b"]",
    lambda line: line.replace(b"work-state/1", b"work-state/9", 1),
    lambda line: line.replace(b'"rider_id"', b'"courier_id"', 1),
    lambda line: line.replace(b"+08:00", b"+0800", 1),
    lambda line: line.replace(b'"type":"', b'"type":"un', 1),
    lambda line: line[:-1] + b',"note":"' + b"x" * 17_000 + b'"}',
)
