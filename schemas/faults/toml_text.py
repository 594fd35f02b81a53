"""Where a file is not TOML, in words: the line, what stands there, and what would be right."""

from __future__ import annotations

import re

_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_PAIR = re.compile(r"([A-Za-z0-9_.-]+)\s*=\s*(.+)")
#: A value that is no text, list or table by how it looks, and those that are none that needs quotation marks.
_BARE = re.compile(r"[^\"'\[\]{}=,#]+")
_NUMBER = re.compile(r"[+-]?[0-9][0-9_]*([.][0-9_]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*|[0-9]{1,2}:[0-9]{2}.*")
_OTHER = re.compile(rf"{_NUMBER.pattern}|true|false|{_DATE.pattern}")
_TEXT = 'text stands in quotation marks, durations too, like "4h"'
#: By what the parser says, in this order.
_WORDS: tuple[tuple[str, str], ...] = (
    (
        r"Invalid value",
        f"a value is expected there: {_TEXT}; else a number, a date, true, false, [...] or {{ ... }}",
    ),
    (
        r"Expected newline or end of document",
        f"there is more after the value: {_TEXT}; one name and value a line",
    ),
    (
        r"Invalid (statement|initial character for a key)|Expected '=' after a key",
        (
            "a line is expected like name = value, with an equals sign, or a head in brackets; a table in "
            "braces stands on one line"
        ),
    ),
    (
        r"Expected '\]\]?' at the end of an? (table|array) declaration",
        "a head is expected like [[limit]], with as many brackets behind as before",
    ),
    (
        r"Cannot (overwrite|declare|mutate|redefine)|Duplicate",
        (
            "it is there twice: a name stands once in its table, and a head of two brackets, like "
            "[[limit]], is written with two each time"
        ),
    ),
    (r"Unterminated string|Expected [\"'](\"|'){1,3}[\"']", "a text has no closing quotation mark"),
    (
        r"Illegal character '\\n'|Found invalid character '\\n'",
        "a text ends with its line and has no closing quotation mark",
    ),
    (
        r"(Illegal|Found invalid) character|Unicode scalar|Invalid hex",
        "a character that cannot stand there: remove it",
    ),
    (r"Unescaped", r"a backslash that begins nothing known: write \\ for itself, or the text in '...'"),
    (r"Unclosed array", "a list is not closed, or two of its entries have no comma between them: [...]"),
    (r"Unclosed inline table", "a table in braces is not closed: { ... }"),
    (r"Invalid date", "a date or time that does not exist"),
)


def toml_fault(text: str, error: ValueError) -> str:
    """What is wrong with a text that is not TOML.

    Examples
    --------
    >>> import tomllib
    >>> try:
    ...     tomllib.loads("limit = 4h")
    ... except tomllib.TOMLDecodeError as error:
    ...     print(toml_fault("limit = 4h", error))
    not TOML: line 1, near "limit = 4h": 4h must stand in quotation marks: limit = "4h"
    """
    said = str(error)
    at = _AT.search(said)
    lines = text.splitlines()
    number = int(at[1]) if at and at[1] else len(lines)
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    near = line[:60]
    if unquoted := _unquoted(line, said):
        return f'not TOML: line {max(1, number)}, near "{near}": {unquoted}'
    words = next((words for pattern, words in _WORDS if re.search(pattern, said)), "it makes no sense there")
    return f'not TOML: line {max(1, number)}, near "{near}": {words}'


def _unquoted(line: str, said: str) -> str | None:
    """Of a line whose value is a text without its quotation marks: how it is written; None of any other."""
    found = _PAIR.fullmatch(line)
    if found is None or not said.startswith(("Invalid value", "Expected newline", "Unclosed array")):
        return None
    name, value = found[1], found[2].partition(" #")[0].strip()
    if value.lower() in ("true", "false"):
        return f"{value} is written {value.lower()}: {name} = {value.lower()}"
    if _DATE.fullmatch(value):
        return (
            f"{value} is a date or time that does not exist, or is written otherwise: 2025-12-04 or 08:00:00"
        )
    if _is_text(value):
        return f'{value} must stand in quotation marks: {name} = "{value}"'
    pieces = [one.strip() for one in value[1:].rstrip("]").split(",")] if value.startswith("[") else []
    bare = [one for one in pieces if _is_text(one)]
    if bare:
        texts = ", ".join(f'"{one}"' if one in bare else one for one in pieces if one)
        return f"{bare[0]} must stand in quotation marks, as every text of a list: {name} = [{texts}]"
    return None


def _is_text(value: str) -> bool:
    """Whether a value looks like a text whose quotation marks are missing."""
    letters = any(char.isalpha() for char in value)
    return letters and bool(_BARE.fullmatch(value)) and not _OTHER.fullmatch(value)
