"""What a partition must not say before its state is rebuilt, and what it need not say again then.

While the source is read again nothing provisional is told, for what is still to be read may undo it. What
is final is another matter: every later record that could change it will be refused (``SEALED``), so what
is told of it at once is word for word what would be told at the end. It goes out in bounded parts; a year
of alerts would not fit into memory. A crash in between costs repeats of the same ids and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from detectors import pages
from detectors.limits import LimitTable
from detectors.store import RiderStore
from detectors.verdicts import Outcome, Verdict
from stream.output.alert_json import alert_id


class RebuildBuffer:
    """What became final, or vanished, while the state was rebuilt.

    What has vanished is held to the end: it may come back. That is at most what the pages said was told. A
    final verdict takes the place of a retraction of its own id, and nothing can follow it.
    """

    def __init__(self) -> None:
        self._vanished: dict[tuple[int, int, str, int, int | None], Verdict] = {}
        self._final: list[Verdict] = []

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Take in what a judge said; a store that is not live says no statuses."""
        for one in outcomes:
            assert isinstance(one, Verdict), "a status of a store that is being rebuilt"
            key = one.row, one.event_time_s, one.kind, one.limit, one.platform
            if one.retracted:
                self._vanished[key] = one
            else:
                self._vanished.pop(key, None)
                self._final.append(one)

    @property
    def final(self) -> int:
        """How many final verdicts are held."""
        return len(self._final)

    def take_final(self) -> list[Verdict]:
        """The final verdicts in their order; they are held no longer."""
        taken, self._final = self._final, []
        return taken

    def take_all(self) -> list[Verdict]:
        """Everything that is held: the source has been read to its end."""
        vanished, self._vanished = self._vanished, {}
        return [*vanished.values(), *self.take_final()]

    def forget(self, row: int) -> None:
        """Drop what is held of a rider."""
        self._vanished = {key: one for key, one in self._vanished.items() if one.row != row}
        self._final = [one for one in self._final if one.row != row]


class AlreadyPublished:
    """What of riders who are told again the outputs hold for certain, so that it need not be repeated.

    A verdict that the pages say was told was in the outputs, as it is, when its page was packed. What was
    said of its id after that lies behind the marker, so its id is among those read back from there. One
    that is not among them, and has not changed since, stands there already.
    """

    def __init__(self, store: RiderStore, limits: LimitTable, rows: Iterable[int], ids: set[str]) -> None:
        self._known = {
            _as_told(one)
            for row in rows
            for one in pages.told_of(store, row)
            if _id_of(store, limits, one) not in ids
        }

    def news(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Without those."""
        return [one for one in outcomes if not isinstance(one, Verdict) or _as_told(one) not in self._known]


def _as_told(verdict: Verdict) -> Verdict:
    # When a hold's first alert was published is looked up anew each time, and changes nothing of it.
    return replace(verdict, told_at_s=None)


def _id_of(store: RiderStore, limits: LimitTable, one: Verdict) -> str:
    limit = limits.limits[one.limit]
    platform = None if one.platform is None else store.platform(one.platform)
    rider = store.rider_id(one.row)
    return alert_id(rider, limit.policy, limit.name, one.kind, one.event_time_s, platform)
