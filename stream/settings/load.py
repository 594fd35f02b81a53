"""Settings from options and the environment; all faults at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from stream.settings.derived import Settings

_SECRETS = ("sasl_password",)


class InvalidSettings(ValueError):
    """Settings that are refused; the message has every fault."""


def load_settings(**options: object) -> Settings:
    """Settings from options (those that are not None) over the environment over defaults.

    Raises
    ------
    InvalidSettings
        With every fault: the setting, the value and the remedy.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        faults = [_fault(one) for one in error.errors()]
        faults += _disagreements(given, error)
        raise InvalidSettings("settings refused:\n" + "\n".join(faults)) from error


def _disagreements(given: Mapping[str, object], error: ValidationError) -> list[str]:
    """What is wrong between settings, beside those that are wrong by themselves.

    pydantic looks at the whole only when every part is good; so once more with the defaults for the bad ones.
    """
    wrong = {str(one["loc"][0]) for one in error.errors() if one["loc"]}
    if not wrong:
        return []
    defaults = {name: Settings.model_fields[name].default for name in wrong}
    try:
        Settings(**{**given, **defaults})
    except ValidationError as second:
        return [_fault(one) for one in second.errors()]
    return []


def _fault(one: Mapping[str, Any]) -> str:
    name = ".".join(str(step) for step in one["loc"][:1])
    text = _words(one)
    if not name:
        return f"  {text}"
    value = "(secret)" if name in _SECRETS else json.dumps(one["input"], ensure_ascii=False, default=str)
    return f"  {name} (RESPITE_{name.upper()}) = {value}: {text}"


def _words(one: Mapping[str, Any]) -> str:
    """What is wrong with a value, for a person."""
    kind, about = one["type"], one.get("ctx", {})
    if kind == "value_error":
        return str(about["error"])
    if kind == "literal_error":
        return "must be " + str(about["expected"]).replace("'", "")
    if kind in ("greater_than_equal", "less_than_equal"):
        return "must be at " + (f"least {about['ge']}" if "ge" in about else f"most {about['le']}")
    if kind in ("greater_than", "less_than"):
        return "must be " + (f"above {about['gt']}" if "gt" in about else f"below {about['lt']}")
    if kind.startswith("float"):
        return "must be a number"
    if kind.startswith("int"):
        return "must be a whole number"
    return "must be text"
