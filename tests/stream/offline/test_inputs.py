"""Inputs as people have them: read to their proven end, known by their contents."""

from __future__ import annotations

import gzip
import io
import os
import sys
import tracemalloc
import zlib
from pathlib import Path

import pytest
import zstandard

from stream.offline.compressed import DamagedInput
from stream.offline.inputs import LONGEST_LINE_BYTES, NoInput, named_inputs, numbered_values, open_lines
from stream.offline.recognition import ForeignInput

LINES = [b'{"number":%d,"filler":"%s"}' % (n, os.urandom(20).hex().encode()) for n in range(6000)]
LINE = LINES[0] + b"\n"
TEXT = b"\n".join(LINES) + b"\n"


def zst(text: bytes, **options: int | bool) -> bytes:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, write_checksum=1, **options)
    return zstandard.ZstdCompressor(compression_params=parameters).compress(text)


def values(place: Path | str) -> list[bytes]:
    with open_lines(str(place)) as lines:
        return [value for _, value in numbered_values(lines)]


def damage(place: Path) -> tuple[str, int]:
    """What is said of a damaged file, and the lines that came before."""
    count = 0
    try:
        with open_lines(str(place)) as lines:
            for _ in numbered_values(lines):
                count += 1
    except DamagedInput as damaged:
        return str(damaged), count
    pytest.fail(f"{place} was taken for whole, with {count} lines")


