"""Checking the record of holds offline: every hash, signature and number; where it breaks is said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.hold_ledger import (
    HEAD_SCHEMA,
    NOTHING,
    SCHEMA,
    SEGMENT,
    WHOLE,
    Line,
    NotCanonical,
    canonical,
    platform_of,
    read_line,
    segment_name,
    to_sign,
)
from stream.ledger.chain import HEAD
from stream.ledger.keys import key_id, signed_by

Progress = Callable[[int], None]
#: What may lie beside the files of a chain: what a replacement leaves when it is cut short.
_LEFT_OVER = HEAD + ".new"
_NAMES: dict[str, frozenset[str]] = {
    "header": frozenset({"schema", "ledger", "chain", "segment", "key"}),
    "entry": frozenset({"topic", "partition", "offset", "written_at", "alert"}),
    "order": frozenset({"topic", "partition", "offset", "written_at", "rider_id", "order"}),
    "gap": frozenset({"topic", "partition", "from", "to", "reason"}),
    "chain": frozenset({"chain"}),
    "key": frozenset({"public"}),
    "seal": frozenset({"positions", "sealed_at", "key", "signature"}),
}
_EVERY = frozenset({"line", "n", "prev", "hash"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a record breaks. ``line`` counts from 1; 0 is the file as a whole."""

    file: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}: line {self.line}: {self.what}" if self.line else f"{self.file}: {self.what}"


@dataclass
class Checked:
    """What a chain turned out to be.

    Parameters
    ----------
    n, hash
        Of its last sealed line.
    gaps
        Records of Kafka that were gone before they could be written down, as the chain itself says.
    """

    chain: str
    n: int = 0
    hash: str = NOTHING
    ledger: str = ""
    keys: list[str] = field(default_factory=list)
    entries: int = 0
    sealed_at: str | None = None
    first_at: str | None = None
    gaps: list[Line] = field(default_factory=list)
    chains: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


Seen = Callable[[Path, int, Line], None]


