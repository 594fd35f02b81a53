"""Whatever happens to the files of a ledger is found, and named with its file and line."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.hold_ledger import WHOLE, chain_of, hashed, written
from stream.cli.main import app
from stream.kafka.offset_reader import Gone
from stream.ledger.chain import HEAD
from stream.ledger.verify import check_chain, check_folder, check_receipt
from tests.stream.ledger.records import (
    ALERTS,
    BEGAN_S,
    Told,
    alert,
    batches,
    fill,
    read,
    seen_by,
    signing,
    small_ledger,
    told,
)

SMALL_SEGMENT = 3000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ledger of several files in each chain."""
    fill(small_ledger(tmp_path, "alpha", segment_bytes=SMALL_SEGMENT), riders=2)
    return tmp_path / "ledger"


def faults(folder: Path) -> list[str]:
    return [
        f"{fault.file.relative_to(folder)}:{fault.line}"
        for one in check_folder(folder)
        for fault in one.faults
    ]


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_ledger_that_nobody_touched_is_whole(folder: Path) -> None:
    whole, alpha = check_folder(folder)
    assert (whole.faults, alpha.faults) == ([], [])
    # Of two riders a hold, a breach and a release each; the warnings are not recorded.
    assert (whole.entries, alpha.entries) == (6, 6)
    assert len(list((folder / WHOLE).glob("*.ndjson"))) > 1


def test_every_single_byte_that_is_changed_is_found_where_it_is(tmp_path: Path) -> None:
    fill(small_ledger(tmp_path, segment_bytes=1500), riders=1)
    folder = tmp_path / "ledger"
    assert faults(folder) == []
    checked = 0
    for path in files(folder):
        good = path.read_bytes()
        for at, byte in enumerate(good):
            # One bit; in half of the bytes another one.
            path.write_bytes(good[:at] + bytes([byte ^ (1 << at % 8)]) + good[at + 1 :])
            line = 0 if path.name == HEAD else good[:at].count(b"\n") + 1
            assert faults(folder)[0] == f"{path.relative_to(folder)}:{line}", f"{path.name} byte {at}"
            checked += 1
        path.write_bytes(good)
    assert checked > 4000


def test_a_changed_byte_of_a_larger_ledger_is_found_where_it_is(tmp_path: Path) -> None:
    fill(small_ledger(tmp_path, "alpha", segment_bytes=20_000), riders=30)
    folder = tmp_path / "ledger"
    chance = random.Random(5)
    for _ in range(60):
        path = chance.choice(files(folder))
        good = path.read_bytes()
        at = chance.randrange(len(good))
        path.write_bytes(good[:at] + bytes([good[at] ^ chance.randrange(1, 256)]) + good[at + 1 :])
        line = 0 if path.name == HEAD else good[:at].count(b"\n") + 1
        assert f"{path.relative_to(folder)}:{line}" in faults(folder), f"{path} byte {at}"
        path.write_bytes(good)


def test_every_length_that_a_file_is_cut_to_is_found(folder: Path) -> None:
    for path in files(folder):
        good = path.read_bytes()
        for size in range(0, len(good), 41):
            path.write_bytes(good[:size])
            assert faults(folder), f"{path} cut to {size}"
        path.write_bytes(good)


def test_an_end_cut_off_at_a_seal_is_found_by_the_head(folder: Path) -> None:
    last = max((folder / WHOLE).glob("*.ndjson"))
    last.unlink()
    assert faults(folder)[0] == f"{WHOLE}/{HEAD}:0"


def test_every_file_that_is_removed_is_missed(folder: Path) -> None:
    for path in files(folder):
        good = path.read_bytes()
        path.unlink()
        assert faults(folder), path
        path.write_bytes(good)


def test_every_two_lines_that_change_places_are_found(folder: Path) -> None:
    for path in files(folder):
        good = path.read_bytes()
        lines = good.splitlines(keepends=True)
        for at in range(len(lines) - 1):
            swapped = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
            path.write_bytes(b"".join(swapped))
            assert faults(folder)[0] == f"{path.relative_to(folder)}:{at + 1}"
        path.write_bytes(good)


def test_files_that_change_places_are_found(folder: Path) -> None:
    one, two = sorted((folder / WHOLE).glob("*.ndjson"))[:2]
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    assert faults(folder)[0] == f"{WHOLE}/{one.name}:1"


def test_a_chain_that_is_removed_is_missed(folder: Path) -> None:
    shutil.rmtree(folder / chain_of("alpha"))
    assert faults(folder) == [f"{chain_of('alpha')}:0"]


def test_a_line_that_is_made_up_with_right_hashes_lacks_the_signature(folder: Path) -> None:
    path = max((folder / WHOLE).glob("*.ndjson"))
    lines = [json.loads(raw) for raw in path.read_bytes().splitlines()]
    forged = []
    prev = lines[0]["prev"]
    for line in lines:
        line.pop("hash")
        if line["line"] == "entry":
            line["alert"]["hold"]["told_at"] = "2026-11-23T16:09:00+08:00"
        line["prev"] = prev
        made = hashed(line)
        prev = made["hash"]
        forged.append(written(made))
    path.write_bytes(b"".join(forged))
    seal = next(number for number, line in enumerate(lines, 1) if line["line"] == "seal")
    (fault, *_) = check_chain(folder / WHOLE).faults
    assert (fault.line, "the signature is not that of key" in fault.what) == (seal, True)