WHOLE = {
    "plain": TEXT,
    "gzip": gzip.compress(TEXT, mtime=0),
    "gzip of several members": b"".join(
        gzip.compress(TEXT[at : at + 70_000], mtime=0) for at in range(0, len(TEXT), 70_000)
    ),
    "gzip with zeros behind": gzip.compress(TEXT, mtime=0) + b"\0" * 1000,
    "zstd": zst(TEXT),
    "zstd of several frames": zst(TEXT[:1000]) + zst(b"") + zst(TEXT[1000:]),
    "zstd with a frame that is skipped": b"\x50\x2a\x4d\x18\4\0\0\0abcd" + zst(TEXT),
    "zstd with a long window": zst(TEXT, window_log=30, enable_ldm=True),
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("name", ["day.ndjson", "DAY.GZ", "day.zst", "day"])
def test_whatever_its_name_an_input_is_read_by_its_contents(kind: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(WHOLE[kind])
    assert values(tmp_path / name) == LINES


def test_compressed_standard_input_and_pipes_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(WHOLE["zstd"])
    with (tmp_path / "x").open() as piped:
        monkeypatch.setattr(sys, "stdin", piped)
        assert values("-") == LINES
    read, write = os.pipe()
    os.write(write, gzip.compress(LINES[0] + b"\n", mtime=0))
    os.close(write)
    assert values(f"/dev/fd/{read}") == LINES[:1]
    os.close(read)


@pytest.mark.parametrize(("kind", "said"), [("gzip", "gzip data break off"), ("zstd", "zstd data break off")])
def test_a_file_that_is_cut_short_is_said_to_be_with_the_place(kind: str, said: str, tmp_path: Path) -> None:
    for left in (len(WHOLE[kind]) - 1, len(WHOLE[kind]) - 4, len(WHOLE[kind]) // 2, 20, 9):
        (tmp_path / "cut").write_bytes(WHOLE[kind][:left])
        text, count = damage(tmp_path / "cut")
        assert f"cut: cut short: its {said} at byte {left}, without their end" in text
        assert count < len(LINES) or left >= len(WHOLE[kind]) - 8


def test_a_zstd_file_cut_at_the_end_of_a_block_is_not_whole(tmp_path: Path) -> None:
    compressor = zstandard.ZstdCompressor().compressobj()
    first = compressor.compress(TEXT[:5000]) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    (tmp_path / "cut.zst").write_bytes(first)
    text, count = damage(tmp_path / "cut.zst")
    assert f"break off at byte {len(first)}" in text
    assert count == TEXT[:5000].count(b"\n")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.gz", b"", "cut short: of its gzip data only 0 bytes are there"),
        ("a.zst", b"\x28\xb5", "cut short: of its zstd data only 2 bytes are there"),
        ("a", gzip.compress(TEXT, mtime=0) + b"more", "gzip data end at byte"),
        ("a", gzip.compress(TEXT, mtime=0) + zst(TEXT), "gzip data end at byte"),
        ("a", zst(TEXT) + TEXT, "zstd data end at byte"),
        ("a", zst(TEXT) + b"\0" * 9, "zstd data end at byte"),
        ("a", gzip.compress(TEXT, mtime=0)[:-8] + b"\0" * 8, "its checksum does not match"),
        ("a", gzip.compress(TEXT, mtime=0)[:-4] + b"\0" * 4, "its checksum does not match"),
        ("a", zst(TEXT)[:-1] + b"\0", "its checksum does not match"),
        ("a", zst(TEXT)[:300] + b"\xff" * 50 + zst(TEXT)[350:], "damaged within"),
        ("a", gzip.compress(TEXT, mtime=0)[:10] + b"\xff" * 50, "make no sense"),
    ],
)
def test_what_is_damaged_is_said_to_be_and_how(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    text, _ = damage(tmp_path / name)
    assert said in text
    assert text.startswith(f"{tmp_path / name}: ")
    assert "get the file again" in text


def test_all_lines_before_the_damage_of_a_gzip_file_are_given(tmp_path: Path) -> None:
    stream = zlib.compressobj(wbits=31)
    first = stream.compress(TEXT[:50_000]) + stream.flush(zlib.Z_FULL_FLUSH)
    (tmp_path / "a").write_bytes(first + b"\xff" * 100)
    assert damage(tmp_path / "a")[1] == TEXT[:50_000].count(b"\n")


GOOD = b'{"schema":"work-state/1"}'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            TEXT.decode().encode("utf-16"),
            "is text in UTF-16, not lines of JSON, and was not read; iconv -f UTF-16",
        ),
        (TEXT.decode().encode("utf-16-le"), "is text in UTF-16"),
        (TEXT.decode().encode("utf-32"), "is text in UTF-32"),
        (
            b"[" + b",".join(LINES) + b"]",
            "is one JSON array, not lines of JSON, and was not read; jq -c '.[]'",
        ),
        (b"[\n" + b",\n".join(LINES[:3]) + b"\n]\n", "is one JSON array"),
        (b"[" + b",\n ".join(LINES) + b"]", "is one JSON array"),
        (b'{\n  "schema": "work-state/1"\n}\n{\n  "a": 1\n}\n', "is JSON laid out over several lines"),
        (b"rider_id,event_time\r\nr1,12:00\r\nr2,13:00\r\n", "is CSV"),
        (b"rider_id\tevent_time\nr1\t12:00\n", "is TSV"),
        (b"\xef\xbb\xbfrider_id;event_time\nr1;12:00\n", "is a table with ';' between its columns"),
        (b"PK\x03\x04" + b"x" * 50, "is a ZIP archive"),
        (b"BZh91AY&SY", "is compressed by bzip2, not lines of JSON, and was not read; bzip2 -dc"),
        (b"\xfd7zXZ\0abc", "is compressed by xz"),
        (b"PAR1abcdef", "is a Parquet file"),
        (b"<?xml version='1.0'?>\n<a/>\n", "is XML or HTML"),
    ],
)
def test_a_file_of_another_form_is_one_sentence(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ForeignInput) as refused:
        values(tmp_path / "x")
    assert str(refused.value).startswith(f"{tmp_path / 'x'}: {said}")


def test_what_is_foreign_inside_gzip_is_said_with_the_way_in(tmp_path: Path) -> None:
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"a,b\n1,2\n" * 3, mtime=0))
    with pytest.raises(ForeignInput):
        values(tmp_path / "x.gz")
    (tmp_path / "y.gz").write_bytes(gzip.compress("x\n".encode("utf-16"), mtime=0))
    with pytest.raises(ForeignInput, match="<\\(gzip -dc "):
        values(tmp_path / "y.gz")