class _Reading:
    """A chain read line by line; what is not as it must be is a fault, and the next file begins anew."""

    def __init__(self, chain: str, seen: Seen | None) -> None:
        self.checked = Checked(chain)
        self._seen = seen
        self._segment = 0
        self._n = 0
        self._prev = NOTHING
        self._key: str | None = None
        self._handed_on: str | None = None
        self._unsealed = 0
        self._offsets: dict[tuple[str, int], int] = {}
        self._waiting: list[tuple[Path, int, Line]] = []

    def file(self, path: Path, raws: Iterator[tuple[int, bytes]], segment: int | None) -> None:
        """Read a file; ``segment`` is the number that its name has."""
        for number, raw in raws:
            fault = self._line(path, number, raw, segment)
            if fault is not None:
                self.checked.faults.append(Fault(path, number, fault))
                self._lost()
                # The next file is judged by itself.
                self._segment = segment or self._segment
                return
        if self._unsealed:
            what = f"ends with {self._unsealed} lines that no seal has signed: cut short"
            self.checked.faults.append(Fault(path, 0, what))
            self._lost()

    def _lost(self) -> None:
        """Behind a break only a header can say where the chain goes on."""
        self._n = -1
        self._unsealed = 0
        self._waiting.clear()

    def _line(self, path: Path, number: int, raw: bytes, segment: int | None) -> str | None:
        if not raw.endswith(b"\n"):
            return "has no end: cut short"
        try:
            line = read_line(raw[:-1])
        except NotCanonical as error:
            return str(error)
        names = _NAMES.get(line.get("line", ""))
        if names is None or set(line) != names | _EVERY:
            return f"is no line of {SCHEMA}"
        header = line["line"] == "header"
        if segment is not None and header != (number == 1):
            return "a header stands first in its file, and only there"
        if header:
            wrong = self._header(line, segment)
            if wrong:
                return wrong
        elif self._n >= 0 and line["n"] != self._n + 1:
            return f"is number {line['n']}, and {self._n + 1} comes here: lines are missing or out of order"
        elif line["prev"] != self._prev:
            return "does not follow the line before it: lines were changed, removed or put elsewhere"
        self._n, self._prev = line["n"], line["hash"]
        self._unsealed += 1
        self._waiting.append((path, number, line))
        return self._content(line)

    def _header(self, line: Line, segment: int | None) -> str | None:
        checked = self.checked
        if line["schema"] != SCHEMA or line["chain"] != checked.chain:
            return f"is the header of {line['schema']}, chain {line['chain']}; this is chain {checked.chain}"
        if segment is not None and line["segment"] != segment:
            return f"is file {line['segment']} of the chain under the name of file {segment}"
        if line["segment"] != self._segment + 1:
            missing = f"{segment_name(self._segment + 1)}"
            return (
                f"file {line['segment']} comes where {missing} is expected: a file is missing or out of order"
            )
        self._segment += 1
        if checked.ledger and line["ledger"] != checked.ledger:
            return f"belongs to ledger {line['ledger']}, the files before it to {checked.ledger}"
        if self._key is not None and line["key"] != self._key:
            return f"is signed with key {line['key'][:16]}…, and no line hands over to it"
        if self._n >= 0 and (line["n"] != self._n + 1 or line["prev"] != self._prev):
            return "does not follow the last line of the file before it"
        if not checked.keys:
            checked.keys.append(line["key"])
        self._key, checked.ledger = line["key"], line["ledger"]
        return None

    def _content(self, line: Line) -> str | None:
        kind = line["line"]
        if kind in ("entry", "order"):
            return self._record(line)
        if kind == "gap":
            self.checked.gaps.append(line)
        elif kind == "chain":
            self.checked.chains.append(line["chain"])
        elif kind == "key":
            self._handed_on = line["public"]
        elif kind == "seal":
            return self._seal(line)
        return None

    def _record(self, line: Line) -> str | None:
        place = line["topic"], line["partition"]
        before = self._offsets.get(place, -1)
        if line["offset"] <= before:
            return f"is offset {line['offset']} of {place[0]}/{place[1]} after {before}: recorded twice"
        self._offsets[place] = line["offset"]
        self.checked.first_at = self.checked.first_at or line["written_at"]
        return None

    def _seal(self, line: Line) -> str | None:
        assert self._key is not None
        if line["key"] != key_id(self._key) or not signed_by(self._key, line["signature"], to_sign(line)):
            return f"the signature is not that of key {key_id(self._key)}"
        for (topic, partition), offset in self._offsets.items():
            if line["positions"].get(f"{topic}/{partition}", 0) <= offset:
                return f"the seal's position of {topic}/{partition} lies before a line that it seals"
        checked = self.checked
        checked.n, checked.hash, checked.sealed_at = line["n"], line["hash"], line["sealed_at"]
        checked.entries += sum(one["line"] == "entry" for _, _, one in self._waiting)
        if self._seen is not None:
            for one in self._waiting:
                self._seen(*one)
        self._waiting.clear()
        self._unsealed = 0
        if self._handed_on is not None:
            self._key, self._handed_on = self._handed_on, None
            checked.keys.append(self._key)
        return None

    def end(self, place: Path, head: Line | None, fault: str | None) -> None:
        """Compare with the head, which says how far the chain goes."""
        checked = self.checked
        fault = fault or _head_fault(head or {}, checked)
        if fault is not None:
            checked.faults.append(Fault(place, 0, fault))


def _head_fault(head: Line, checked: Checked) -> str | None:
    signer = next((key for key in checked.keys if key_id(key) == head["key"]), None)
    if signer is None or not signed_by(signer, head["signature"], to_sign({**head, "head": head["hash"]})):
        return "its signature is that of no key of the chain"
    if (head["ledger"], head["chain"]) != (checked.ledger, checked.chain):
        return f"is the head of ledger {head['ledger']}, chain {head['chain']}"
    if head["n"] > checked.n and not checked.faults:
        return f"says that there are {head['n']} lines, and {checked.n} are here: the end is missing"
    if head["n"] == checked.n and head["hash"] != checked.hash:
        return "names another last line than the one that is here"
    return None


_HEAD_NAMES = frozenset(
    {"schema", "ledger", "chain", "segment", "n", "hash", "sealed_at", "key", "signature"}
)


def parse_head(raw: bytes) -> tuple[Line | None, str | None]:
    """A head, or what is wrong with it."""
    try:
        head = json.loads(raw)
    except ValueError:
        return None, "is no JSON"
    if not isinstance(head, dict) or set(head) != _HEAD_NAMES or head["schema"] != HEAD_SCHEMA:
        return None, f"is no {HEAD_SCHEMA}"
    if canonical(head) + b"\n" != raw:
        return None, "is not written as canonical JSON"
    return head, None


