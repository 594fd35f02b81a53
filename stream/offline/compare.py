"""What several policies would have done on the same history, each judged for itself, whatever its dates.

The engine says everything: the holds of a policy are those of a replay; when a clock ran is asked by limits
of one second, and how long a limit stays reached by the same limit with a hold that ends with its episode.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from detectors.reading import Reader, shared_of
from detectors.settings import StoreSettings
from detectors.store import RiderStore
from detectors.verdicts import Verdict
from schemas.policy import Policy
from schemas.policy_limit import PolicyLimit
from stream.asked_columns import asked_of
from stream.offline.bad_lines import BadLines
from stream.offline.intervals import Interval, daily, intersection, union
from stream.offline.models import Modelled, Models, modelled
from stream.offline.replay import Replay, read_file

_SPANS = "spans"


@dataclass(slots=True)
class Held:
    """The holds of one limit, or how long it stayed reached: by rider, from when to when."""

    by_rider: dict[str, list[Interval]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(map(len, self.by_rider.values()))


@dataclass(slots=True)
class Breach:
    """An order that a platform's rider accepted in a hold."""

    rider: str
    platform: str
    at_s: int


@dataclass(slots=True)
class Tried:
    """What one policy would have done; by limit its holds and its episodes at or above the limit."""

    policy: Policy
    reached: dict[str, list[tuple[int, str]]]
    holds: dict[str, Held]
    above: dict[str, Held]
    breaches: list[Breach]
    on_hold: dict[str, list[Interval]]


@dataclass(slots=True)
class Comparison:
    """The same history under several policies; ``clocks`` has the spans of each clock by rider."""

    now_s: int
    events: int
    riders: list[str]
    platforms: dict[str, tuple[str, ...]]
    clocks: dict[str, dict[str, list[Interval]]]
    tried: list[Tried]
    #: What models say of the history; None where none is asked.
    modelled: Modelled | None = None

    def above_s(self, tried: Tried, limit: PolicyLimit) -> dict[str, int]:
        """Seconds of the limit's clock at or above it, by rider."""
        spans, found = self.clocks[limit.clock], {}
        for rider, episodes in tried.above[limit.name].by_rider.items():
            counted = intersection(episodes, spans.get(rider, []))
            if limit.between is not None and counted:
                within = (counted[0][0], counted[-1][1])
                counted = intersection(counted, daily(limit.between, tried.policy.time_zone, within))
            found[rider] = sum(end - begin for begin, end in counted)
        return {rider: seconds for rider, seconds in found.items() if seconds}


def compare(
    files: Sequence[str],
    policies: Sequence[Policy],
    settings: StoreSettings,
    as_of_s: int | None,
    bad: BadLines,
    models: Models | None = None,
) -> Comparison | None:
    """Try policies on a history; None where there is no event.

    Every acceptance in a hold counts, the grace after its beginning included: it would not have been pushed.

    Raises
    ------
    DamagedInput
        A file is cut short or damaged.
    """
    settings = replace(settings, breach_grace_s=0)
    clocks = sorted({one.clock for policy in policies for one in policy.limits} | {"order"})
    history = Replay([spans_policy(clocks)], settings, as_of_s, bad, regardless_of_dates=True, models=models)
    files = [name for name in files if read_file(history, name)]
    if history.now_s is None:
        return None
    ids = [history.store.rider_id(row) for row in range(history.store.riders)]
    found = Comparison(
        now_s=history.now_s,
        events=history.events,
        riders=sorted(ids),
        platforms=_platforms(history.store, ids),
        clocks=_spans(history),
        tried=[],
    )
    for policy in policies:
        real, shadow = (_judged(files, one, settings, history.now_s) for one in (policy, lasting(policy)))
        found.tried.append(_tried(policy, real, shadow))
    if models is not None:
        found.modelled = modelled(models, history.store, found.now_s, [one.on_hold for one in found.tried])
    return found


def spans_policy(clocks: Sequence[str]) -> Policy:
    """A policy whose holds tell when clocks ran: from after their first second to after a second off."""
    limits = [
        {"name": clock, "kind": "continuous", "clock": clock, "limit": "1s", "reset": "1s", "effect": "hold"}
        for clock in clocks
    ]
    words = {"zh": _SPANS, "en": _SPANS}
    return Policy.model_validate(
        {"name": _SPANS, "version": 1, "time_zone": "UTC", "modality": "platform", "title": words,
         "source": _SPANS, "limit": limits}
    )  # fmt: skip


def lasting(policy: Policy) -> Policy:
    """The same limits, each with a hold that lasts as long as its episode at or above the limit."""
    limits = [
        one.model_copy(
            update={
                "effect": "hold", "release": _ending(one), "hold_for_s": None, "warn_before_s": (),
                "remind_every_s": None,
            }
        )
        for one in policy.limits
    ]  # fmt: skip
    return policy.model_copy(update={"limits": tuple(limits)})


def _ending(one: PolicyLimit) -> str:
    return "rest" if one.window_kind in ("continuous", "span", "rest_within") else "window"


