"""What each setting may be, and which go together."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from pathlib import Path
from typing import Self

from pydantic import ValidationInfo, field_validator, model_validator

from detectors.models.parameters import MODELS
from schemas.durations import OutOfBounds, parse_duration
from schemas.faults.field import guessed, written
from schemas.faults.meant import OF_NAMES, listed, name_fault
from stream.settings.fields import Fields

MOST_LATENESS_S = 72 * 3600
#: Settings that are durations.
DURATIONS = (
    "lateness",
    "breach_grace",
    "max_open_order",
    "max_open_session",
    "max_open_break",
    "max_open_duty",
    "keep",
    "checkpoint_every",
    "review_within",
    "ready_lag",
    "deaf_after",
)
#: Durations that may be nothing.
OR_ZERO = ("breach_grace", "deaf_after")
_TOPICS = (
    "source",
    "alerts",
    "status",
    "watermark",
    "dead_letter",
    "state",
    "control",
    "zone_condition",
    "shadow_alerts",
    "shadow_state",
)
_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]")
_ADDRESS = re.compile(rf"({_HOST.pattern}):[0-9]{{1,5}}")
_BASE_URL = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+/?")
_DAYS = re.compile(r"([0-9]{1,4})d(?!.*d)")
_LARGEST_PORT = 65_535
_LONGEST_NAME = 200
_LONGEST_TOPIC = 249
_LONGEST_OUTLET = 64


class Checked(Fields):
    """Settings that were looked at, each by itself and then together."""

    @field_validator(*DURATIONS, mode="before")
    @classmethod
    def _duration(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        if value == "0":
            return 0  # Nothing is nothing in every unit; where it may not be, that is said.
        # Policies know no duration above 14 days; `keep` is longer by default.
        days = _DAYS.match(value) if info.field_name == "keep" else None
        if days is None:
            return parse_duration(value)
        rest = value[days.end() :]
        return int(days[1]) * 86_400 + (parse_duration(rest) if rest else 0)

    @field_validator(*DURATIONS)
    @classmethod
    def _long_enough(cls, value: int, info: ValidationInfo) -> int:
        if value < (0 if info.field_name in OR_ZERO else 1):
            raise OutOfBounds
        if info.field_name == "lateness" and value > MOST_LATENESS_S:
            raise OutOfBounds
        return value

    @field_validator("broker")
    @classmethod
    def _addresses(cls, value: str) -> str:
        wrong = [fault for one in value.split(",") if (fault := _address_fault(one))]
        if wrong:
            raise ValueError(f"{wrong[0]}; several with commas, without spaces")
        return value

    @field_validator(*_TOPICS, "group", "prefix", "instance")
    @classmethod
    def _kafka_name(cls, value: str | None, info: ValidationInfo) -> str | None:
        if (
            value is not None
            and not _NAME.fullmatch(value)
            and not (info.field_name == "prefix" and not value)
        ):
            raise ValueError(name_fault(value, OF_NAMES, _LONGEST_NAME))
        return value

    @field_validator("policy", "shadow_policy", "models", "outlets", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @field_validator("outlets")
    @classmethod
    def _outlet_names(cls, value: tuple[str, ...] | str) -> tuple[str, ...] | str:
        wrong = [one for one in value if not _NAME.fullmatch(one) or len(one) > _LONGEST_OUTLET]
        if wrong:
            fault = name_fault(wrong[0], OF_NAMES, _LONGEST_OUTLET)
            raise ValueError(f"{written(wrong[0])} cannot end a topic's name: {fault}")
        if len(set(value)) < len(value):
            twice = next(one for one in value if list(value).count(one) > 1)
            raise ValueError(f"names the platform {twice} twice: name it once")
        return value

    @field_validator("models")
    @classmethod
    def _known_models(cls, value: tuple[str, ...] | str) -> tuple[str, ...] | str:
        wrong = [one for one in value if one not in MODELS]
        if wrong:
            there = f"is no model: must be {listed(MODELS)}; several with commas"
            raise ValueError(f"{written(wrong[0])} {there}{guessed(wrong[0], MODELS)}")
        return value

    @field_validator("policy")
    @classmethod
    def _some_policy(cls, value: tuple[str, ...] | str) -> tuple[str, ...] | str:
        if not value:
            raise ValueError("names no policy; `respite policy list` shows those that there are")
        return value

    @field_validator("policy_dir")
    @classmethod
    def _folder(cls, value: str | None) -> str | None:
        if value is not None and not Path(value).is_dir():
            raise ValueError("is no folder: make it, or name the one that the policy files lie in")
        return value

    @field_validator("ssl_cafile", "ssl_certfile", "ssl_keyfile")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None and not os.access(value, os.R_OK):
            raise ValueError("cannot be read: name a PEM file that this user may read")
        return value

    @field_validator("api_peers", "prometheus")
    @classmethod
    def _base_urls(cls, value: str) -> str:
        wrong = [one for one in value.split(",") if value and not _BASE_URL.fullmatch(one)]
        if wrong:
            raise ValueError(
                f'{written(wrong[0])} is no base URL, like "http://10.0.0.2:8080"; several with commas'
            )
        return value

    @field_validator("api_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for one in filter(None, value.split(",")):
            try:
                ipaddress.ip_network(one, strict=False)
            except ValueError as error:
                message = f'{written(one)} is no address or network, like "10.0.0.0/8"; several with commas'
                raise ValueError(message) from error
        return value

    @model_validator(mode="after")
    def _agree(self) -> Self:
        faults = []
        names = [getattr(self, name) for name in _TOPICS]
        longest_outlet = max((len(one) + 1 for one in self.outlets), default=0)
        if len(set(names)) < len(names):
            alike = [name for name in _TOPICS if names.count(getattr(self, name)) > 1]
            told = ", ".join(f"{name} = {written(getattr(self, name))}" for name in alike)
            faults.append(f"topics must differ from each other: {told}")
        if max(map(len, names)) + len(self.prefix) + longest_outlet > _LONGEST_TOPIC:
            faults.append(
                f"prefix {written(self.prefix)} makes a topic's name longer than {_LONGEST_TOPIC}: shorten it"
            )
        if self.security_protocol.startswith("SASL") and not (self.sasl_username and self.sasl_password):
            faults.append(
                f"security_protocol {self.security_protocol} needs sasl_username and sasl_password: set "
                "RESPITE_SASL_USERNAME and RESPITE_SASL_PASSWORD"
            )
        given = [name for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile") if getattr(self, name)]
        if given and "SSL" not in self.security_protocol:
            faults.append(
                f"{', '.join(given)} given with security_protocol {self.security_protocol}, which is without "
                "TLS: choose SSL or SASL_SSL"
            )
        try:
            self.tls()
        except OSError:  # ssl.SSLError is one
            faults.append(f"{', '.join(given)}: no usable certificate or key: name PEM files")
        if faults:
            raise ValueError("\n  ".join(faults))
        return self

    def tls(self) -> ssl.SSLContext | None:
        """The TLS context; None without TLS."""
        if "SSL" not in self.security_protocol:
            return None
        context = ssl.create_default_context(cafile=self.ssl_cafile)
        if self.ssl_certfile:
            context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile)
        return context


def _address_fault(text: str) -> str | None:
    """What is wrong with a HOST:PORT of Kafka's; None where it is one."""
    host, _, port = text.rpartition(":")
    if _ADDRESS.fullmatch(text):
        if 0 < int(port) <= _LARGEST_PORT:
            return None
        return f'{written(text)} has the port {port}: must be from 1 to {_LARGEST_PORT}, like "{host}:9092"'
    if _HOST.fullmatch(text):
        return f'{written(text)} has no port: must be HOST:PORT, like "{text}:9092"'
    bare = text.strip().rpartition("//")[2].rstrip("/")
    if _ADDRESS.fullmatch(bare):
        return f'{written(text)} is not HOST:PORT: write "{bare}"'
    return f'{written(text)} is not HOST:PORT, like "localhost:9092"'
