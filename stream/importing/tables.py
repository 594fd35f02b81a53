"""Files as rows: CSV and its kin, JSON, Parquet; compressed, zipped; each as a stream."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

import msgspec

from schemas.faults.field import json_fault
from stream.importing.cells import Row
from stream.offline.compressed import DamagedInput, InputFault
from stream.offline.inputs import STANDARD_INPUT, at_least, rejoined, unpacked
from stream.offline.recognition import HEAD_BYTES, archive_of, has_object_line

_SEPARATORS = ",;\t|"
_CHUNK = 1 << 16
_LONGEST_CELL = 1 << 20
_PARQUET_ROWS = 20_000
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_PARQUET = b"PAR1"
#: What an archive carries beside its tables.
_BESIDE = ("__MACOSX/", "._", ".")


#: Of the module csv, which names no type.
CsvReader = Any


class BadRow(NamedTuple):
    """A row that cannot be read."""

    reason: str
    detail: str


class Table(NamedTuple):
    """The rows of one file.

    Parameters
    ----------
    columns
        The same for all rows; None for objects of JSON.
    rows
        With their numbers: lines of text, else counted from 1.
    """

    name: str
    columns: list[str] | None
    rows: Iterator[tuple[int, Row | BadRow]]


def tables_of(name: str, raw: BinaryIO, encoding: str | None) -> Iterator[Table]:
    """The tables of an input: one, or of a ZIP archive one for each file in it.

    Raises
    ------
    InputFault
        It is nothing that rows can be read from.
    DamagedInput
        It is cut short or damaged.
    """
    head, rest, form = unpacked(name, raw)
    head = at_least(rest, head, HEAD_BYTES)
    stream = rejoined(name, head, rest)
    # What a pipe or an archive hands out cannot be gone about in.
    is_file = form is None and isinstance(raw, io.BufferedReader) and name != STANDARD_INPUT
    itself = raw if is_file and raw.seekable() else None
    if head.startswith(_ZIP):
        with _seekable(itself, stream) as whole:
            yield from _members(name, whole, encoding)
    elif head.startswith(_PARQUET):
        with _seekable(itself, stream) as whole:
            yield _parquet(name, whole)
    else:
        yield _text(name, head, stream, encoding)


@contextmanager
def _seekable(itself: BinaryIO | None, stream: BinaryIO) -> Iterator[BinaryIO]:
    """An input that can be gone about in: itself where it can, else a copy of it on disk."""
    if itself is not None:
        itself.seek(0)
        yield itself
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield copy


def _members(name: str, whole: BinaryIO, encoding: str | None) -> Iterator[Table]:
    try:
        archive = zipfile.ZipFile(whole)
    except (zipfile.BadZipFile, OSError) as error:
        raise DamagedInput(name, "is a ZIP archive that is cut short or damaged") from error
    with archive:
        entries = [one for one in archive.infolist() if not one.is_dir()]
        if any(one.filename == "[Content_Types].xml" for one in entries):
            raise InputFault(f"{name}: is a spreadsheet or document: save the sheet as CSV and import that")
        for entry in sorted(entries, key=lambda one: one.filename):
            base = entry.filename.rpartition("/")[2]
            if entry.filename.startswith(_BESIDE[0]) or base.startswith(_BESIDE[1:]):
                continue
            if entry.flag_bits & 1:
                raise InputFault(f"{name}!{entry.filename}: has a password: unpack it first (unzip {name})")
            place = f"{name}!{entry.filename}"
            try:
                with archive.open(entry) as member:
                    yield from tables_of(place, member, encoding)  # type: ignore[arg-type]
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                raise DamagedInput(place, f"cannot be unpacked to its end: {_words(error)}") from error


def _words(error: Exception) -> str:
    """Why a member of an archive cannot be unpacked."""
    if isinstance(error, NotImplementedError):
        return "it is packed in a way that is not read here; unpack it first"
    if "CRC" in str(error):
        return "its checksum does not match, so something in it is not what was written"
    return "what is packed makes no sense from some place on"


def _text(name: str, head: bytes, stream: BinaryIO, encoding: str | None) -> Table:
    if encoding is None:
        encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    archive = archive_of(head)
    if archive is not None:
        raise InputFault(
            f"{name}: is {archive[0]}: no rows can be read from it; unpack it, or write CSV or JSON"
        )
    text = io.TextIOWrapper(stream, encoding, newline="")
    begin = head.decode(encoding, "ignore").lstrip()[:1]
    if begin == "[":
        return Table(name, None, _guarded(name, _values(name, text, "[")))
    if begin == "{":
        rows = _lines(text) if has_object_line(head) else _values(name, text, "")
        return Table(name, None, _guarded(name, rows))
    return _delimited(name, text)


def _guarded(name: str, rows: Iterator[tuple[int, Row | BadRow]]) -> Iterator[tuple[int, Row | BadRow]]:
    """Rows; what is not of the text's encoding is said to be."""
    at = 0
    try:
        for at, row in rows:
            yield at, row
    except UnicodeError as error:
        raise _not_text(name, at, error) from error


