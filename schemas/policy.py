"""Policies: versioned, cited sets of limits, one TOML file each."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache, partial
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    ValidationError,
    model_validator,
)

from schemas.faults.meant import meant
from schemas.faults.policy import example_name, faults_of, taken_for
from schemas.faults.toml_text import toml_fault
from schemas.names import Id, is_id
from schemas.policy_calendar import OnlyDate, date_faults
from schemas.policy_examples import Example, faults_beside
from schemas.policy_limit import PolicyLimit
from schemas.policy_pieces import consequences, pieces_beside, pieces_missing
from schemas.policy_words import Said, Text, Words

MOST_LIMITS = 32

#: Cities and countries whose time the data base has under another's name.
_OTHER_CITIES = dict.fromkeys(("beijing", "peking", "shenzhen", "guangzhou", "china"), "Shanghai")
#: Names in the data base that mean something else on each machine, or nothing.
_NO_PLACES = ("localtime", "posixrules", "Factory")


class InvalidPolicy(ValueError):
    """A policy file that is refused; the message has every fault with its place."""


@cache
def _zones() -> frozenset[str]:
    """All that there are; to look for them takes as long as to read a hundred policies."""
    return frozenset(available_timezones())


def _known_zone(name: object) -> object:
    if isinstance(name, str) and (name in _NO_PLACES or name not in _zones()):
        raise ValueError(
            f'"{name}" is no time zone of a place in the IANA data base, like "Asia/Shanghai"'
            + _near_zone(name)
        )
    return name


def _near_zone(name: str) -> str:
    """The zone that was meant, by its name or that of its city; empty where that is not known."""
    cities = {zone.rpartition("/")[2]: zone for zone in sorted(_zones()) if "/" in zone}
    city = meant(name.rpartition("/")[2], cities, _OTHER_CITIES, 0.85)
    return f'; did you mean "{cities[city]}"?' if city else ""


class Policy(BaseModel):
    """A versioned set of limits with its source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Id
    version: Annotated[StrictInt, Field(ge=1)]
    time_zone: Annotated[str, BeforeValidator(_known_zone)]
    valid_from: OnlyDate | None = None
    valid_until: OnlyDate | None = None
    modality: Literal["law", "agreement", "standard", "platform"]
    jurisdiction: Annotated[
        Words | None, Field(description="Where it applies, in words: a country, a city, a platform's places.")
    ] = None
    title: Words
    source: Text
    notes: Annotated[
        tuple[Said, ...],
        Field(description="What it says and the grammar cannot, and how its words were read."),
    ] = ()
    limits: Annotated[tuple[PolicyLimit, ...], Field(min_length=1, max_length=MOST_LIMITS, alias="limit")]
    examples: Annotated[tuple[Example, ...], Field(max_length=200, alias="example")] = ()

    @property
    def ref(self) -> str:
        """``name@version``, as alerts and statuses name it."""
        return f"{self.name}@{self.version}"

    @property
    def zone(self) -> ZoneInfo:
        """The policy's time zone."""
        return ZoneInfo(self.time_zone)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        faults = date_faults(self.valid_from, self.valid_until)
        names = [one.name for one in self.limits]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            faults.append(f"names of limits must be unique, twice: {', '.join(twice)}")
        if faults:
            raise ValueError("; ".join(faults))
        return self


def load_policy(text: str, origin: str) -> Policy:
    """The policy that a TOML text describes.

    Parameters
    ----------
    text
        The file's contents.
    origin
        Where it came from, for the message.

    Raises
    ------
    InvalidPolicy
        With every fault and its place.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidPolicy(f"{origin}: {toml_fault(text, error)}") from error
    try:
        return Policy.model_validate(tree, context=_around_examples(tree))
    except ValidationError as error:
        errors, keys = error.errors(), _known_keys()
        taken = taken_for(errors, pieces_missing(errors, tree), keys)
        beside = [
            *pieces_beside(errors, tree, taken),
            *(
                f"  {example_name(at, tree)}: {text}"
                for at, text in faults_beside(errors, tree.get("example"))
            ),
        ]
        faults = faults_of(errors, tree, beside, keys, taken, partial(consequences, tree))
        raise InvalidPolicy(f"{origin}: policy refused\n" + "\n".join(faults)) from error


def _known_keys() -> set[str]:
    models: tuple[type[BaseModel], ...] = (Policy, PolicyLimit, Example)
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


def _around_examples(tree: Mapping[str, Any]) -> dict[str, Any]:
    """What examples are checked against; None of what is itself wrong."""
    zone = tree.get("time_zone")
    try:
        known = ZoneInfo(_known_zone(zone)) if isinstance(zone, str) else None  # type: ignore[arg-type]
    except ValueError:
        known = None
    limits = tree.get("limit")
    found = [one.get("name") for one in limits if isinstance(one, dict)] if isinstance(limits, list) else []
    sound = bool(found) and all(is_id(name) for name in found)
    named = [
        one.get(key)
        for one in (limits if isinstance(limits, list) else [])
        if isinstance(one, dict)
        for key in ("condition", "when")
    ]
    conditions = frozenset(name for name in named if isinstance(name, str))
    return {"zone": known, "limits": frozenset(found) if sound else None, "conditions": conditions}