@pytest.mark.parametrize(
    "bad",
    [
        b"[1]",
        b"[]",
        b"{",
        b"}",
        b'"text"',
        b"null",
        b"one, two, three",
        b"a,b",
        b"{]",
        b"\xff\xfd",
        b"[{",
        b"<x>",
        b"-",
    ],
)
def test_a_bad_first_line_makes_no_other_form_of_lines_of_json(bad: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bad + b"\n" + GOOD + b"\n")
    assert values(tmp_path / "x") == [bad, GOOD]
    (tmp_path / "x").write_bytes(bad + b"\n")
    assert values(tmp_path / "x") == [bad]


def test_a_byte_order_mark_at_the_head_of_a_file_is_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").write_bytes(b"\xef\xbb\xbf" + GOOD + b"\n\xef\xbb\xbf" + GOOD)
    assert values(tmp_path / "x") == [GOOD, b"\xef\xbb\xbf" + GOOD]
    assert capsys.readouterr().err == f"{tmp_path / 'x'}: begins with a byte order mark, which is left out\n"


def test_a_folder_is_all_files_in_it_and_below_by_name(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("c.ndjson", "a.ndjson", "b/d.ndjson", ".hidden"):
        (tmp_path / name).write_bytes(GOOD)
    found = [os.path.relpath(one, tmp_path) for one in named_inputs([str(tmp_path)])]
    assert found == ["a.ndjson", "c.ndjson", "b/d.ndjson"]


def test_inputs_that_cannot_be_read_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoInput) as refused:
        named_inputs(["nowhere", str(tmp_path / "empty"), "-", "-", "a\0b"])
    assert "no such file: nowhere" in str(refused.value)
    assert f"{tmp_path / 'empty'}: a folder without files" in str(refused.value)
    assert "standard input can be read only once" in str(refused.value)


def test_a_slow_pipe_is_read_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    with os.fdopen(read) as piped:
        monkeypatch.setattr(sys, "stdin", piped)
        os.write(write, GOOD + b"\n")
        with open_lines("-") as lines:
            assert isinstance(lines, io.BufferedReader)
            assert lines.read1(100) == GOOD + b"\n"
            os.write(write, b"more\n")
            assert lines.read1(100) == b"more\n"
            os.close(write)
            assert lines.read1(100) == b""


def endless(path: Path, mib: int, *, newline: bool) -> None:
    """An event, then a line of so many MiB, then another event unless the line goes on to the end."""
    with path.open("wb") as out:
        out.write(LINE + b'{"a": "')
        for _ in range(mib):
            out.write(b"x" * (1 << 20))
        out.write(b"\n" + LINE if newline else b"")


@pytest.mark.parametrize("newline", [True, False])
@pytest.mark.parametrize("packed", [False, True])
def test_a_line_without_end_is_cut_said_and_never_held(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], newline: bool, packed: bool
) -> None:
    path = tmp_path / "events"
    endless(path, 64, newline=newline)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes(), 1))
    tracemalloc.start()
    with open_lines(str(path)) as lines:
        sizes = [(number, len(value)) for number, value in numbered_values(lines)]
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    own = len(LINE) - 1
    assert sizes == [(1, own), (2, LONGEST_LINE_BYTES), *([(3, own)] if newline else [])]
    assert most < 12 << 20
    said = capsys.readouterr().err
    assert said.count(f"{path}:2: a line of more than 1 MiB") == 1, said


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_the_longest_line_is_handed_on_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: int
) -> None:
    path = tmp_path / "events"
    path.write_bytes(LINE + b"x" * (LONGEST_LINE_BYTES + extra) + b"\n" + LINE)
    with open_lines(str(path)) as lines:
        sizes = [len(value) for _, value in numbered_values(lines)]
    assert sizes == [len(LINE) - 1, min(LONGEST_LINE_BYTES, LONGEST_LINE_BYTES + extra), len(LINE) - 1]
    assert ("a line of more than" in capsys.readouterr().err) == (extra > 0)
