"""The TOML file of ``respite webhooks``: whom to send what, and how patiently; all faults at once."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from yarl import URL

from schemas.durations import OutOfBounds, parse_duration
from schemas.faults.field import causes, field_fault, guessed, place_in, with_value, written
from stream.kafka.topics.acls import WEBHOOK_DEAD_LETTER, WEBHOOK_GROUP
from stream.toml_files import Unreadable, toml_file
from stream.webhooks.signing import BadSecret, Signer

Kind = Literal["approaching", "limit_reached", "reminder", "hold_released", "hold_breached", "retracted"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_NAME = r"^[A-Za-z0-9._-]{1,64}$"
_MILLISECONDS = re.compile(r"([0-9]{1,6})ms", re.ASCII)
_LONGEST_S = 86_400
_TOPIC = r"^[A-Za-z0-9._-]{1,200}$"


class InvalidConfig(ValueError):
    """A file that is refused; the message has every fault with its place, and no secret."""


def _seconds(value: object) -> float:
    """Seconds of a text like ``"10s"`` or ``"250ms"``: a number without a unit is refused, as in policies."""
    if isinstance(value, float):
        raise ValueError(  # noqa: TRY004 - pydantic wants a ValueError
            f"{value} is no duration: write a whole number with its unit in quotation marks, "
            + (f'"{round(value * 1000)}ms"' if 0 < value <= _LONGEST_S else '"1s" or "500ms"')
        )
    match = _MILLISECONDS.fullmatch(value) if isinstance(value, str) else None
    try:
        seconds = int(match[1]) / 1000 if match else parse_duration(value)
    except OutOfBounds:
        seconds = 0
    if not 0 < seconds <= _LONGEST_S:
        raise OutOfBounds(f'{written(value)} must be from "1ms" to "24h"')
    return seconds


Seconds = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+(ms|s|min|h|d)"}),
]


class Retry(BaseModel):
    """How often and how far apart one message is tried."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempts: int = Field(12, ge=1, le=1000, description="How often in all, before the dead letters.")
    first: Seconds = Field(
        "1s", validate_default=True, description="Longest wait before the second attempt; doubled each time."
    )
    longest: Seconds = Field(
        "5min",
        validate_default=True,
        description="Where the doubling ends, and the longest Retry-After obeyed.",
    )


