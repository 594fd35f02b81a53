"""One chain of the record on disk: lines are appended in batches, each ended by a seal, and found again.

A batch is there once its seal is: what a crash leaves behind the last seal was never there, and is read from
Kafka once more, from the offsets that the seal names. So nothing is lost, nothing stands twice, and there is
no second place that could disagree. ``head.json`` names the last seal, so that a missing end is seen.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from schemas.hold_ledger import (
    HEAD_SCHEMA,
    NOTHING,
    SCHEMA,
    SEGMENT,
    Line,
    NotCanonical,
    hashed,
    read_line,
    segment_name,
    to_sign,
    utc_ms,
    written,
)
from stream.ledger.disk import Disk
from stream.ledger.keys import SigningKey

HEAD = "head.json"
#: A file is followed by another once it is longer.
SEGMENT_BYTES = 16 << 20


class ChainDamaged(Exception):
    """Files that cannot be gone on with; the message names file and line and what to do."""


@dataclass
class _State:
    """Where a chain stands: its last sealed line, and what the seal says."""

    n: int = 0
    hash: str = NOTHING
    segment: int = 0
    size_bytes: int = 0
    key: str = ""
    ledger: str = ""
    positions: dict[str, int] = field(default_factory=dict)
    #: In this file.
    seals: int = 0


class Chain:
    """A chain that is written to; only by one process at a time.

    Parameters
    ----------
    name
        `schemas.hold_ledger.WHOLE`, or that of a platform's chain; its folder is called so.
    keys
        The newest last: it signs, once the one that signed before has handed over.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        keys: Sequence[SigningKey],
        *,
        disk: Disk | None = None,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        self.name = name
        self._folder = folder / name
        self._keys = {one.public: one for one in keys}
        self._newest = keys[-1]
        self._disk = disk or Disk()
        self._segment_bytes = segment_bytes
        self._state = _State()
        self._disk.folder(self._folder)
        self._recover()

    @property
    def positions(self) -> Mapping[str, int]:
        """By ``topic/partition``, the offset of the first record that is not in the chain yet."""
        return self._state.positions

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last line; 0 before the first."""
        return self._state.n, self._state.hash

    @property
    def size_bytes(self) -> int:
        """Of the file that is written to."""
        return self._state.size_bytes

    def append(self, lines: Sequence[Line], positions: Mapping[str, int], now_ms: int) -> None:
        """Write lines and a seal; they are on the disk when this returns, all or none.

        Parameters
        ----------
        lines
            Without number, hash and what comes before them.
        positions
            Of the partitions that were read, where to go on.
        now_ms
            The wall clock, for the seal.
        """
        was = self._state
        signing = self._keys[was.key or self._newest.public]
        batch = _Batch(was, self._folder.name)
        if was.segment == 0 or was.size_bytes >= self._segment_bytes:
            batch.header(signing.public)
        for line in lines:
            batch.add(line)
        if signing is not self._newest:
            batch.add({"line": "key", "public": self._newest.public})
        reached = {**was.positions, **positions}
        seal = {
            "line": "seal", "positions": reached, "sealed_at": utc_ms(now_ms),
            "key": signing.id, **batch.place(),
        }  # fmt: skip
        batch.add({**seal, "signature": signing.sign(to_sign(seal))})
        self._disk.append(self._path(batch.segment), b"".join(batch.parts))
        self._state = _State(
            batch.n, batch.hash, batch.segment, batch.size_bytes, self._newest.public, batch.ledger, reached
        )
        self._write_head(signing, utc_ms(now_ms))

    def _path(self, segment: int) -> Path:
        return self._folder / segment_name(segment)

    def _write_head(self, signing: SigningKey, sealed_at: str) -> None:
        state = self._state
        head = {
            "schema": HEAD_SCHEMA, "ledger": state.ledger, "chain": self.name, "segment": state.segment,
            "n": state.n, "hash": state.hash, "sealed_at": sealed_at, "key": signing.id,
        }  # fmt: skip
        # `hash` is the last line's, so it is signed here under a name of its own.
        signature = signing.sign(to_sign({**head, "head": state.hash}))
        self._disk.replace(self._folder / HEAD, written({**head, "signature": signature}))

    # -- after a crash -------------------------------------------------------------------------

    def _recover(self) -> None:
        """Stand at the last seal that is whole; take away what a crash left behind it."""
        head = read_head(self._folder / HEAD)
        durable = 0 if head is None else int(head["n"])
        numbers = sorted(
            int(found[1]) for path in self._folder.iterdir() if (found := SEGMENT.fullmatch(path.name))
        )
        last_seal: Line | None = None
        for number in reversed(numbers):
            state, last_seal, broken = _last_seal(self._path(number), number)
            if last_seal is not None and (broken is None or int(last_seal["n"]) >= durable):
                self._state = state
                break
            if broken is not None and head is not None and number <= int(head["segment"]):
                raise ChainDamaged(f"{broken}; `respite ledger verify {self._folder.parent}` says more")
        if self._state.n < durable or (head is None and (self._state.segment > 1 or self._state.seals > 1)):
            raise ChainDamaged(
                f"{self._folder}: {HEAD} is missing, or says more than the {self._state.n} lines here: "
                "restore the folder from a copy, or begin another; "
                f"`respite ledger verify {self._folder.parent}` says more"
            )
        self._trim(numbers)
        if self._state.key and self._state.key not in self._keys:
            raise ChainDamaged(
                f"{self._folder}: was signed with key {self._state.key}, which is not among those given: "
                "name the file that has it with --ledger-key"
            )
        if last_seal is not None and durable < self._state.n:
            # The crash came between a seal and the head that names it.
            signing = next(one for one in self._keys.values() if one.id == last_seal["key"])
            self._write_head(signing, str(last_seal["sealed_at"]))

    def _trim(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            path = self._path(number)
            if number > self._state.segment:
                self._disk.cut(path, 0)
            elif number == self._state.segment and path.stat().st_size > self._state.size_bytes:
                self._disk.cut(path, self._state.size_bytes)


class _Batch:
    """Lines that follow a state, as bytes."""

    def __init__(self, was: _State, chain: str) -> None:
        self.n, self.hash, self.segment, self.size_bytes = was.n, was.hash, was.segment, was.size_bytes
        self.ledger = was.ledger or os.urandom(8).hex()
        self.parts: list[bytes] = []
        self._chain = chain

    def header(self, key: str) -> None:
        """Begin a file."""
        self.segment += 1
        self.size_bytes = 0
        self.add(
            {
                "line": "header",
                "schema": SCHEMA,
                "ledger": self.ledger,
                "chain": self._chain,
                "segment": self.segment,
                "key": key,
            }
        )

    def place(self) -> Line:
        """What the next line says of its place."""
        return {"n": self.n + 1, "prev": self.hash}

    def add(self, line: Line) -> None:
        """Put a line behind the last."""
        made = hashed({**line, **self.place()})
        self.n, self.hash = made["n"], made["hash"]
        raw = written(made)
        self.size_bytes += len(raw)
        self.parts.append(raw)


def read_head(path: Path) -> Line | None:
    """What ``head.json`` says, unverified; None where there is none.

    Raises
    ------
    ChainDamaged
        It is no head.
    """
    try:
        head = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        head = None
    if isinstance(head, dict) and all(isinstance(head.get(name), int) for name in ("n", "segment")):
        return head
    raise ChainDamaged(f"{path}: is no head of a chain: restore it from a copy")


def _last_seal(path: Path, number: int) -> tuple[_State, Line | None, str | None]:
    """The state at a file's last whole seal, that seal, and what is wrong behind it."""
    state = _State(segment=number)
    found: Line | None = None
    at_seal = state
    key = handed_on = ledger = ""
    size = 0
    with path.open("rb") as lines:
        for count, raw in enumerate(lines, 1):
            try:
                line = read_line(raw.removesuffix(b"\n"))
            except NotCanonical as error:
                return at_seal, found, f"{path}: line {count}: {error}"
            if not raw.endswith(b"\n"):
                return at_seal, found, f"{path}: line {count}: has no end"
            size += len(raw)
            if line["line"] == "header":
                key, ledger = line["key"], line["ledger"]
            elif line["line"] == "key":
                handed_on = line["public"]
            elif line["line"] == "seal":
                key, handed_on = handed_on or key, ""
                found = line
                at_seal = _State(
                    line["n"],
                    line["hash"],
                    number,
                    size,
                    key,
                    ledger,
                    dict(line["positions"]),
                    at_seal.seals + 1,
                )
    return at_seal, found, None
