"""What is wrong with a policy file, in words: the place, the value and the remedy; no fault twice."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from schemas.field_faults import choices_of
from schemas.meant import OF_IDS, listed, meant, name_fault
from schemas.policy_beyond import beyond_key, beyond_value
from schemas.policy_calendar import MOST_WEEKS

Fault = Mapping[str, Any]
Location = tuple[int | str, ...]
#: Of a place, the word that seems meant there and those that there are: what would then be wrong, and which
#: other words all else goes with.
Consequences = Callable[[Location, str | None, Sequence[str]], tuple[list[str], list[str]]]
_NOT_TEXT = "must be text in quotation marks"
_WORDS = 'must be { zh = "…", en = "…" }, the same in both languages'
_LISTS = {
    "": '["30min"]',
    "spans": '["08:00-09:00 driving"]',
    "reached": '["break-4h30 16:15"], [] for none',
    "notes": '["…"]',
}
_NAMES_OF_LANGUAGES = {"en": ("en",), "zh": ("zh", "ch", "cn")}
#: What choices are called elsewhere, as `schemas.meant.plain` writes it.
_OTHER_NAMES = {
    "modality": {
        **dict.fromkeys(("statute", "regulation", "act", "legal", "legislation"), "law"),
        **dict.fromkeys(("contract", "collective", "union", "bargained"), "agreement"),
        **dict.fromkeys(("norm", "guideline", "code"), "standard"),
        **dict.fromkeys(("company", "internal", "employer", "app", "own", "rule"), "platform"),
    },
    "kind": {
        "monthly": "month",
        "daily": "day",
        "weekly": "week",
        **dict.fromkeys(("trailing", "sliding"), "rolling"),
    },
    "clock": {"orders": "order", "session": "online", "drive": "driving", "pickedup": "loaded"},
    "effect": {"stop": "hold", "remark": "remind"},
}
_TABLE_KEYS = ("title", "message", "jurisdiction")
_KINDS: tuple[tuple[Any, str], ...] = (
    (bool, "true or false"),
    (str, "a text"),
    (int | float, "a number"),
    (list, "a list"),
    (dict, "a table"),
    (dt.datetime | dt.date, "a date"),
    (dt.time, "a time of day"),
)


def written(value: object) -> str:
    """A value as a policy file writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value[:60]}"'
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(written(one) for one in value[:5]) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = …" for key in list(value)[:5]) + " }"
    return str(value)[:60]


def kind_of(value: object) -> str:
    """What a value of TOML is called."""
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "a value")


def faults_of(
    errors: Sequence[Fault],
    tree: Mapping[str, Any],
    missing: Sequence[str],
    keys: Collection[str],
    taken: Mapping[Location, str],
    consequences: Consequences,
) -> list[str]:
    """Every fault with its place, without those that are the consequence of another.

    Parameters
    ----------
    errors
        What the model says.
    missing
        Faults between a limit's pieces that the model does not come to, as they are to be told.
    keys
        All that there are.
    taken
        Unknown keys, each with the missing one that it is taken for, of `taken_for`.
    consequences
        What would then be wrong if a word was the one that it is taken for.
    """
    # A misspelt key is why another is missing.
    misspelt: dict[Location, Location] = {
        (*one["loc"][:-1], near[0]): one["loc"]
        for one in errors
        if (one["type"] == "extra_forbidden" or _is_no_language(one)) and (near := _meant(one, errors))
    }
    misspelt |= {(*loc[:-1], key): loc for loc, key in taken.items()}
    limits_wrong = any(one["loc"][:1] == ("limit",) and len(one["loc"]) > 1 for one in errors)
    told = []
    for one in errors:
        if one["loc"] == ("limit",) and limits_wrong:
            continue
        # Of a list with nothing good in it what is wrong with each entry is told.
        if one["loc"] in misspelt or (one["type"] == "too_short" and one["input"]):
            continue
        text = f"  {place(one['loc'], tree)}: {_reason(one, keys, consequences)}"
        if one["loc"] in misspelt.values():
            key = next(str(key[-1]) for key, other in misspelt.items() if other == one["loc"])
            beyond = beyond_key(str(one["loc"][-1])) if one["loc"] in taken else None
            meaning = (
                f"{beyond}; `{key}` is missing" if beyond else f"did you mean `{key}`, which is missing?"
            )
            text = f"  {place(one['loc'], tree)}: unknown key; {meaning}"
        if text not in told:
            told.append(text)
    return told + [text for text in missing if text not in told]


def _meant(unknown: Fault, errors: Sequence[Fault]) -> list[str]:
    """The missing key of the same table that an unknown one is nearest to."""
    beside = [
        str(one["loc"][-1])
        for one in errors
        if one["type"] == "missing" and one["loc"][:-1] == unknown["loc"][:-1]
    ]
    name = str(unknown["loc"][-1])
    # "English", "Chinese" and the like.
    languages = [one for one in beside if name.lower().startswith(_NAMES_OF_LANGUAGES.get(one, ("-",)))]
    return languages or difflib.get_close_matches(name, beside, 1)


def taken_for(
    errors: Sequence[Fault], missing: Mapping[Location, Sequence[str]], keys: Collection[str]
) -> dict[Location, str]:
    """By the place of an unknown key, the missing one that it is taken for: where one of each is in a table.

    Parameters
    ----------
    errors
        What the model says.
    missing
        By the place of a table, the keys that it lacks.
    keys
        All that there are.
    """
    unknown: dict[Location, list[str]] = {}
    for one in errors:
        if one["type"] == "extra_forbidden":
            unknown.setdefault(one["loc"][:-1], []).append(str(one["loc"][-1]))
    found: dict[Location, str] = {}
    for table, names in unknown.items():
        lacked = missing.get(table, ())
        if len(names) != 1 or len(lacked) != 1:
            continue
        beyond = beyond_key(names[0])
        # What has a meaning of its own is not taken for another.
        if not _near(names[0], keys) and (beyond is None or f"written as `{lacked[0]}`" in beyond):
            found[*table, names[0]] = lacked[0]
    return found