class Endpoint(BaseModel):
    """One receiver. Durations are texts with a unit: ``"500ms"``, ``"10s"``, ``"5min"``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(pattern=_NAME, description="Names the consumer group and the metrics.")
    platform: str = Field(pattern=_NAME, description="Whose topics are read.")
    url: str = Field(description="https, or http to this machine.")
    secret: SecretStr = Field(
        SecretStr(""), description="whsec_…; during a rotation the new and the old one, with a space between."
    )
    secret_env: str | None = Field(None, description="The environment variable that holds the secret.")
    kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="Alerts to send; retractions always go.")
    statuses: bool = Field(default=False, description="Whether dispatch statuses are sent too.")
    concurrency: int = Field(8, ge=1, le=256, description="Most requests at a time, in this process.")
    max_pending: int = Field(1000, ge=1, le=100_000, description="Most messages in memory, in this process.")
    timeout: Seconds = Field(
        "10s", validate_default=True, description="From connecting to the answer's status."
    )
    retry: Retry = Retry()
    allow_private: bool = Field(
        default=False, description="Whether private and loopback addresses are allowed."
    )
    ca_file: str | None = Field(None, description="Authorities of its certificate; else the system's.")

    @model_validator(mode="before")
    @classmethod
    def _secret_from_environment(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        name, given = value.get("secret_env"), "secret" in value
        if given == (name is not None):
            raise ValueError("needs either secret or secret_env")
        if given:
            return value
        if not isinstance(name, str) or not os.environ.get(name):
            raise ValueError(f"secret_env: no environment variable {written(name)} with a value")
        return {**value, "secret": os.environ[name]}

    @field_validator("secret")
    @classmethod
    def _usable(cls, value: SecretStr) -> SecretStr:
        try:
            Signer(value.get_secret_value())
        except BadSecret as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            url = URL(value)
        except ValueError as error:
            raise ValueError("is no URL: must be like https://host/path") from error
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("must be like https://host/path")
        if url.user is not None or url.password is not None:
            raise ValueError("must not hold a user or password: the signature is the proof")
        if url.scheme == "http" and not _loopback(url.host):
            raise ValueError("must be https: http goes to this machine alone (localhost, 127.0.0.1, ::1)")
        return value

    @field_validator("ca_file")
    @classmethod
    def _authorities(cls, value: str | None) -> str | None:
        try:
            ssl.create_default_context(cafile=value)
        except OSError as error:  # ssl.SSLError is one
            text = "cannot be read as certificates: name a PEM file that this user may read"
            raise ValueError(text) from error
        return value

    @model_validator(mode="after")
    def _private(self) -> Self:
        host = URL(self.url).host or ""
        if not self.allow_private and (_loopback(host) or _private_literal(host)):
            raise ValueError(f"url: {host} is a private address; allow_private = true if that is meant")
        return self

    @property
    def sent_kinds(self) -> frozenset[str]:
        """The kinds of alerts that go out: whoever is told a verdict must be told of its end."""
        return frozenset({*self.kinds, "retracted"})

    @property
    def signer(self) -> Signer:
        """Signs for this endpoint."""
        return Signer(self.secret.get_secret_value())


class Config(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    group_prefix: str = Field(WEBHOOK_GROUP, pattern=_TOPIC, description="Before the groups' names.")
    dead_letter: str = Field(WEBHOOK_DEAD_LETTER, pattern=_TOPIC, description="Without the prefix.")
    metrics_host: str | None = Field(
        None, description="Where /metrics is served; else where RESPITE_METRICS_HOST says, as for workers."
    )
    metrics_port: int = Field(9465, ge=0, le=65_535, description="Its port; 0 takes a free one.")
    endpoint: tuple[Endpoint, ...] = Field(min_length=1)

    @field_validator("endpoint")
    @classmethod
    def _named_once(cls, value: Sequence[Endpoint]) -> Sequence[Endpoint]:
        names = [one.name for one in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two endpoints of one name: {', '.join(twice)}")
        return value

    def named(self, name: str) -> Endpoint:
        """The endpoint of a name.

        Raises
        ------
        InvalidConfig
            There is none.
        """
        for one in self.endpoint:
            if one.name == name:
                return one
        known = [one.name for one in self.endpoint]
        there = f"there are: {', '.join(known)}{guessed(name, known)}"
        raise InvalidConfig(f"no endpoint {written(name)}; {there}")

    def group(self, endpoint: Endpoint) -> str:
        """The consumer group of an endpoint."""
        return f"{self.group_prefix}-{endpoint.name}"


def load_config(path: Path) -> Config:
    """Read a file.

    Raises
    ------
    InvalidConfig
        It cannot be read, or with every fault.
    """
    try:
        tree = toml_file(path)
    except Unreadable as error:
        raise InvalidConfig(str(error)) from error
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        faults = [_fault(one, tree) for one in causes(error.errors(include_url=False))]
        raise InvalidConfig(f"{path}:\n" + "\n".join(faults)) from error


_FIELDS = {name: field for model in (Config, Endpoint, Retry) for name, field in model.model_fields.items()}
#: Fields whose values are told: not secrets, nor addresses, which may hold some.
_TOLD = frozenset(_FIELDS) - {"secret", "url", "endpoint"}


def _fault(one: Mapping[str, Any], tree: Mapping[str, Any]) -> str:
    place, text, value = place_in(one["loc"], tree) or "the file", field_fault(one, _FIELDS), one["input"]
    names = [step for step in one["loc"] if isinstance(step, str)]
    is_told = names and names[-1] in _TOLD and isinstance(value, str | int | float)
    if one["type"] in ("missing", "extra_forbidden") or not is_told:
        return f"  {place}: {text}"
    return f"  {with_value(place, value, text)}"


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _private_literal(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False