def _judged(files: Sequence[str], policy: Policy, settings: StoreSettings, as_of_s: int) -> Replay:
    run = Replay([policy], settings, as_of_s, regardless_of_dates=True)
    for name in files:
        read_file(run, name)
    return run


def _verdicts(run: Replay) -> list[tuple[Verdict, str, str]]:
    """The verdicts with their rider and limit, in the order of instants."""
    limits = run.store.limits.limits
    ids: dict[int, str] = {}
    found = []
    for one in run.outcomes():
        if isinstance(one, Verdict) and not one.retracted:
            ids.setdefault(one.row, run.store.rider_id(one.row))
            found.append((one, ids[one.row], limits[one.limit].name))
    return found


def _holds(verdicts: Sequence[tuple[Verdict, str, str]], names: Sequence[str], now_s: int) -> dict[str, Held]:
    """From when to when each limit held each rider; what is not released holds until *now*."""
    ends: dict[tuple[str, str, int], int] = {}
    for one, rider, limit in verdicts:
        if one.hold_from_s is not None and one.kind == "limit_reached":
            ends.setdefault((limit, rider, one.hold_from_s), now_s)
        elif one.hold_from_s is not None and one.kind == "hold_released":
            ends[limit, rider, one.hold_from_s] = one.event_time_s
    found = {name: Held() for name in names}
    for (limit, rider, begin_s), end_s in sorted(ends.items()):
        found[limit].by_rider.setdefault(rider, []).append((begin_s, end_s))
    return found


def _spans(run: Replay) -> dict[str, dict[str, list[Interval]]]:
    """When each clock ran, by rider: held from a second after a span's beginning to one after its end."""
    assert run.now_s is not None
    now_s, names = run.now_s, [one.name for one in run.store.limits.limits]
    spans: dict[str, dict[str, list[Interval]]] = {name: {} for name in names}
    for clock, held in _holds(_verdicts(run), names, now_s + 1).items():
        for rider, holds in held.by_rider.items():
            found = ((begin - 1, min(end - 1, now_s)) for begin, end in holds)
            spans[clock][rider] = [(begin, end) for begin, end in found if begin < end]
    return spans


def _tried(policy: Policy, real: Replay, shadow: Replay) -> Tried:
    assert real.now_s is not None
    names = [one.name for one in policy.limits]
    verdicts = _verdicts(real)
    holds = _holds(verdicts, names, real.now_s)
    reached: dict[str, list[tuple[int, str]]] = {name: [] for name in names}
    breaches = []
    for one, rider, limit in verdicts:
        if one.kind == "limit_reached":
            reached[limit].append((one.event_time_s, rider))
        elif one.kind == "hold_breached" and one.platform is not None:
            breaches.append(Breach(rider, real.store.platform(one.platform), one.event_time_s))
    together: dict[str, list[Interval]] = {}
    for held in holds.values():
        for rider, found in held.by_rider.items():
            together[rider] = union([*together.get(rider, []), *found])
    above = _holds(_verdicts(shadow), names, real.now_s)
    return Tried(policy, reached, holds, above, breaches, together)


def _platforms(store: RiderStore, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The platforms whose own each rider is."""
    if not ids:
        return {}
    asked, _ = asked_of(ids)
    reader = Reader(store.limits, store.settings)
    claims = reader.claims(shared_of(store.memory), 0, asked, np.arange(len(ids)))
    return {
        rider: tuple(sorted(store.platform(number) for number, _ in found or ()))
        for rider, found in zip(ids, claims, strict=True)
    }


def differences(found: Comparison) -> Iterator[tuple[int, int, str, tuple[int, ...]]]:
    """When some policies hold a rider and others do not: from, until, rider, places of those that do."""
    for rider in sorted({rider for one in found.tried for rider in one.on_hold}):
        holds = [[span for span in one.on_hold.get(rider, []) if span[0] < span[1]] for one in found.tried]
        edges = sorted({edge for spans in holds for span in spans for edge in span})
        former: tuple[int, int, tuple[int, ...]] | None = None
        for begin, end in pairwise(edges):
            held_by = tuple(at for at, spans in enumerate(holds) if any(a <= begin < b for a, b in spans))
            if former is not None and (former[1], former[2]) == (begin, held_by):
                former = (former[0], end, held_by)
                continue
            if former is not None:
                yield former[0], former[1], rider, former[2]
            former = (begin, end, held_by) if 0 < len(held_by) < len(holds) else None
        if former is not None:
            yield former[0], former[1], rider, former[2]


def reached_alone(found: Comparison) -> list[tuple[int, str, int, str]]:
    """Limits reached at an instant at which no other policy reaches any: instant, rider, place, limit."""
    at: Mapping[int, dict[tuple[int, str], list[str]]] = {place: {} for place in range(len(found.tried))}
    for place, one in enumerate(found.tried):
        for limit, instants in one.reached.items():
            for instant in instants:
                at[place].setdefault(instant, []).append(limit)
    return sorted(
        (instant_s, rider, place, limit)
        for place, instants in at.items()
        for (instant_s, rider), limits in instants.items()
        if not any((instant_s, rider) in at[other] for other in at if other != place)
        for limit in limits
    )
