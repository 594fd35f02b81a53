"""What a regulator may see, as recording rules: ``python -m deploy.prometheus.suppressed [--check]``.

Writes ``rules/suppressed.yml``. A cell that is about one to nine people is not recorded, and neither are as
many more that it cannot be computed from those that are; the regulator's dashboard reads nothing else. How
many people a cell needs is `schemas.overview.K`, as for the API's overview.

Readings
--------
A cell of nobody hides nobody and is shown. A table is hidden where the total that it adds up to is hidden.
A rider counts for every platform that he works for, so by platform the cells may add up to more than the
total; as nobody but us knows by how much, they are treated as if they added up.
Holds and breaches are happenings, but one of each has one rider: a cell of fewer than ten is about fewer than
ten people. A cell of ten or more may be about fewer, of whom some came twice; that nobody counts.
Time worked in holds is shown where at some instant of the hour ten riders worked at once.
Shares and rates are made of nothing but cells that are shown, so they say no more than these.
Late, refused and doubtful evidence is about feeds, not about anybody's hours: shown from ten events on.
Riders without orders are shown where those with orders of the platform are nobody or ten too.
How a cell moves from one moment to the next is not hidden, as it is not in the API's overview.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.generated import write
from schemas.overview import K

FILE = Path(__file__).resolve().parent / "rules" / "suppressed.yml"
#: Platforms hidden beside those with a small cell before the table by platform and limit is given up.
_MORE_PLATFORMS = 2
_LIMIT = "policy, limit"
_RIDERS = "all:respite_riders:sum_suppressed"
_STATUSES = "status:respite_riders:sum_suppressed"
_PLATFORMS = "platform_status:respite_platform_riders:sum_suppressed"
_HOLDS = "respite_holds:increase1h_suppressed"
_BREACHES = "respite_breaches:increase1h_suppressed"
_HEAD = """\
# Written by `python -m deploy.prometheus.suppressed`, which says why; `make check` compares. Rules of a group
# are evaluated in their order and for one instant, so that all cells and totals are of the same moment.
groups:
  - name: respite-suppressed
    rules:
