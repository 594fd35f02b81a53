"""What a file is, by its first bytes: lines of JSON, or something that has to be turned into them first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from stream.offline.compressed import InputFault

HEAD_BYTES = 1 << 16
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n\x0b\x0c"
_SEPARATORS = (",", ";", "\t", "|")
_MOST_LINES = 50
#: What makes events of it; `respite import --list` names the maps.
_IMPORT = "respite import {{name}} --map {map} --to events.ndjson makes events of it"
#: First bytes, what it is, and what takes it.
_ARCHIVES = (
    (
        b"PK\x03\x04",
        "a ZIP archive (or a spreadsheet)",
        "unzip -p {name} | {command} -, or where tables are in it " + _IMPORT.format(map="MAP"),
    ),
    (b"BZh", "compressed by bzip2", "bzip2 -dc {name} | {command} -"),
    (b"\xfd7zXZ\0", "compressed by xz", "xz -dc {name} | {command} -"),
    (b"\x04\x22\x4d\x18", "compressed by lz4", "lz4 -dc {name} | {command} -"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x -so {name} | {command} -"),
    (b"PAR1", "a Parquet file", _IMPORT.format(map="MAP")),
    (b"Obj\x01", "an Avro file", "write it as lines of JSON, one event each"),
    (b"SQLite format 3\0", "an SQLite data base", "write its rows as lines of JSON, one event each"),
    (b"%PDF", "a PDF document", "events are lines of JSON, one each"),
)
_UTF_16 = "iconv -f UTF-16 -t UTF-8 {name} | {command} -"
_UTF_32 = "iconv -f UTF-32 -t UTF-8 {name} | {command} -"
_TO_LINES = "jq -c {filter} {{name}} | {{command}} -"


class ForeignInput(InputFault):
    """A file in another form than lines of JSON.

    Attributes
    ----------
    what, remedy
        What it is, and what turns it into lines of JSON; ``{command}`` stands for the command that reads it.
    """

    def __init__(self, name: str, what: str, remedy: str) -> None:
        super().__init__(name, what)
        self.name = name
        self.what = what
        self.remedy = remedy
        #: The command that unpacks it, where it is compressed.
        self.unpacked_by: str | None = None

    def said_by(self, command: str) -> str:
        """The sentence, for who has called a command."""
        name = _quoted(self.name)
        name = name if self.unpacked_by is None else f"<({self.unpacked_by} {name})"
        remedy = self.remedy.format(name=name, command=command)
        return f"{self.name}: is {self.what}, not lines of JSON, and was not read; {remedy}"

    def __str__(self) -> str:
        """The sentence."""
        return self.said_by("respite replay")


def _quoted(name: str) -> str:
    return "FILE" if name == "-" else name if re.fullmatch(r"[\w./:-]+", name) else f"'{name}'"


def has_object_line(head: bytes) -> bool:
    """Whether some whole line is an object, so that the file is lines of JSON whatever else is in it."""
    return any(_is_object(line) for line in _lines(head.removeprefix(BYTE_ORDER_MARK)))


def archive_of(head: bytes) -> tuple[str, str] | None:
    """What a file is that is no text, and the remedy; None when it may be text."""
    if head[257:262] == b"ustar":
        return "a tar archive", "tar -xOf {name} | {command} -"
    return next(((what, remedy) for magic, what, remedy in _ARCHIVES if head.startswith(magic)), None)


def foreign(name: str, head: bytes, *, whole: bool) -> ForeignInput | None:
    """What a file is when it is not lines of JSON; None when it may be.

    Parameters
    ----------
    head
        Its first bytes, up to `HEAD_BYTES`.
    whole
        Whether that is all of it.
    """
    archive = archive_of(head)
    if archive is not None:
        return ForeignInput(name, *archive)
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return ForeignInput(name, "text in UTF-32", _UTF_32)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or _alternates_with_zeros(head):
        return ForeignInput(name, "text in UTF-16", _UTF_16)
    try:
        text = head.decode("utf-8-sig", "strict" if whole else "ignore").strip()
    except UnicodeDecodeError:
        return None
    if has_object_line(head) and not (
        whole and text.startswith("[") and _is_array_of_objects(text, whole=True)
    ):
        return None
    return _foreign_text(name, text, whole=whole)


def _foreign_text(name: str, text: str, *, whole: bool) -> ForeignInput | None:
    if text.startswith("[") and _is_array_of_objects(text, whole=whole):
        remedy = _TO_LINES.format(filter="'.[]'") + ", or " + _IMPORT.format(map="work-state")
        return ForeignInput(name, "one JSON array", remedy)
    if text.startswith("{") and _is_pretty(text):
        return ForeignInput(name, "JSON laid out over several lines", _TO_LINES.format(filter="."))
    if re.match(r"<(\?xml|!doctype|html)", text, re.IGNORECASE):
        return ForeignInput(name, "XML or HTML", "write it as lines of JSON, one event each")
    lines = [line for line in text.splitlines() if line.strip()]
    lines = lines[: min(_MOST_LINES, len(lines) if whole else len(lines) - 1)]
    for separator in _SEPARATORS:
        if _is_table(lines, separator):
            kind = {",": "CSV", "\t": "TSV"}.get(separator, f"a table with {separator!r} between its columns")
            return ForeignInput(name, kind, _IMPORT.format(map="MAP") + "; respite import --list names maps")
    return None


def _alternates_with_zeros(head: bytes) -> bool:
    """Whether every second byte of the beginning is zero: UTF-16 without its mark."""
    even, odd = head[:64:2], head[1:64:2]
    return len(odd) > 1 and (not any(even) or not any(odd)) and any(head[:64])


def _lines(head: bytes) -> Iterable[bytes]:
    return (line.strip(_SPACE) for line in head.split(b"\n") if line.strip(_SPACE))


def _is_object(line: bytes) -> bool:
    if not line.startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_array_of_objects(text: str, *, whole: bool) -> bool:
    try:
        tree, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        # Not all of it is here, or one line of it is broken: an object must be the first thing in it.
        return not whole and re.match(r"\[\s*\{\s*\"", text) is not None
    return end == len(text) and bool(tree) and all(isinstance(one, dict) for one in tree)


def _is_pretty(text: str) -> bool:
    try:
        tree, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(tree, dict) and "\n" in text[:end]


def _is_table(lines: list[str], separator: str) -> bool:
    """Whether there is a head of names and rows of as many columns, none of which looks like JSON."""
    if len(lines) < 2 or any(line.lstrip().startswith(("{", "[")) for line in lines):
        return False
    counts = {line.count(separator) for line in lines}
    names = [one.strip().strip('"') for one in lines[0].split(separator)]
    return len(counts) == 1 and len(names) > 1 and all(re.fullmatch(r"[^\W\d][\w .-]*", one) for one in names)
