"""Settings from options and the environment; all faults at once."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from stream.settings.derived import Settings
from stream.settings.words import setting_fault


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
        faults = [f"  {setting_fault(one)}" for one in error.errors()]
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
        return [f"  {setting_fault(one)}" for one in second.errors()]
    return []
