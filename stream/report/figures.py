"""The figures of a week, and what a regulator sees of them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.overview import K
from stream.api.documents.honour import after_told_s, counts, honour_rate
from stream.api.documents.suppression import SUPPRESSED, suppress
from stream.report.week import Alert, Hold, Told, Week, by, hold_of

#: Upper bounds of seconds after telling; the last group has none.
_GROUPS_S = (300, 1800, 3600)
_HOUR_S = 3600
_PERSON = "rider_id"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Parameters
    ----------
    name
        As `definitions` has it.
    of
        What it is of: a platform, a limit, a group; empty for the whole.
    value
        None: suppressed.
    people
        How many riders it is about; None where it is about no riders.
    table
        Figures of one table add up to the figure of that name without ``of``; empty for what stands alone.
    chain, hash
        What it rests on; for what does not come from the record, where it comes from.
    """

    name: str
    of: str
    value: float | None
    people: int | None
    table: str
    chain: str
    hash: str


class Figures:
    """Figures of everybody's chain, and of platforms' own."""

    def __init__(self, week: Week, grace_s: int) -> None:
        self._week = week
        self._grace_s = grace_s
        self.found: list[Figure] = []

    def whole(self, told: Told) -> None:
        """All figures of everybody's chain."""
        self._of_holds(told, "", None)
        self._by_limit(told)
        breaches = self.counting(told, None)
        self._groups(told, breaches)
        for platform, some in by(lambda one: str(one["platform"]), breaches).items():
            self._add(told, "breaches", platform, len(some), _riders(some), "platform")
        self._reviews(told)

    def platform(self, told: Told, platform: str, *, alone: bool = False) -> None:
        """Figures of a platform's chain; ``alone`` when it is all that the report is about."""
        self._of_holds(told, "" if alone else platform, platform)
        if alone:
            self._by_limit(told)
            self._groups(told, self.counting(told, platform))

    def excused(self, told: Told, platform: str | None) -> list[Alert]:
        """Breaches that came too soon after telling to count."""
        return [one for one in self._of_week(told, platform) if not self._counts(one)]

    def _of_holds(self, told: Told, of: str, platform: str | None) -> None:
        table = "platform" if of else ""
        holds = told.holds(self._week)
        counting = {hold_of(one) for one in told.breaches(platform) if self._counts(one)}
        breached = [hold for hold in holds if hold in counting]
        self._add(told, "holds", of, len(holds), _people(holds), table)
        self._add(told, "holds_breached", of, len(breached), _people(breached), table)
        rate = honour_rate(len(holds), len(breached))
        if rate is not None:
            self._add(told, "honour_rate", of, round(rate, 4), _people(holds), table)
        held_s = told.held_s(holds)
        hours = round(sum(held_s.values()) / _HOUR_S, 2)
        self._add(told, "hours_on_hold", of, hours, _people(held_s), table)
        still = [hold for hold in holds if hold not in held_s]
        self._add(told, "holds_open", of, len(still), _people(still), table)
        gone = {hold for one in told.retracted.values() if _began(one) and (hold := hold_of(one))}
        gone = {hold for hold in gone if hold not in holds and self._week.has(hold.begun)}
        self._add(told, "taken_back", of, len(gone), _people(gone), table)
        excused = self.excused(told, platform)
        self._add(told, "breaches_excused", of, len(excused), _riders(excused), table)
        if platform is None or table == "":
            counting_here = self.counting(told, platform)
            self._add(told, "breaches", of, len(counting_here), _riders(counting_here), table)

    def _by_limit(self, told: Told) -> None:
        reached = told.reached(self._week)
        self._add(told, "limits_reached", "", len(reached), _riders(reached), "")
        hours = sum(one["counted_s"] for one in reached) / _HOUR_S
        self._add(told, "hours_counted", "", round(hours, 2), _riders(reached), "")
        for limit, holds in by(lambda hold: f"{hold.policy} {hold.limit}", told.holds(self._week)).items():
            self._add(told, "holds", limit, len(holds), _people(holds), "limit")
        for limit, some in by(lambda one: f"{one['policy']} {one['limit']}", reached).items():
            self._add(told, "limits_reached", limit, len(some), _riders(some), "limit")
            hours = sum(one["counted_s"] for one in some) / _HOUR_S
            self._add(told, "hours_counted", limit, round(hours, 2), _riders(some), "limit")

    def _groups(self, told: Told, breaches: Sequence[Alert]) -> None:
        groups = by(lambda one: _group(after_told_s(one)), breaches)
        for name in [_group(bound - 1) for bound in _GROUPS_S] + [_group(_GROUPS_S[-1]), _group(None)]:
            some = groups.get(name, [])
            self._add(told, "breaches_after_told", name, len(some), _riders(some), "after_told")

    def _reviews(self, told: Told) -> None:
        outcomes = Counter(
            str(one["order"].get("outcome") or "asked for") for one in told.orders
            if one["order"]["schema"] == "review/1"
        )  # fmt: skip
        riders: dict[str, set[str]] = {}
        for one in told.orders:
            name = str(one["order"].get("outcome") or "asked for")
            riders.setdefault(name, set()).add(one[_PERSON])
        for name, count in sorted(outcomes.items()):
            self._add(told, "reviews", name, count, len(riders[name]), "outcome")

    def _of_week(self, told: Told, platform: str | None) -> list[Alert]:
        return [one for one in told.breaches(platform) if self._week.has(one["event_time"])]

    def counting(self, told: Told, platform: str | None) -> list[Alert]:
        """Breaches of the week that count."""
        return [one for one in self._of_week(told, platform) if self._counts(one)]

    def _counts(self, breach: Alert) -> bool:
        return counts(breach, self._grace_s)

    def _add(self, told: Told, name: str, of: str, value: float, people: int, table: str) -> None:
        self.found.append(Figure(name, of, value, people, table, told.chain, told.hash))


