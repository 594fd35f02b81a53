"""`respite import`: any form, the same events twice, faults with row and column, nothing half written."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
import zstandard
from typer.testing import CliRunner

from stream.cli.main import app
from tests.stream.importing.test_maps import SAMPLES, run

SHANGHAI = ("--map", "trips", "--zone", "Asia/Shanghai")
TRIPS = (SAMPLES / "trips.csv").read_bytes()
ROWS = [line.split(",") for line in TRIPS.decode().splitlines()]
OBJECTS = [dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]


def zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in files.items():
            archive.writestr(name, contents)
    return made.getvalue()


def parquet() -> bytes:
    import pyarrow as pa
    from pyarrow import parquet as pq

    made = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(OBJECTS), made)
    return made.getvalue()


FORMS = {
    "csv": TRIPS,
    "crlf": TRIPS.replace(b"\n", b"\r\n"),
    "semicolons": TRIPS.replace(b",", b";"),
    "tsv": TRIPS.replace(b",", b"\t"),
    "mark": b"\xef\xbb\xbf" + TRIPS,
    "utf-16": TRIPS.decode().encode("utf-16"),
    "gzip": gzip.compress(TRIPS),
    "zstd": zstandard.compress(TRIPS),
    "quoted": b"\n".join(b",".join(b'"%s"' % one for one in line.split(b",")) for line in TRIPS.splitlines()),
    "ndjson": b"\n".join(json.dumps(one).encode() for one in OBJECTS),
    "array": json.dumps(OBJECTS).encode(),
    "pretty array": json.dumps(OBJECTS, indent=2).encode(),
    "pretty objects": b"\n".join(json.dumps(one, indent=2).encode() for one in OBJECTS),
    "parquet": parquet(),
    "parquet in gzip": gzip.compress(parquet()),
    "zip": zipped(**{"data/trips.csv": TRIPS, "data/other.csv": b"a,b\n1,2\n", "__MACOSX/._x": b"\0"}),
    "zip of parquet": zipped(**{"trips.parquet": parquet()}),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_events(tmp_path: Path, form: str) -> None:
    (tmp_path / "plain").write_bytes(TRIPS)
    (tmp_path / "other").write_bytes(FORMS[form])
    _, wanted = run(tmp_path, str(tmp_path / "plain"), *SHANGHAI)
    result, events = run(tmp_path, str(tmp_path / "other"), *SHANGHAI)
    assert result.exit_code == 0, result.output
    assert events == wanted
    assert len(events) == 8


def test_an_array_longer_than_any_buffer_streams(tmp_path: Path) -> None:
    many = [{**OBJECTS[0], "order": f"{number}", "note": "x" * 300} for number in range(2000)]
    (tmp_path / "many.json").write_text(json.dumps(many, indent=1))
    result, events = run(tmp_path, str(tmp_path / "many.json"), *SHANGHAI)
    assert result.exit_code == 0, result.output
    assert len(events) == 6000
    assert len({one["order_id"] for one in events}) == 2000


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (TRIPS[:-40] + b'"open quote,\n' * 3, "wrong_width"),
        (
            b"rider,platform\n1,2\n",
            "has no column order, accepted, delivered, which the map trips reads; it has",
        ),
        (gzip.compress(TRIPS)[:-9], "cut short"),
        (parquet()[:-30], "Parquet file that cannot be read"),
        (zipped(a=TRIPS)[:-30], "ZIP archive that is cut short or damaged"),
        (zipped(a=b"x,y\n1,2\n"), "no file in it has the columns that the map trips reads"),
        (zipped(**{"[Content_Types].xml": b"<x/>"}), "is a spreadsheet or document: save the sheet as CSV"),
        (json.dumps(OBJECTS).encode()[:-5], "cannot be read after item 2"),
        (TRIPS + "骑手,美团,A,2026-11-02 08:00,,\n".encode("gb18030"), "say --encoding"),
        (b"%PDF-1.7\n", "is a PDF document"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_written(
    tmp_path: Path, contents: bytes, said: str
) -> None:
    (tmp_path / "in").write_bytes(contents)
    result, events = run(tmp_path, str(tmp_path / "in"), *SHANGHAI)
    assert said in result.output
    assert result.exit_code in ((3,) if said == "wrong_width" else (1,)), result.output
    assert bool(events) == (said == "wrong_width")


def test_another_encoding_is_read_when_it_is_named(tmp_path: Path) -> None:
    text = TRIPS.decode() + "骑手,meituan,A,2026-11-02 08:00,,2026-11-02 08:10\n"
    (tmp_path / "in").write_bytes(text.encode("gb18030"))
    result, events = run(tmp_path, str(tmp_path / "in"), *SHANGHAI, "--encoding", "gb18030")
    assert result.exit_code == 0, result.output
    assert len(events) == 10


def test_an_output_that_is_an_input_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "events.ndjson"
    place.write_bytes(TRIPS)
    result = CliRunner().invoke(
        app, ["import", str(place), *SHANGHAI, "--to", str(place), "--key", str(tmp_path / "k")]
    )
    assert result.exit_code == 2
    assert "which would be lost" in result.output
    assert place.read_bytes() == TRIPS


def test_another_key_gives_other_pseudonyms_and_the_key_is_nobody_elses(tmp_path: Path) -> None:
    _, first = run(tmp_path, str(SAMPLES / "trips.csv"), *SHANGHAI)
    key = tmp_path / "key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.unlink()
    _, second = run(tmp_path, str(SAMPLES / "trips.csv"), *SHANGHAI)
    assert {one["rider_id"] for one in first}.isdisjoint({one["rider_id"] for one in second})
    key.write_text("short")
    result, _ = run(tmp_path, str(SAMPLES / "trips.csv"), *SHANGHAI)
    assert result.exit_code == 2
    assert "holds no key of 64 hexadecimal digits" in result.output


def test_a_map_of_ones_own_with_states_in_a_column_and_ends_assumed(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        """
name = "own"
title = { zh = "表", en = "Own" }
about = { zh = "表", en = "Own" }
source = "ours"
ids = "kept"
rider = { column = "who" }
platform = { constant = "eleme" }
types = { IN = "online", OUT = "offline" }

