"""Where a file is not TOML, in words: the line, what stands there, and what would be right."""

from __future__ import annotations

import re

_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
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
    ...     print(toml_fault("limit = 4h", error).partition(": text")[0])
    not TOML: line 1, near "limit = 4h": there is more after the value
    """
    said = str(error)
    at = _AT.search(said)
    lines = text.splitlines()
    number = int(at[1]) if at and at[1] else len(lines)
    near = lines[number - 1].strip()[:60] if 0 < number <= len(lines) else ""
    words = next((words for pattern, words in _WORDS if re.search(pattern, said)), "it makes no sense there")
    return f'not TOML: line {max(1, number)}, near "{near}": {words}'