def _began(alert: Alert) -> bool:
    return str(alert["kind"]) == "limit_reached"


def _people(holds: Iterable[Hold]) -> int:
    return len({hold.rider for hold in holds})


def _riders(alerts: Iterable[Alert]) -> int:
    return len({one[_PERSON] for one in alerts})


def _group(after_s: int | None) -> str:
    if after_s is None:
        return "told_at not known"
    bounds = (0, *_GROUPS_S)
    for low, high in itertools.pairwise(bounds):
        if after_s < high:
            return f"under {high} s" if low == 0 else f"{low} to {high - 1} s"
    return f"{_GROUPS_S[-1]} s or more"


def for_regulator(figures: Sequence[Figure], k: int = K) -> list[Figure]:
    """The figures with what is about fewer than ``k`` riders left out, and as much more that no sum tells it.

    A table goes by the riders of its cells, by the rule of the overview; one whose total is hidden is hidden
    whole. A share is shown where both figures that it is made of are, or it would tell the hidden one.
    """
    hidden = {_place(one) for one in figures if not one.table and _small(one.people, k)}
    tables: dict[tuple[str, str], list[Figure]] = {}
    for one in figures:
        if one.table:
            tables.setdefault((one.name, one.table), []).append(one)
    for (name, _), cells in tables.items():
        total = "breaches" if name == "breaches_after_told" else name
        if (total, "") in hidden:
            hidden |= {_place(one) for one in cells}
            continue
        shown = suppress({one.of: one.people or 0 for one in cells}, k)
        hidden |= {_place(one) for one in cells if shown[one.of] == SUPPRESSED}
    # Feeds are shown from ten events on; hours worked cannot be told from those of a few riders here.
    hidden |= {
        _place(one)
        for one in figures
        if one.people is None and (one.name == "hours_worked_on_hold" or 0 < (one.value or 0) < k)
    }
    hidden |= _told_by_others(figures, hidden)
    return [replace(one, value=None, people=None) if _place(one) in hidden else one for one in figures]


def _told_by_others(figures: Sequence[Figure], hidden: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """What goes because something that it is made of, or makes, is hidden."""
    more = set()
    for one in figures:
        if one.name == "honour_rate" and {("holds", one.of), ("holds_breached", one.of)} & hidden:
            more.add(_place(one))
        # The holds that have ended and those that have not add up to the holds.
        if (
            one.name in ("hours_on_hold", "holds_open")
            and {("holds", one.of), ("holds_open", one.of)} & hidden
        ):
            more.add(_place(one))
        # Limits reached are told with their counts: hours over count tell each other.
        if one.name == "hours_counted" and ("limits_reached", one.of) in hidden:
            more.add(_place(one))
    return more


def _place(one: Figure) -> tuple[str, str]:
    return one.name, one.of


def _small(people: int | None, k: int) -> bool:
    return people is not None and 0 < people < k


def from_prometheus(found: Mapping[str, Mapping[str, float]], source: str) -> list[Figure]:
    """Figures by platform that the record cannot know; they are about feeds, not about anybody's hours."""
    return [
        Figure(name, platform, round(value, 2), None, "platform", source, "")
        for name, cells in found.items()
        for platform, value in sorted(cells.items())
    ]