def _not_text(name: str, at: int, error: UnicodeError) -> InputFault:
    return InputFault(
        f"{name}: after row {at} comes what is not {getattr(error, 'encoding', 'UTF-8')}: say --encoding, "
        "like --encoding gb18030 or windows-1252"
    )


def _delimited(name: str, text: io.TextIOWrapper) -> Table:
    csv.field_size_limit(_LONGEST_CELL)
    try:
        first = ""
        skipped = 0
        while not first.strip() and (line := text.readline(_LONGEST_CELL)):
            first = line
            skipped += not first.strip()
    except UnicodeError as error:
        raise _not_text(name, 0, error) from error
    bare = "".join(first.split('"')[::2])
    separator = max(_SEPARATORS, key=bare.count)
    columns = [one.strip() for one in next(csv.reader([first], delimiter=separator), [])]
    reader = csv.reader(text, delimiter=separator)
    return Table(name, columns, _guarded(name, _cells(name, reader, columns, skipped + 1)))


def _cells(
    name: str, reader: CsvReader, columns: list[str], before: int
) -> Iterator[tuple[int, Row | BadRow]]:
    while True:
        number = before + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputFault(
                f"{name}:{number}: cannot be read on from here: does a quotation mark not close?"
            ) from error
        if not any(one.strip() for one in cells):
            continue
        more = cells[len(columns) :]
        if any(one.strip() for one in more) or len(cells) < len(columns):
            said = f"has {len(cells)} cells, and the head {len(columns)}"
            yield number, BadRow("wrong_width", said)
        else:
            yield number, dict(zip(columns, cells, strict=False))


def _lines(text: io.TextIOWrapper) -> Iterator[tuple[int, Row | BadRow]]:
    """Objects, a line each."""
    number = 0
    while line := text.readline():
        number += 1
        if line.strip():
            try:
                row = msgspec.json.decode(line)
            except (msgspec.DecodeError, RecursionError) as error:
                yield number, BadRow("malformed", json_fault(error))
            else:
                yield number, row if isinstance(row, dict) else BadRow("malformed", "is no object: {...}")


def _values(name: str, text: io.TextIOWrapper, opening: str) -> Iterator[tuple[int, Row | BadRow]]:
    """Values one after the other, of an array or not; only the one that is being read is in memory."""
    decoder = json.JSONDecoder()
    buffer = text.read(_CHUNK).lstrip("\ufeff \t\r\n").removeprefix(opening)
    number = 0
    while True:
        buffer = buffer.lstrip(" \t\r\n,")
        if buffer.startswith("]") and opening:
            return
        try:
            value, end = decoder.raw_decode(buffer)
            # A number goes on for as long as digits come.
            whole = end < len(buffer) or isinstance(value, dict)
        except (json.JSONDecodeError, RecursionError) as error:
            fault: Exception | None = error
            whole = False
        else:
            fault = None
        if not whole:
            more = text.read(max(_CHUNK, len(buffer)))
            if more:
                buffer += more
                continue
            if not buffer and not opening:
                return
            if fault is not None:
                raise DamagedInput(name, f"cannot be read after item {number}: {fault}") from fault
        number += 1
        buffer = buffer[end:]
        yield number, value if isinstance(value, dict) else BadRow("malformed", "is no object: {...}")


def _parquet(name: str, whole: BinaryIO) -> Table:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise InputFault(
            f"{name}: is a Parquet file, which takes the package pyarrow to read: pip install '.[import]' "
            "in the project's folder, or pip install pyarrow"
        ) from error
    try:
        file = parquet.ParquetFile(whole)
    except (pa.ArrowException, OSError) as error:
        raise DamagedInput(name, "is a Parquet file that cannot be read: cut short or damaged") from error

    def rows() -> Iterator[tuple[int, Row | BadRow]]:
        number = 0
        try:
            for batch in file.iter_batches(_PARQUET_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
        except (pa.ArrowException, OSError) as error:
            raise DamagedInput(name, f"cannot be read after row {number}: it is damaged there") from error

    return Table(name, list(file.schema_arrow.names), rows())
