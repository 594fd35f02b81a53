"""A process killed between any two steps of writing has written everything exactly once in the end."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.hold_ledger import WHOLE, chain_of
from stream.ledger.chain import HEAD, ChainDamaged
from stream.ledger.disk import Disk
from stream.ledger.keys import LedgerKeyFile
from stream.ledger.ledger import Ledger, LedgerInUse, alone_in
from stream.ledger.verify import check_folder
from tests.stream.ledger.records import ALERTS, BEGAN_S, batches, fill, read, seen_by, small_ledger, told

SMALL_SEGMENT = 1200
RIDERS = 2


class HastyDisk(Disk):
    """Waits for no disk."""

    def _sync(self, number: int) -> None:
        pass

    def _sync_folder(self, path: Path) -> None:
        pass


class DyingDisk(Disk):
    """Kills its process, without any farewell, at the n-th step; a write is cut short first."""

    def __init__(self, dies_at: int) -> None:
        self._left = dies_at

    def _step(self) -> bool:
        self._left -= 1
        return self._left == 0

    def _write(self, number: int, data: bytes) -> None:
        if self._step():
            os.kill(os.getpid(), signal.SIGKILL)
        # Cut short in the middle, and after all but the last byte.
        for part in (len(data) // 2, len(data) - 1):
            if self._step():
                super()._write(number, data[:part])
                os.kill(os.getpid(), signal.SIGKILL)
        super()._write(number, data)

    def _sync(self, number: int) -> None:  # noqa: ARG002 - the disk's
        self._before(
            lambda: None
        )  # A killed process loses nothing that it has written; a test need not wait.

    def _rename(self, waiting: Path, path: Path) -> None:
        self._before(lambda: Disk._rename(self, waiting, path))

    def _sync_folder(self, path: Path) -> None:  # noqa: ARG002 - the disk's
        self._before(lambda: None)

    def cut(self, path: Path, size: int) -> None:
        self._before(lambda: Disk.cut(self, path, size))

    def _before(self, step: Callable[[], None]) -> None:
        if self._step():
            os.kill(os.getpid(), signal.SIGKILL)
        step()


def go_on(folder: Path, disk: Disk) -> None:
    """Do what is left of `fill`, from where the files say: as the process does with Kafka's offsets."""
    ledger = small_ledger(folder, "alpha", disk=disk, segment_bytes=SMALL_SEGMENT)
    positions = ledger.positions
    ledger.begin({(topic, 0): positions.get((topic, 0), 0) for topic in ledger.topics}, [], BEGAN_S * 1000)
    for count, batch in enumerate(batches(RIDERS)):
        both = [told(batch, first=count * 10), seen_by("alpha", batch, first=count * 10)]
        left = [[one for one in records if one.offset >= _at(ledger, one.topic)] for records in both]
        if any(left):
            ledger.take(read(*filter(None, left)), BEGAN_S * 1000 + count)


def _at(ledger: Ledger, topic: str) -> int:
    return ledger.positions.get((topic, 0), 0)


def in_a_child(work: Callable[[], None]) -> bool:
    """Whether a child process did the work to its end; False when it was killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - the child must not go on as a test
            os._exit(2)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFEXITED(status)


def recorded(folder: Path, chain: str) -> list[str]:
    lines = [
        json.loads(raw)
        for path in sorted((folder / "ledger" / chain).glob("*.ndjson"))
        for raw in path.read_bytes().splitlines()
    ]
    return [line["alert"]["alert_id"] for line in lines if line["line"] == "entry"]


@pytest.mark.parametrize("second_dies_at", [None, 5])
def test_killed_at_every_step_everything_is_there_once(tmp_path: Path, second_dies_at: int | None) -> None:
    wanted = ["0-a", "0-b", "0-c", "1-a", "1-b", "1-c"]
    steps = 0
    while True:
        steps += 1
        folder = tmp_path / f"at-{steps}"
        folder.mkdir()
        small_ledger(folder, disk=HastyDisk())  # The key is there before.
        dying = DyingDisk(steps)
        survived = in_a_child(lambda one=dying, to=folder: go_on(to, one))  # type: ignore[misc]
        if second_dies_at is not None:
            again = DyingDisk(second_dies_at)
            in_a_child(lambda one=again, to=folder: go_on(to, one))  # type: ignore[misc]
        go_on(folder, HastyDisk())
        for chain in (WHOLE, chain_of("alpha")):
            assert recorded(folder, chain) == wanted, f"killed at step {steps}"
        assert [fault for one in check_folder(folder / "ledger") for fault in one.faults] == []
        if survived:
            break
    # Two chains, five batches each: writes in three parts, synced, renamed.
    assert steps > 100


def test_what_was_sealed_and_is_damaged_is_not_written_on(tmp_path: Path) -> None:
    fill(small_ledger(tmp_path))
    path = tmp_path / "ledger" / WHOLE / "00000001.ndjson"
    good = path.read_bytes()
    at = len(good) // 2
    path.write_bytes(good[:at] + b"?" + good[at + 1 :])
    with pytest.raises(ChainDamaged, match=r"00000001\.ndjson: line \d+: .*respite ledger verify"):
        small_ledger(tmp_path)
    assert path.read_bytes()[at : at + 1] == b"?"


def test_an_end_that_is_missing_is_not_written_on(tmp_path: Path) -> None:
    fill(small_ledger(tmp_path))
    path = tmp_path / "ledger" / WHOLE / "00000001.ndjson"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]))
    with pytest.raises(ChainDamaged, match="restore the folder from a copy"):
        small_ledger(tmp_path)


def test_without_its_head_a_chain_is_not_written_on(tmp_path: Path) -> None:
    fill(small_ledger(tmp_path))
    (tmp_path / "ledger" / WHOLE / HEAD).unlink()
    with pytest.raises(ChainDamaged, match=r"head\.json is missing"):
        small_ledger(tmp_path)


def test_a_new_key_is_handed_over_to_by_the_old_one(tmp_path: Path) -> None:
    fill(small_ledger(tmp_path, "alpha"))
    new = LedgerKeyFile(tmp_path / "keys.json").add(rotate=True)
    go_on_with = small_ledger(tmp_path, "alpha", segment_bytes=1)
    for count in (80, 90):
        records = told(batches(1)[0], first=count), seen_by("alpha", batches(1)[0], first=count)
        go_on_with.take(read(*records), BEGAN_S * 1000)
    for one in check_folder(tmp_path / "ledger"):
        assert (one.faults, len(one.keys), one.keys[-1]) == ([], 2, new.public)


def test_a_key_that_nobody_handed_over_to_is_refused(tmp_path: Path) -> None:
    fill(small_ledger(tmp_path))
    (tmp_path / "keys.json").unlink()
    with pytest.raises(ChainDamaged, match="was signed with key"):
        small_ledger(tmp_path)


def test_two_processes_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with alone_in(tmp_path), pytest.raises(LedgerInUse, match="another `respite ledger`"), alone_in(tmp_path):
        pass


def test_offsets_alone_are_sealed_once_a_minute(tmp_path: Path) -> None:
    ledger = small_ledger(tmp_path)
    ledger.begin({(ALERTS, 0): 0}, [], BEGAN_S * 1000)
    warned = [batches(1)[0][1]]
    assert ledger.take(read(told(warned)), BEGAN_S * 1000 + 1000) == {}
    assert ledger.take(read(told(warned, first=4)), BEGAN_S * 1000 + 61_000) == {WHOLE: 0}
    assert small_ledger(tmp_path).positions[ALERTS, 0] == 5
