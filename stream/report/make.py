"""A week's report: the record is checked first, then counted, then written."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from schemas.hold_ledger import WHOLE, chain_of, platform_of
from stream.ledger.verify import Checked, check_chain, check_receipt
from stream.report.figures import Figures, for_regulator, from_prometheus
from stream.report.output import SUPPRESSED_NOTE, Report
from stream.report.prometheus import by_platform
from stream.report.week import Told, Week

_SLACK = timedelta(hours=1)


class NoReport(Exception):
    """There is nothing to report on, or it may not be relied on; the message says why."""


def make(
    place: Path, week: Week, reader: str, *, grace_s: int, lateness_s: int, prometheus: str | None = None
) -> Report:
    """The report of a week.

    Parameters
    ----------
    place
        Folder of a ledger; for a platform, its receipt will do.
    reader
        ``operator``, ``regulator``, or the platform that it is for.

    Raises
    ------
    NoReport
        The record is broken, is not there, or the week is not over for a regulator.
    PrometheusSilent
        The Prometheus that is named does not answer.
    """
    figures = Figures(week, grace_s)
    everybody = reader in ("operator", "regulator")
    if everybody:
        told, checked = _read(place, WHOLE, week)
        figures.whole(told)
        heads = {WHOLE: f"{checked.n}:{checked.hash}"}
        for name in sorted(path.name for path in place.iterdir()):
            platform = platform_of(name)
            if platform is not None:
                own, of_platform = _read(place, name, week)
                figures.platform(own, platform)
                heads[name] = f"{of_platform.n}:{of_platform.hash}"
    else:
        told, checked = _read(place, chain_of(reader), week)
        figures.platform(told, reader, alone=True)
        heads = {checked.chain: f"{checked.n}:{checked.hash}"}
    found = figures.found
    if prometheus is not None:
        known = from_prometheus(by_platform(prometheus, week), f"Prometheus {prometheus}")
        found = [*found, *(one for one in known if everybody or one.of == reader)]
    notes = [] if prometheus else [_NO_EVIDENCE]
    notes += [_GAPS] if checked.gaps else []
    hidden = reader == "regulator"
    if hidden:
        _must_be_final(week, checked, lateness_s)
        found = for_regulator(found)
        notes.append(SUPPRESSED_NOTE)
    platform = None if everybody else reader
    counting = [] if hidden else figures.counting(told, platform)
    excused = [] if hidden else figures.excused(told, platform)
    return Report(week, reader, found, heads, checked.sealed_at or "-", grace_s, counting, excused, notes)


_NO_EVIDENCE = (
    "迟到和被拒的证据、暂停期间的工时不在记录里：--prometheus URL 会从 Prometheus 取来。",
    (
        "Late and refused evidence, and hours worked on hold, are not in the record: --prometheus URL takes "
        "them from a Prometheus."
    ),
)
_GAPS = (
    "记录有缺口：写入之前，Kafka 已删除了一些消息。respite ledger verify 说明是哪些。",
    (
        "The record has gaps: Kafka had deleted messages before they were written down. "
        "respite ledger verify says which."
    ),
)


def _read(place: Path, chain: str, week: Week) -> tuple[Told, Checked]:
    told = Told(chain)
    take = told.reader(week)
    if not place.exists():
        raise NoReport(f"{place}: there is no such ledger; --ledger names its folder")
    checked = check_receipt(place, take) if place.is_file() else check_chain(place / chain, take)
    if checked.faults:
        raise NoReport("the record cannot be relied on:\n" + "\n".join(map(str, checked.faults)))
    if checked.chain != chain:
        raise NoReport(f"{place}: is the receipt of {checked.chain}, not of {chain}")
    told.hash = checked.hash
    return told, checked


def _must_be_final(week: Week, checked: Checked, lateness_s: int) -> None:
    """Late evidence changes figures, and a change of one tells who it was."""
    final = week.over + timedelta(seconds=lateness_s) + _SLACK
    sealed = datetime.fromisoformat(checked.sealed_at) if checked.sealed_at else None
    if sealed is None or sealed < final:
        raise NoReport(
            f"week {week.name} is final for a regulator once the record reaches {final.isoformat()}; "
            f"it reaches {checked.sealed_at or 'nowhere'}"
        )