def test_a_platform_that_was_shown_another_record_than_the_regulator_is_found(tmp_path: Path) -> None:
    ledger = small_ledger(tmp_path, "alpha")
    fill(ledger, riders=1)
    # Only in the platform's chain.
    ledger.take(read(seen_by("alpha", [alert("made-up")], first=90)), BEGAN_S * 1000 + 50)
    ledger.take(read(told([alert("later")], first=90)), BEGAN_S * 1000 + 60)
    (fault,) = (fault for one in check_folder(tmp_path / "ledger") for fault in one.faults)
    assert fault.what == f"alert made-up is not in chain {WHOLE}"


def test_records_that_kafka_has_dropped_are_a_gap_and_no_fault(tmp_path: Path) -> None:
    fill(small_ledger(tmp_path))
    ledger = small_ledger(tmp_path)
    reached = dict(ledger.positions)
    gone = Gone((ALERTS, 0), reached[ALERTS, 0], 500, "retention")
    ledger.begin({**reached, (ALERTS, 0): 500}, [gone], BEGAN_S * 1000)
    answer = CliRunner().invoke(app, ["ledger", "verify", str(tmp_path / "ledger")])
    assert answer.exit_code == 3
    assert f"gap: {ALERTS}/0 offsets {gone.start} to 500 (retention) were gone" in answer.output


def test_a_receipt_can_be_checked_alone_and_says_nothing_of_others(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "receipt.ndjson"
    command = ["ledger", "receipt", "--platform", "alpha", "--ledger", str(folder), "--to", str(file)]
    assert CliRunner().invoke(app, command).exit_code == 0
    shutil.rmtree(folder)
    public = signing(tmp_path)[0].public
    answer = CliRunner().invoke(app, ["ledger", "verify", str(file), "--key", public])
    assert (answer.exit_code, answer.output.splitlines()[0][:37]) == (
        0,
        "platform-alpha: whole, 6 holds and li",
    )
    text = file.read_text(encoding="utf-8")
    for hidden in ("310105", '"window"', '"evidence"', WHOLE + '"'):
        assert hidden not in text


def test_every_single_byte_of_a_receipt_counts(tmp_path: Path) -> None:
    fill(small_ledger(tmp_path, "alpha"), riders=1)
    file = tmp_path / "receipt.ndjson"
    command = [
        "ledger",
        "receipt",
        "--platform",
        "alpha",
        "--ledger",
        str(tmp_path / "ledger"),
        "--to",
        str(file),
    ]
    assert CliRunner().invoke(app, command).exit_code == 0
    good = file.read_bytes()
    for at, byte in enumerate(good):
        file.write_bytes(good[:at] + bytes([byte ^ (1 << at % 8)]) + good[at + 1 :])
        assert check_receipt(file).faults, f"byte {at}"
    lines = good.splitlines(keepends=True)
    for at in range(len(lines)):
        file.write_bytes(b"".join(lines[:at] + lines[at + 1 :]))
        assert check_receipt(file).faults, f"line {at + 1} left out"


def test_a_receipt_of_a_platform_without_a_record_is_refused(folder: Path) -> None:
    answer = CliRunner().invoke(app, ["ledger", "receipt", "--platform", "beta", "--ledger", str(folder)])
    assert answer.exit_code == 2
    assert "there is no record for platform beta" in answer.stderr


def test_a_ledger_by_another_key_than_the_one_known_is_refused(folder: Path) -> None:
    answer = CliRunner().invoke(app, ["ledger", "verify", str(folder), "--key", "ab" * 32])
    assert answer.exit_code == 1
    assert f"begins with key {signing(folder.parent)[0].public}" in answer.stderr


def test_what_is_recorded_of_an_alert_is_what_binds(folder: Path) -> None:
    first = next(
        line
        for raw in (folder / WHOLE / "00000001.ndjson").read_bytes().splitlines()
        if (line := json.loads(raw))["line"] == "entry"
    )
    begun = batches(1)[0][0]
    assert first["alert"] == {name: begun[name] for name in first["alert"]}
    assert set(first["alert"]) & {"evidence", "window", "zone", "message", "source"} == set()


def test_reviews_and_lifted_holds_are_recorded_and_orders_to_forget_are_not(tmp_path: Path) -> None:
    ledger = small_ledger(tmp_path)
    fill(ledger, riders=1)
    schemas = ("review/1", "lift-hold/1", "forget/1", "zone-condition/1")
    values = [json.dumps({"schema": name}).encode() for name in schemas]
    values += [b"no JSON", b"[]"]
    control = "respite.control"
    orders = [Told(control, 0, n, BEGAN_S * 1000, b"r7", value) for n, value in enumerate(values)]
    ledger.take(read(orders), BEGAN_S * 1000 + 99)
    lines = [
        json.loads(raw)
        for path in sorted((tmp_path / "ledger" / WHOLE).glob("*.ndjson"))
        for raw in path.read_bytes().splitlines()
    ]
    recorded = [(one["rider_id"], one["order"]["schema"]) for one in lines if one["line"] == "order"]
    assert recorded == [("r7", "review/1"), ("r7", "lift-hold/1")]
    assert faults(tmp_path / "ledger") == []