def _near(key: str, keys: Collection[str]) -> str | None:
    return next(iter(difflib.get_close_matches(key, keys, 1, 0.8)), None)


def _is_no_language(one: Fault) -> bool:
    """Whether a fault is of the key, not of the value, of a text in several languages."""
    loc = one["loc"]
    return one["type"] == "string_pattern_mismatch" and len(loc) > 1 and loc[-2] in _TABLE_KEYS


def _unknown(key: str, keys: Collection[str]) -> str:
    if near := _near(key, keys):
        return f"unknown key; did you mean `{near}`?"
    return beyond_key(key) or "unknown key, remove it or check its spelling"


def _reason(one: Fault, keys: Collection[str], consequences: Consequences) -> str:
    kind, value, field = one["type"], one.get("input"), str(one["loc"][-1]) if one["loc"] else ""
    about = one.get("ctx", {})
    if kind == "value_error":
        text = str(about["error"])
        return f"{written(value)} {text}" if text.startswith("is no ") else text
    if kind == "extra_forbidden":
        return _unknown(field, keys)
    if kind == "missing":
        return "is missing: a policy needs at least one [[limit]]" if field == "limit" else "is missing"
    if kind == "literal_error":
        return _choice(one, beyond_value(field, value), consequences)
    if kind in ("too_short", "tuple_type", "list_type"):
        return _list(field, value)
    if _is_no_language(one):
        return f'"{field[:60]}" is no code of a language: write it like de, ja or zh-Hant'
    if kind == "too_long":
        return f"has {len(value) if isinstance(value, list) else 'too many'}, at most {about['max_length']}"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        table = str(one["loc"][0]) if one["loc"] else "limit"
        wanted = _WORDS if field in _TABLE_KEYS else f"must be a table: [[{table}]]"
        return f"{written(value)} is {kind_of(value)}, {wanted}"
    if kind in ("greater_than_equal", "less_than_equal") and field == "weeks":
        return f"{written(value)} must be from 2 to {MOST_WEEKS} weeks"
    if kind in ("greater_than_equal", "int_type", "int_parsing", "int_from_float"):
        return f"{written(value)} must be a whole number from 1 on, without quotation marks"
    if kind.startswith("date"):
        return f"{written(value)} must be a date like 2025-12-04, without quotation marks"
    if kind == "string_pattern_mismatch":
        return f"{written(value)}: {name_fault(str(value), OF_IDS, 64)}"
    if kind == "string_too_short":
        return "is empty: write the text"
    return f"{written(value)} is {kind_of(value)}, {_NOT_TEXT}"


def _choice(one: Fault, nearest: str | None, consequences: Consequences) -> str:
    names, value, field = choices_of(one["ctx"]["expected"]), one["input"], str(one["loc"][-1])
    text = f"{written(value)} must be one of " + ", ".join(f'"{name}"' for name in names)
    # A word of another rule can look like one of ours: what it means comes before how it is spelt.
    near = meant(value, names, _OTHER_NAMES.get(field), 0.85 if nearest else 0.6)
    then, good = consequences(one["loc"], near, names)
    others = listed([f'"{word}"' for word in good])
    if near:
        follows = f" (then {'; '.join(then)})" if then else ""
        instead = f", or {others}, with which all keys go" if good else ""
        return f'{text}; did you mean "{near}"{follows}{instead}?'
    return "; ".join(filter(None, (text, nearest, f"all keys go with {others}" if good else "")))


def _list(field: str, value: object) -> str:
    if field == "limit":
        if isinstance(value, dict):
            return "is one table: write [[limit]], with two brackets, above each limit"
        return "is empty: a policy needs at least one [[limit]]"
    if field == "spans" and value == []:
        return 'is empty: write at least one, like ["08:00-09:00 driving"]'
    if field == "example":
        return f"{written(value)} is {kind_of(value)}: write [[example]], with two brackets, above each"
    return f"{written(value)} is {kind_of(value)}, must be a list like {_LISTS.get(field, _LISTS[''])}"


def place(location: Location, tree: Mapping[str, Any]) -> str:
    """The way to a fault as a reader of the file would say it: limits by name."""
    parts: list[str] = []
    for step in location:
        if step in ("text", "words"):
            # Which of the two forms of a text it is.
            continue
        if isinstance(step, int) and parts == ["limit"]:
            parts = [limit_name(step, tree)]
        elif isinstance(step, int) and parts == ["example"]:
            parts = [example_name(step, tree)]
        elif isinstance(step, int):
            parts.append(f"{parts.pop() if parts else ''}[{step + 1}]")
        else:
            parts.append(step)
    return ".".join(parts) or "policy"


def limit_name(index: int, tree: Mapping[str, Any]) -> str:
    """A limit by its number from 1 and its name, where it has one."""
    try:
        return f'limit[{index + 1}] "{_text(tree["limit"][index]["name"])}"'
    except (KeyError, TypeError, IndexError):
        return f"limit[{index + 1}]"


def example_name(index: int, tree: Mapping[str, Any]) -> str:
    """An example by its number from 1 and its title, where it has one."""
    try:
        title = tree["example"][index]["title"]
        title = title["en"] if isinstance(title, dict) else title
        return f'example[{index + 1}] "{_text(title)[:60]}"'
    except (KeyError, TypeError, IndexError):
        return f"example[{index + 1}]"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
