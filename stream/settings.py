"""Settings: from options, then ``RESPITE_*`` environment variables, then defaults; all faults at once."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from detectors.store import StoreSettings
from schemas.durations import parse_duration

MOST_LATENESS_S = 72 * 3600
_DURATIONS = ("lateness", "breach_grace", "max_open_order", "max_open_session", "max_open_break", "keep")


class InvalidSettings(ValueError):
    """Settings that are refused; the message has every fault."""


class Settings(BaseSettings):
    """What a process of Respite is told. Durations in seconds, written like ``24h`` or as a number."""

    model_config = SettingsConfigDict(env_prefix="RESPITE_", extra="ignore", frozen=True)

    broker: str = Field("127.0.0.1:9092", description="Kafka's HOST:PORT, several with commas.")
    prefix: str = Field("", description="Put before every topic's name.")
    source: str = Field("courier.work-state", description="Topic of WorkStateEvents.")
    alerts: str = Field("courier.fatigue-alerts", description="Topic of alerts.")
    status: str = Field("courier.dispatch-status", description="Topic of dispatch statuses.")
    watermark: str = Field("courier.watermark", description="Topic of watermarks.")
    dead_letter: str = Field("courier.dead-letter", description="Topic of refused messages.")
    group: str = Field("respite", min_length=1, description="Consumer group, and name of the producers.")
    policy: tuple[str, ...] | str = Field(
        ("cn-gbt-2025", "cn-meituan-2024"),
        description="Policies, by name or .toml file; with commas in the environment.",
    )
    clock: Literal["wall", "event"] = Field(
        "wall", description="What *now* is: wall clock, or the events' own."
    )
    lateness: int = Field(86_400, description="Allowed lateness, at most 72h.")
    breach_grace: int = Field(
        60, description="How long after a hold began an acceptance is not held against a platform."
    )
    max_open_order: int = Field(10_800, description="Longest time an order counts without an end.")
    max_open_session: int = Field(57_600, description="Longest time a session counts without an end.")
    max_open_break: int = Field(14_400, description="Longest time a break counts without an end.")
    keep: int = Field(15 * 86_400, description="How long a silent rider is remembered.")
    metrics_host: str = Field("127.0.0.1", description="Where /metrics is served.")
    metrics_port: int = Field(9464, ge=0, le=65535, description="Its port; 0 takes a free one.")
    log_format: Literal["text", "json"] = Field("text", description="Logs for people or as JSON.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Kafka's."
    )
    ssl_cafile: str | None = Field(
        None, description="File of the authorities that sign the broker's certificate."
    )
    ssl_certfile: str | None = Field(None, description="File of our certificate.")
    ssl_keyfile: str | None = Field(None, description="File of our key.")
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="Kafka's."
    )
    sasl_username: str | None = Field(None, description="Name towards the broker.")
    sasl_password: SecretStr | None = Field(
        None, description="Password; better in the environment than as an option."
    )

    @field_validator(*_DURATIONS, mode="before")
    @classmethod
    def _duration(cls, value: object) -> object:
        if isinstance(value, str) and not value.isdigit():
            return parse_duration(value)
        return value

    @field_validator("policy", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @model_validator(mode="after")
    def _agree(self) -> Self:
        faults = [
            f"{name} {getattr(self, name)} s must be above zero: write it like 4h"
            for name in _DURATIONS
            if getattr(self, name) < (0 if name == "breach_grace" else 1)
        ]
        if self.lateness > MOST_LATENESS_S:
            faults.append(f"lateness {self.lateness} s is above 72h")
        if self.security_protocol.startswith("SASL") and not (self.sasl_username and self.sasl_password):
            faults.append(f"security_protocol {self.security_protocol} needs sasl_username and sasl_password")
        for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile"):
            path = getattr(self, name)
            if path is not None and not os.access(path, os.R_OK):
                faults.append(f"{name} {path} cannot be read")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def source_topic(self) -> str:
        """The source's full name."""
        return self.prefix + self.source

    @property
    def alerts_topic(self) -> str:
        """The alerts' full name."""
        return self.prefix + self.alerts

    @property
    def status_topic(self) -> str:
        """The statuses' full name."""
        return self.prefix + self.status

    @property
    def watermark_topic(self) -> str:
        """The watermarks' full name."""
        return self.prefix + self.watermark

    @property
    def dead_letter_topic(self) -> str:
        """The dead letters' full name."""
        return self.prefix + self.dead_letter

    @property
    def policies(self) -> tuple[str, ...]:
        """Names or files of the policies."""
        return self.policy if isinstance(self.policy, tuple) else (self.policy,)

    def store(self, seal_events: int) -> StoreSettings:
        """What verdicts depend on."""
        return StoreSettings(
            lateness_s=self.lateness,
            breach_grace_s=self.breach_grace,
            max_open_order_s=self.max_open_order,
            max_open_session_s=self.max_open_session,
            max_open_break_s=self.max_open_break,
            keep_s=self.keep,
            seal_events=seal_events,
        )

    def tls(self) -> ssl.SSLContext | None:
        """The TLS context; None without TLS."""
        if "SSL" not in self.security_protocol:
            return None
        context = ssl.create_default_context(cafile=self.ssl_cafile)
        if self.ssl_certfile:
            context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile)
        return context

    def client(self) -> dict[str, Any]:
        """Arguments of an aiokafka client."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.broker.split(","),
            "security_protocol": self.security_protocol,
            "ssl_context": self.tls(),
        }
        if self.security_protocol.startswith("SASL") and self.sasl_password:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password.get_secret_value()
        return options

    def admin(self) -> dict[str, Any]:
        """Arguments of a kafka-python client."""
        return self.client()


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
        raise InvalidSettings("settings refused:\n" + "\n".join(faults)) from error


def _fault(one: Mapping[str, Any]) -> str:
    name = ".".join(str(step) for step in one["loc"])
    text = str(one["msg"]).removeprefix("Value error, ")
    if not name:
        return f"  {text}"
    return f"  {name} (RESPITE_{name.upper()}) = {one['input']!r}: {text}"
