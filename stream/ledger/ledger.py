"""The record of holds as a folder: everybody's chain, and one for each platform with topics of its own."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain as joined
from pathlib import Path

from schemas.hold_ledger import WHOLE, Line, chain_of
from stream.kafka.offset_reader import Gone, Place, Read
from stream.ledger.chain import SEGMENT_BYTES, Chain
from stream.ledger.disk import Disk
from stream.ledger.keys import SigningKey
from stream.ledger.records import Record, entries, orders
from stream.settings import Settings

#: How long positions alone wait for a seal: what is not recorded is only passed over once more.
_POSITIONS_EVERY_MS = 60_000
Lines = Callable[[Sequence[Record]], Iterator[Line]]


class LedgerInUse(RuntimeError):
    """Another process writes to the folder."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Be the only one who writes to a folder.

    Raises
    ------
    LedgerInUse
        Somebody does already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    number = os.open(folder / "lock", os.O_WRONLY | os.O_CREAT, 0o640)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LedgerInUse(f"{folder}: another `respite ledger` writes to it; one is enough") from error
        yield
    finally:
        os.close(number)


class Ledger:
    """All chains of a folder, and which topics are written to which.

    Parameters
    ----------
    settings
        Name the topics, and the platforms that have their own (``outlets``).
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        keys: Sequence[SigningKey],
        *,
        disk: Disk | None = None,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        made = partial(Chain, folder, keys=keys, disk=disk, segment_bytes=segment_bytes)
        self._sources: dict[str, tuple[Chain, Lines]] = {}
        self._sealed_ms: dict[str, int] = {}
        self._passed: dict[str, dict[str, int]] = {}
        whole = made(WHOLE)
        self._sources[settings.alerts_topic] = whole, entries
        self._sources[settings.control_topic] = whole, orders
        for platform in settings.outlets:
            self._sources[settings.alerts_of(platform)] = made(chain_of(platform)), entries
        self.chains: dict[str, Chain] = {one.name: one for one, _ in self._sources.values()}

    @property
    def topics(self) -> list[str]:
        """What is read."""
        return list(self._sources)

    @property
    def positions(self) -> dict[Place, int]:
        """Where to go on in each partition, as the files say."""
        found = {}
        for one in self.chains.values():
            for name, offset in one.positions.items():
                topic, _, partition = name.rpartition("/")
                found[topic, int(partition)] = offset
        return found

    def begin(self, positions: Mapping[Place, int], gone: Sequence[Gone], now_ms: int) -> None:
        """Write down what is not there any more; and of a chain without lines, that it begins here."""
        whole = self.chains[WHOLE]
        named = [one for one in self.chains.values() if one is not whole and one.head[0] == 0]
        for one in self.chains.values():
            lines: list[Line] = [_gap(each) for each in gone if self._chain(each.place) is one]
            if one is whole:
                lines += [{"line": "chain", "chain": new.name} for new in named]
            if lines or one.head[0] == 0:
                mine = {place: at for place, at in positions.items() if self._chain(place) is one}
                one.append(lines, _named(mine), now_ms)
            self._sealed_ms[one.name] = now_ms

    def take(self, read: Read, now_ms: int) -> dict[str, int]:
        """Write down what was read; it is on the disk when this returns. How many lines each chain got."""
        written = {}
        for one in self.chains.values():
            places = [place for place in read.records if self._chain(place) is one]
            lines = list(joined.from_iterable(self._lines(read, place) for place in places))
            passed = self._passed.setdefault(one.name, {})
            passed.update(_named({place: read.positions[place] for place in places}))
            waited_ms = now_ms - self._sealed_ms.get(one.name, 0)
            if lines or (passed and waited_ms >= _POSITIONS_EVERY_MS):
                one.append(lines, passed, now_ms)
                self._sealed_ms[one.name] = now_ms
                passed.clear()
                written[one.name] = len(lines)
        return written

    def _lines(self, read: Read, place: Place) -> Iterator[Line]:
        return self._sources[place[0]][1](read.records[place])

    def _chain(self, place: Place) -> Chain:
        return self._sources[place[0]][0]


def _named(positions: Mapping[Place, int]) -> dict[str, int]:
    return {f"{topic}/{partition}": offset for (topic, partition), offset in positions.items()}


def _gap(one: Gone) -> Line:
    topic, partition = one.place
    return {
        "line": "gap", "topic": topic, "partition": partition, "from": one.start, "to": one.end,
        "reason": one.reason,
    }  # fmt: skip