def check_chain(folder: Path, seen: Seen | None = None, progress: Progress | None = None) -> Checked:
    """Check one chain; ``seen`` is told every line that a seal has signed."""
    reading = _Reading(folder.name, seen)
    checked = reading.checked
    if not folder.is_dir():
        checked.faults.append(Fault(folder, 0, "is missing"))
        return checked
    files = sorted(path for path in folder.iterdir() if path.name not in (HEAD, _LEFT_OVER))
    for path in files:
        found = SEGMENT.fullmatch(path.name)
        if found is None or not path.is_file():
            checked.faults.append(Fault(path, 0, "is no file of a chain: take it away"))
            continue
        reading.file(path, _lines(path, progress), int(found[1]))
        if path.stat().st_size == 0:
            checked.faults.append(Fault(path, 0, "is empty"))
    try:
        raw = (folder / HEAD).read_bytes()
    except FileNotFoundError:
        checked.faults.append(Fault(folder / HEAD, 0, "is missing: without it a missing end cannot be seen"))
        return checked
    reading.end(folder / HEAD, *parse_head(raw))
    return checked


def check_receipt(file: Path, seen: Seen | None = None, progress: Progress | None = None) -> Checked:
    """Check a platform's receipt: the files of its chain, one behind the other, and the head last."""
    with file.open("rb") as lines:
        first = lines.readline()
    try:
        chain = str(json.loads(first)["chain"])
    except (ValueError, KeyError, TypeError):
        checked = Checked("?")
        checked.faults.append(Fault(file, 1, "is no header of a chain: this is no receipt"))
        return checked
    reading = _Reading(chain, seen)
    last: list[tuple[int, bytes]] = []

    def but_the_last() -> Iterator[tuple[int, bytes]]:
        for one in _lines(file, progress):
            if last:
                yield last.pop()
            last.append(one)

    reading.file(file, but_the_last(), None)
    number, raw = last[-1] if last else (0, b"")
    head, fault = parse_head(raw)
    if reading.checked.faults:
        return reading.checked
    if fault is not None:
        what = f"{fault}: a receipt ends with the head of its chain"
        reading.checked.faults.append(Fault(file, number, what))
    else:
        reading.end(file, head, None)
    return reading.checked


def _lines(path: Path, progress: Progress | None) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            if progress is not None:
                progress(len(raw))
            yield number, raw


def check_folder(folder: Path, progress: Progress | None = None) -> list[Checked]:
    """Check a whole ledger: everybody's chain first, then each platform's, and these against the first.

    What a platform was told must stand in everybody's chain too: nobody can be shown another record than the
    regulator.
    """
    mine: set[bytes] = set()
    whole = check_chain(folder / WHOLE, lambda _, __, line: _remember(mine, line), progress)
    found = [whole]
    here = sorted(path.name for path in folder.iterdir() if path.is_dir() and platform_of(path.name))
    for name in here:
        strangers: list[Fault] = []

        def compare(path: Path, number: int, line: Line, into: list[Fault] = strangers) -> None:
            if line["line"] != "entry" or _digest(line["alert"]) in mine:
                return
            if (whole.first_at or "") <= line["written_at"] <= (whole.sealed_at or "") and not whole.gaps:
                into.append(Fault(path, number, f"alert {line['alert']['alert_id']} is not in chain {WHOLE}"))

        checked = check_chain(folder / name, compare, progress)
        if whole.ledger and checked.ledger and not whole.faults:
            checked.faults += strangers
        found.append(checked)
    for name in whole.chains:
        if name not in here:
            whole.faults.append(
                Fault(folder / name, 0, f"chain {WHOLE} says that it was begun: it is missing")
            )
    return found


def _remember(into: set[bytes], line: Line) -> None:
    if line["line"] == "entry":
        into.add(_digest(line["alert"]))


def _digest(alert: dict[str, Any]) -> bytes:
    return hashlib.sha256(canonical(alert)).digest()[:16]


def unpinned(found: Sequence[Checked], key: str) -> list[Fault]:
    """Chains that do not begin with a key that one knows from elsewhere."""
    return [
        Fault(Path(one.chain), 0, f"begins with key {one.keys[0]}, not with {key}")
        for one in found
        if one.keys and one.keys[0] != key
    ]