[times]
format = "%d.%m.%Y %H:%M"
zone = "Europe/Berlin"

[[event]]
type_column = "what"
time = "at"
""",
        encoding="utf-8",
    )
    (tmp_path / "t.csv").write_text(
        "who|what|at\nr1|IN|29.03.2026 02:30\nr1|OUT|29.03.2026 04:00\nr1|X|29.03.2026 05:00\n"
    )
    result, events = run(tmp_path, str(tmp_path / "t.csv"), "--map", str(tmp_path / "own.toml"))
    assert [one["event_time"] for one in events] == ["2026-03-29T01:30:00Z", "2026-03-29T02:00:00Z"]
    assert "1 local times lie in the hour that clocks leave out" in result.output
    assert 't.csv:4: type: what: "X" is no word of the map\'s types' in result.output


def test_every_fault_of_a_map_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'name = "o"\nevnt = 1\nrider = { constant = "a b" }\n[times]\nzone = "Mars"\n'
    )
    result, _ = run(tmp_path, str(SAMPLES / "trips.csv"), "--map", str(tmp_path / "own.toml"))
    assert result.exit_code == 2
    for said in (
        "evnt: is not known; did you mean event?",
        'constant "a b"',
        '"Mars" is no time zone',
        "title: ",
    ):
        assert said in result.output


def test_the_replay_of_ones_own_export_counts_what_the_export_says(tmp_path: Path) -> None:
    rows = ["rider,platform,order,accepted,picked_up,delivered"]
    rows += [f"a,p,{hour},2026-11-02 {hour:02}:00,,2026-11-02 {hour + 1:02}:00" for hour in range(8, 13)]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    run(tmp_path, str(tmp_path / "t.csv"), *SHANGHAI)
    alerts = tmp_path / "alerts"
    done = CliRunner().invoke(
        app, ["replay", str(tmp_path / "events.ndjson"), "--policy", "cn-gbt-2025", "--alerts", str(alerts)]
    )
    assert done.exit_code == 0, done.output
    reached = [json.loads(line) for line in alerts.read_text().splitlines() if '"limit_reached"' in line]
    assert [(one["event_time"], one["counted_s"]) for one in reached] == [
        ("2026-11-02T12:00:00+08:00", 14400)
    ]


@pytest.mark.parametrize("bar", [[], ["--map", "nothing"], ["--map", "trips"]])
def test_what_is_missing_on_the_line_is_said(tmp_path: Path, bar: list[str]) -> None:
    result, _ = run(tmp_path, str(SAMPLES / "trips.csv"), *bar)
    assert result.exit_code == 2
    assert "respite: " in result.output


def test_maps_are_listed_and_shown() -> None:
    listed = CliRunner().invoke(app, ["import", "--list"])
    assert "uber-eats\tUber Eats data: deliveries" in listed.output
    shown = CliRunner().invoke(app, ["import", "--show", "shifts"])
    assert shown.output == (SAMPLES.parents[3] / "stream/importing/maps/shifts.toml").read_text("utf-8")
