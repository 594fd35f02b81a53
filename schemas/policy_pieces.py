"""What limits lack or have too much beside another fault, and what would follow from a word meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from schemas.faults.policy import Location, limit_name
from schemas.policy_limit import AMOUNTS, NEEDED, PolicyLimit, allowed, needed, too_much


def pieces_missing(errors: Sequence[Mapping[str, Any]], tree: Mapping[str, Any]) -> dict[Location, list[str]]:
    """By the place of a table, all keys that it lacks: of limits those too that their kind needs."""
    lacked: dict[Location, list[str]] = {}
    for one in errors:
        if one["type"] == "missing":
            lacked.setdefault(one["loc"][:-1], []).append(str(one["loc"][-1]))
    for index, limit, kind, wrong in _left(errors, tree):
        given = {key for key in AMOUNTS if key in limit}
        # A misspelt key is why another is missing.
        near = {near for key in wrong for near in difflib.get_close_matches(key, AMOUNTS, 1, 0.8)}
        found = needed(kind, has_per="per" in limit) - given - wrong - near
        if found:
            lacked.setdefault(("limit", index), []).extend(sorted(found))
    return lacked


def pieces_beside(
    errors: Sequence[Mapping[str, Any]], tree: Mapping[str, Any], taken: Mapping[Location, str]
) -> list[str]:
    """Pieces that limits need or cannot have, for those that the model has left at another fault."""
    faults = []
    lacked = pieces_missing(errors, tree)
    told = {(*loc[:-1], key) for loc, key in taken.items()}
    for index, limit, kind, wrong in _left(errors, tree):
        at, has_per = ("limit", index), "per" in limit
        where = limit_name(index, tree)
        faults += [
            f"  {where}: `{key}` is missing: kind {kind} needs it"
            for key in lacked.get(at, ())
            if key in needed(kind, has_per=has_per) and (*at, key) not in told
        ]
        given = {key for key in AMOUNTS if key in limit}
        faults += [
            f"  {where}: {too_much(key, kind, has_per=has_per)}"
            for key in sorted(given - allowed(kind, has_per=has_per) - wrong)
        ]
    return faults


def _left(
    errors: Sequence[Mapping[str, Any]], tree: Mapping[str, Any]
) -> Iterator[tuple[int, Mapping[str, Any], str, set[str]]]:
    """Limits of a known kind that the model has left at a fault of one of their keys: and which keys."""
    for index, limit in enumerate(tree["limit"] if isinstance(tree.get("limit"), list) else []):
        wrong = {
            str(one["loc"][2]) for one in errors if one["loc"][:2] == ("limit", index) and one["loc"][2:]
        }
        kind = limit.get("kind") if isinstance(limit, dict) else None
        if wrong and isinstance(kind, str) and kind in NEEDED:
            yield index, limit, kind, wrong


def consequences(
    tree: Mapping[str, Any], location: Location, near: str | None, words: Sequence[str]
) -> tuple[list[str], list[str]]:
    """What a limit would contradict itself in if one of its words was the one that seems meant.

    Of a kind, also the others that all keys go with.
    """
    match location:
        case ("limit", int(index), "kind" | "clock" | "effect" | "release" as key):
            limit = tree["limit"][index]
        case _:
            return [], []
    faults = _with(limit, key, near) if near else []
    if key != "kind" or (near and not faults):
        return faults, []
    return faults, [word for word in words if word != near and not _with(limit, key, word)]


def _with(limit: Mapping[str, Any], key: str, word: str) -> list[str]:
    """The contradictions of a limit one of whose words is another."""
    other = {**limit, key: word}
    try:
        PolicyLimit.model_validate(other)
    except ValidationError as error:
        errors = error.errors()
        whole = [str(one["ctx"]["error"]) for one in errors if not one["loc"]]
        if whole:
            return whole
        around = [{**one, "loc": ("limit", 0, *one["loc"])} for one in errors]
        found = pieces_beside(around, {"limit": [other]}, {})
        return [text.partition(": ")[2] for text in found]
    return []
