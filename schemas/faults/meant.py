"""Which word was meant by one that is none of those that there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

_LONGEST = 64
#: Characters that are named one by one before the rest is counted.
_NAMED = 5
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#: By the characters that a name may have, in the order in which they are told: letters and digits, and these.
OF_IDS, OF_NAMES = "_.:-", "._-"


def plain(word: str) -> str:
    """A word without capitals, hyphens and the like, as spellings of it have it in common."""
    return "".join(char for char in word[:_LONGEST].lower() if char.isalnum())


def meant(
    word: object, words: Iterable[str], other_names: Mapping[str, str] | None = None, near: float = 0.6
) -> str | None:
    """The word that was meant; None where that is not known.

    Parameters
    ----------
    word
        What was written.
    words
        Those that there are.
    other_names
        What else they are called elsewhere, each as `plain` writes it.
    near
        How alike two spellings must be, 0 to 1.

    Examples
    --------
    >>> meant("TLS", ["PLAINTEXT", "SSL"], {"tls": "SSL"}), meant("Evnets", ["wall", "event"])
    ('SSL', 'event')
    """
    text, there = plain(str(word)), {plain(one): one for one in words}
    if text in there:
        return there[text]
    other = (other_names or {}).get(text)
    if other in there.values():
        return other
    found = difflib.get_close_matches(text, there, 1, near)
    return there[found[0]] if found else None


def listed(words: Sequence[str], last: str = "or") -> str:
    """Words one after the other.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b or c'
    """
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def name_form(others: str, longest: int) -> str:
    """What a name may be."""
    return f"1 to {longest} characters of A-Z a-z 0-9 {' '.join(others)}"


def name_fault(text: str, others: str, longest: int, *, example: str = "") -> str:
    """Why a text is no name: all characters that cannot stand in it, and how long it is.

    Examples
    --------
    >>> name_fault("a b/c", OF_NAMES, 64)
    'a space and "/" cannot stand in it: write 1 to 64 characters of A-Z a-z 0-9 . _ -'
    """
    form = name_form(others, longest) + (f', for example "{example}"' if example else "")
    if not text:
        return f"is empty, must be {form}"
    strange = list(dict.fromkeys(char for char in text if char not in _LETTERS + others))
    length = f"has {len(text)} characters, may have {longest} at most" if len(text) > longest else ""
    if not strange:
        return length
    named = [_character(char) for char in strange[:_NAMED]]
    if len(strange) > _NAMED:
        named.append(f"{len(strange) - _NAMED} more")
    wrong = f"{listed(named, 'and')} cannot stand in it"
    return f"{wrong}, and it {length}: write {form}" if length else f"{wrong}: write {form}"


def _character(char: str) -> str:
    if char == " ":
        return "a space"
    return f'"{char}"' if char.isprintable() and char != '"' else f"U+{ord(char):04X}"