"""


@dataclass(frozen=True, slots=True)
class Cells:
    """A table: an expression, and how many people each cell is about (None: they are what it counts)."""

    value: str
    people: str | None = None

    @property
    def small(self) -> str:
        """Cells about one to nine people."""
        if self.people is None:
            return f"({self.value} > 0 < {K})"
        return f"(({self.value} > 0) unless ({self.people} >= {K}))"

    @property
    def large(self) -> str:
        """Cells about ten people and more."""
        return f"(({self.value} > 0) unless {self.small})" if self.people else f"({self.value} >= {K})"


def shown(cells: Cells, row: str = "") -> str:
    """Cells that may be shown with the total of each row (by its labels; none: all are one row).

    Where the small cells of a row are about fewer than ten people together, as one alone always is, the
    smallest other one is hidden too; of several that are the smallest, all. What `people` says cannot be
    added up, as they may be the same ones: then one more is always hidden.
    """
    few = (
        f"(sum by ({row}) {cells.small} < {K})" if cells.people is None else f"(sum by ({row}) {cells.small})"
    )
    smallest = f"{cells.large} == on ({row}) group_left () min by ({row}) {cells.large}"
    return f"(({cells.value} == 0) or ({cells.large} unless (({smallest}) and on ({row}) {few})))"


def total(value: str) -> str:
    """A sum that may be shown."""
    return f"(({value} == 0) or ({value} >= {K}))"


def _of(status: str, name: str = _STATUSES) -> str:
    return f'{name}{{status="{status}"}}'


def rules() -> Iterator[tuple[str, str]]:
    """Recorded name and expression, in the order in which they rest on each other."""
    yield from _riders()
    yield from _crossed("respite_riders_on_hold", "respite_platform_riders_on_hold", "hold")
    yield from _crossed("respite_riders_near_limit", "respite_platform_riders_near_limit", "approaching")
    yield from _happenings()
    yield from _time_worked()
    yield from _evidence()


def _riders() -> Iterator[tuple[str, str]]:
    yield _RIDERS, total("sum(respite_riders)")
    # With the platform's riders, those with orders are known; what all platforms add up to is told nowhere.
    without = "sum by (platform) (respite_platform_riders_without_orders)"
    others = f"(sum by (platform) (respite_platform_riders) - {without})"
    yield (
        "platform:respite_platform_riders_without_orders:sum_suppressed",
        f"{total(without)} and on (platform) {total(others)}",
    )
    yield _STATUSES, f"{shown(Cells('sum by (status) (respite_riders)'))} and on () {_RIDERS}"
    # With those on hold, those on hold who do not work are known.
    working = "sum(respite_riders_working_on_hold)"
    idle = f"(sum(respite_riders_on_hold) - {working})"
    yield (
        "all:respite_riders_working_on_hold:sum_suppressed",
        f"{total(working)} and {total(idle)} and on () {_of('hold')}",
    )
    for name, status in (("respite_riders_on_hold", "hold"), ("respite_riders_near_limit", "approaching")):
        cells = Cells(f"sum by ({_LIMIT}) ({name})")
        yield f"policy_limit:{name}:sum_suppressed", f"{shown(cells)} and on () {_of(status)}"
    for label in ("platform", "zone"):
        cells = Cells(f"sum by ({label}, status) (respite_{label}_riders)")
        yield (
            f"{label}_status:respite_{label}_riders:sum_suppressed",
            f"{shown(cells, 'status')} and on (status) {_STATUSES}",
        )


def _crossed(limits: str, metric: str, status: str) -> Iterator[tuple[str, str]]:
    """By platform and limit, where both totals are shown: a platform's limits are shown all or none.

    A platform with a small cell, or whose own total is hidden, is hidden. That must not leave a limit of
    which what is hidden is of one platform, or of fewer than ten riders, as the limit's total would give it
    away; nor one that adds up to a total that is hidden. As long as it does, the smallest platform shown is
    hidden too, and in the end all are. Longer chains of sums over several platforms and limits are not
    looked for.
    """
    cells = f"sum by (platform, {_LIMIT}) ({metric})"
    totals = f"policy_limit:{limits}:sum_suppressed"
    whole = f"platform:{metric}:sum_whole"
    yield (
        f"{whole}0",
        f"sum by (platform) ({_of(status, _PLATFORMS)}) unless on (platform) ({cells} > 0 < {K})",
    )

    def exposed(step: int) -> str:
        hidden = f"({cells} > 0 unless on (platform) {whole}{step})"
        few = f"(count by ({_LIMIT}) {hidden} < 2 or sum by ({_LIMIT}) {hidden} < {K})"
        summed = f"(sum by ({_LIMIT}) ({limits}) > 0 unless on ({_LIMIT}) {totals})"
        return f"(({few} and on ({_LIMIT}) {totals}) or ({summed} unless on ({_LIMIT}) {hidden}))"

    for step in range(_MORE_PLATFORMS):
        smallest = f"{whole}{step} == on () group_left () min({whole}{step} > 0)"
        yield f"{whole}{step + 1}", f"{whole}{step} unless (({smallest}) and on () {exposed(step)})"
    yield (
        f"platform_policy_limit:{metric}:sum_suppressed",
        f"{cells} and on (platform) {whole}{_MORE_PLATFORMS} unless on () {exposed(_MORE_PLATFORMS)}",
    )


def _increase(by: str, metric: str) -> str:
    """What a counter grew by in an hour, never more than it did: `increase` extrapolates."""
    grown = f"sum{by} (increase({metric}[1h]))"
    seen = f"sum{by} (max_over_time({metric}[1h]) - min_over_time({metric}[1h]))"
    return f"({grown} <= {seen} or {seen})"


def _happenings() -> Iterator[tuple[str, str]]:
    for name, of_platform in (
        (_HOLDS, "respite_platform_holds_total"),
        (_BREACHES, "respite_breaches_total"),
    ):
        metric = f"{name.partition(':')[0]}_total"
        yield f"all:{name}", total(_increase("", metric))
        by_platform = Cells(_increase(" by (platform)", of_platform))
        yield f"platform:{name}", f"{shown(by_platform)} and on () all:{name}"
    by_limit = Cells(_increase(f" by ({_LIMIT})", "respite_holds_total"))
    yield f"policy_limit:{_HOLDS}", f"{shown(by_limit)} and on () all:{_HOLDS}"
    for level in ("all", "platform"):
        yield (
            f"{level}:respite_holds_breached:ratio_rate1h_suppressed",
            f"{level}:{_BREACHES} / ({level}:{_HOLDS} > 0)",
        )
    yield (
        "platform:respite_breaches_per_rider_on_hold:ratio_rate1h_suppressed",
        f"platform:{_BREACHES} / (sum by (platform) (avg_over_time({_of('hold', _PLATFORMS)}[1h])) > 0)",
    )


def _time_worked() -> Iterator[tuple[str, str]]:
    for level, labels, metric, workers in (
        ("policy_limit", _LIMIT, "respite_hold_work_seconds", "respite_riders_working_on_hold"),
        (
            "platform",
            "platform",
            "respite_platform_hold_work_seconds",
            "respite_platform_riders_working_on_hold",
        ),
    ):
        at_once = f"{level}:{workers}:sum"
        yield at_once, f"sum by ({labels}) ({workers})"
        seconds = f"sum by ({labels}) (increase({metric}_total[1h]))"
        cells = Cells(seconds, f"max_over_time({at_once}[1h])")
        yield f"{level}:{metric}:increase1h_suppressed", shown(cells)


def _evidence() -> Iterator[tuple[str, str]]:
    accepted = "sum by (platform) (increase(respite_accepted_events_total[5m]))"
    refused = "sum by (platform) (increase(respite_refused_events_total[5m]))"
    read = 'sum by (job) (increase(respite_events_total{outcome="read"}[5m]))'
    taken = read.replace("read", "accepted")
    # By platform and kind, and summed up nowhere: a cell that is not shown cannot be computed.
    yield (
        "platform_kind:respite_doubtful_events:increase1h_suppressed",
        total(_increase(" by (platform, kind)", "respite_doubtful_events_total")),
    )
    for level, metric, events in (
        ("platform", "respite_late_events", accepted),
        ("platform", "respite_refused_events", f"({accepted} + {refused})"),
        ("job", "respite_late_events", taken),
        ("job", "respite_dead_letters", read),
    ):
        ratio = f"{level}:{metric}:ratio_rate5m"
        yield f"{ratio}_suppressed", f"{ratio} and on ({level}) ({events} >= {K})"


def document() -> str:
    """The file's text."""
    parts = [_HEAD]
    for name, expression in rules():
        lines = textwrap.wrap(expression, 112, break_long_words=False, break_on_hyphens=False)
        folded = "\n".join(f"          {line}" for line in lines)
        parts.append(f"      - record: {name}\n        expr: >-\n{folded}\n")
    return "".join(parts)


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare; the exit status."""
    return write({FILE: document()}, "deploy.prometheus.suppressed", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
