"""Why a text is no JSON, in words: where, what stands there, and what would be right."""

from __future__ import annotations

import json
import re

#: What json's messages begin with, and what is said instead.
_SYNTAX = (
    ("Expecting property name", "the name of a field in double quotation marks is expected"),
    ("Illegal trailing comma", "a comma before a closing bracket: remove it"),
    ("Expecting ':'", "a colon after the field's name is expected"),
    ("Expecting ','", "a comma or a closing bracket is expected"),
    ("Expecting value", "a value is expected: text in double quotation marks, a number, true, false or null"),
    ("Extra data", "there is more after the end of the object: one line is one event"),
    ("Unterminated string", "a text has no closing quotation mark"),
    ("Invalid control character", "a control character in a text: write it as \\n, \\t or \\u00XX"),
    ("Invalid \\", "a backslash that begins nothing known: write \\\\ for itself"),
    ("Unexpected UTF-8 BOM", "a byte order mark stands before it: save it without one"),
)
_OTHER_QUOTES = "'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d\uff02\uff07"
#: What other languages write for what JSON knows.
_WORDS = {"True": "true", "False": "false", "None": "null", "nil": "null", "undefined": "null"}
_NEAR = 12


def syntax(error: json.JSONDecodeError) -> str:
    """What is wrong with a text that is no JSON, and where."""
    if error.pos >= len(error.doc.rstrip()):
        return f"it ends at character {error.pos} before it is complete"
    near = error.doc[max(0, error.pos - _NEAR) : error.pos + _NEAR]
    return f"at character {error.pos + 1}, near {json.dumps(near, ensure_ascii=False)}: {_why(error)}"


def _why(error: json.JSONDecodeError) -> str:
    rest, before = error.doc[error.pos :], error.doc[: error.pos].rstrip()
    a_name = error.msg.startswith("Expecting property name")
    if not a_name and not error.msg.startswith("Expecting value"):
        return _said(error)
    if rest[0] in _OTHER_QUOTES:
        return f'names of fields and texts stand in straight double quotation marks ("), not in {rest[0]}'
    if rest[0] in "}]" and before.endswith(","):
        return "a comma before a closing bracket: remove it"
    word = re.match(r"[^\W\d]\w*", rest)
    if word and word[0] in _WORDS:
        return f"JSON knows no {word[0]}: write {_WORDS[word[0]]}"
    if word:
        what = "the name of a field" if a_name else "a text"
        return f'{what} stands in double quotation marks: "{word[0][:20]}"'
    return _said(error)


def _said(error: json.JSONDecodeError) -> str:
    return next((words for begin, words in _SYNTAX if error.msg.startswith(begin)), "it breaks off")


def requoted(text: str) -> object:
    """The tree of a text whose one fault are its quotation marks, or words of other languages; else None."""
    mended = re.sub(f"[{_OTHER_QUOTES}]", '"', text)
    mended = re.sub(r"\b(True|False|None)\b", lambda found: _WORDS[found[1]], mended)
    if mended == text:
        return None
    try:
        return json.loads(mended)
    except (ValueError, RecursionError):
        return None
