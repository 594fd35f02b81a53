"""Settings: from options, then ``RESPITE_*`` environment variables, then defaults; all faults at once."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from detectors.models.parameters import MODELS, PaceParameters
from detectors.store import StoreSettings
from schemas.durations import parse_duration

MOST_LATENESS_S = 72 * 3600
_DURATIONS = (
    "lateness",
    "breach_grace",
    "max_open_order",
    "max_open_session",
    "max_open_break",
    "max_open_duty",
    "keep",
    "checkpoint_every",
    "ready_lag",
    "deaf_after",
)
#: Durations that may be nothing.
_OR_ZERO = ("breach_grace", "deaf_after")
_TOPICS = ("source", "alerts", "status", "watermark", "dead_letter", "state", "control")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")
_ADDRESS = re.compile(r"([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}")
_BASE_URL = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+/?")
_DAYS = re.compile(r"([0-9]{1,4})d(?!.*d)")
_LONGEST_TOPIC = 249
_LONGEST_OUTLET = 64
_SECRETS = ("sasl_password",)


class InvalidSettings(ValueError):
    """Settings that are refused; the message has every fault."""


class Settings(BaseSettings):
    """What a process of Respite is told. Durations in seconds, written with their unit, like ``24h``."""

    model_config = SettingsConfigDict(env_prefix="RESPITE_", extra="ignore", frozen=True)

    broker: str = Field("127.0.0.1:9092", description="Kafka's HOST:PORT, several with commas.")
    prefix: str = Field("", description="Put before every topic's name.")
    source: str = Field("courier.work-state", description="Topic of WorkStateEvents.")
    alerts: str = Field("courier.fatigue-alerts", description="Topic of alerts.")
    status: str = Field("courier.dispatch-status", description="Topic of dispatch statuses.")
    watermark: str = Field("courier.watermark", description="Topic of watermarks.")
    dead_letter: str = Field("courier.dead-letter", description="Topic of refused messages.")
    state: str = Field("respite.state", description="Topic of checkpoints.")
    control: str = Field("respite.control", description="Topic of an operator's orders to the workers.")
    outlets: tuple[str, ...] | str = Field(
        (), description="Platforms that get topics of their own; with commas in the environment."
    )
    instance: str | None = Field(
        None, description="Lasting name of this worker in the group: a restart within 10 s moves nothing."
    )
    checkpoint_every: int = Field(20, description="How often what has changed is written to the state topic.")
    group: str = Field("respite", description="Consumer group, and name of the producers.")
    policy: tuple[str, ...] | str = Field(
        ("cn-gbt-2025", "cn-meituan-2024"),
        description="Policies, by name or .toml file; with commas in the environment.",
    )
    models: tuple[str, ...] | str = Field(
        (), description="Models whose distributions are metrics: risk, alertness, pace; with commas."
    )
    pace_k: float = Field(0.5, gt=0, le=5, description="Half the shift of pace looked for, in sigmas.")
    pace_h: float = Field(5.0, gt=0, le=50, description="Level at which the CUSUM of pace alarms, in sigmas.")
    pace_lambda: float = Field(0.1, gt=0, le=1, description="Weight of the newest order in the EWMA of pace.")
    pace_width: float = Field(2.814, gt=0, le=10, description="Width L of the EWMA's limits, in its sigmas.")
    pace_baseline: int = Field(
        100, ge=100, le=100_000, description="Orders of a rider that his pace is measured by."
    )
    policy_dir: str | None = Field(
        None,
        description="Folder of policy files that are taken up when they appear or change, beside the ones "
        "named; a file takes the place of a policy of its name that is only the default.",
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
    max_open_duty: int = Field(57_600, description="Longest time a duty status holds without another.")
    keep: int = Field(15 * 86_400, description="How long a silent rider is remembered.")
    metrics_host: str = Field("127.0.0.1", description="Where /metrics, /healthz and /readyz are served.")
    metrics_port: int = Field(9464, ge=0, le=65535, description="Their port; 0 takes a free one.")
    ready_lag: int = Field(30, description="How far behind a partition may be while the worker is ready.")
    deaf_after: int = Field(
        300,
        description="How long the worker may hear nothing of a broker that answers others before it ends; 0: "
        "for ever.",
    )
    zone_digits: int = Field(
        0, ge=0, le=64, description="Characters of a zone's code that metrics show; 0: no zones."
    )
    shared_dir: str = Field(
        "auto",
        description="Folder in which API processes read the riders' state; auto: in /dev/shm where there is "
        "one; none: nobody reads it.",
    )
    api_host: str = Field("127.0.0.1", description="Where the API is served.")
    api_port: int = Field(8080, ge=0, le=65535, description="Its port; 0 takes a free one.")
    api_peers: str = Field("", description="Base URLs of APIs on other machines, with commas.")
    api_proxies: str = Field(
        "", description="Addresses or networks whose X-Forwarded-For is believed, with commas."
    )
    keys: str = Field("respite-keys.json", description="File of the API's keys.")
    rest_stops: str = Field("", description="File of rest stops and estates, CSV or GeoJSON; empty: none.")
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

    @field_validator(*_DURATIONS)
    @classmethod
    def _long_enough(cls, value: int, info: ValidationInfo) -> int:
        if value < (0 if info.field_name in _OR_ZERO else 1):
            raise ValueError("must be above zero: write it like 4h")
        if info.field_name == "lateness" and value > MOST_LATENESS_S:
            raise ValueError("must be at most 72h")
        return value

    @field_validator("broker")
    @classmethod
    def _addresses(cls, value: str) -> str:
        wrong = [one for one in value.split(",") if not _ADDRESS.fullmatch(one)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is not HOST:PORT; several with commas, without spaces")
        return value

    @field_validator(*_TOPICS, "group", "prefix", "instance")
    @classmethod
    def _kafka_name(cls, value: str | None, info: ValidationInfo) -> str | None:
        if (
            value is not None
            and not _NAME.fullmatch(value)
            and not (info.field_name == "prefix" and not value)
        ):
            raise ValueError("must be 1 to 200 characters of A-Z a-z 0-9 . _ -")
        return value

    @field_validator("policy", "outlets", "models", mode="before")
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
            raise ValueError(
                f"{wrong[0]!r} cannot end a topic's name: 1 to 64 characters of A-Z a-z 0-9 . _ -"
            )
        if len(set(value)) < len(value):
            raise ValueError("names a platform twice")
        return value

    @field_validator("models")
    @classmethod
    def _known_models(cls, value: tuple[str, ...] | str) -> tuple[str, ...] | str:
        wrong = [one for one in value if one not in MODELS]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no model; there are {', '.join(MODELS)}")
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

    @model_validator(mode="after")
    def _agree(self) -> Self:
        faults = []
        names = [getattr(self, name) for name in _TOPICS]
        longest_outlet = max((len(one) + 1 for one in self.outlets), default=0)
        if len(set(names)) < len(names):
            faults.append(f"topics must differ from each other: {', '.join(names)}")
        if max(map(len, names)) + len(self.prefix) + longest_outlet > _LONGEST_TOPIC:
            faults.append(
                f"prefix {self.prefix!r} makes a topic's name longer than {_LONGEST_TOPIC}: shorten it"
            )
        if self.security_protocol.startswith("SASL") and not (self.sasl_username and self.sasl_password):
            faults.append(f"security_protocol {self.security_protocol} needs sasl_username and sasl_password")
        given = [name for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile") if getattr(self, name)]
        if given and "SSL" not in self.security_protocol:
            faults.append(
                f"{', '.join(given)} given with security_protocol {self.security_protocol}, which is without "
                "TLS: choose SSL or SASL_SSL"
            )
        try:
            self.tls()
        except OSError as error:  # ssl.SSLError is one
            faults.append(f"{', '.join(given)}: no usable certificate or key: {error}")
        if faults:
            raise ValueError("\n  ".join(faults))
        return self

    @field_validator("api_peers")
    @classmethod
    def _base_urls(cls, value: str) -> str:
        wrong = [one for one in value.split(",") if value and not _BASE_URL.fullmatch(one)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no base URL like http://10.0.0.2:8080; several with commas")
        return value

    @field_validator("api_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for one in filter(None, value.split(",")):
            try:
                ipaddress.ip_network(one, strict=False)
            except ValueError as error:
                message = f"{one!r} is no address or network like 10.0.0.0/8; several with commas"
                raise ValueError(message) from error
        return value

    @property
    def proxies(self) -> tuple[str, ...]:
        """Addresses or networks whose X-Forwarded-For is believed."""
        return tuple(one for one in self.api_proxies.split(",") if one)

    @property
    def peers(self) -> tuple[str, ...]:
        """Base URLs of APIs on other machines."""
        return tuple(one.rstrip("/") for one in self.api_peers.split(",") if one)

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
    def state_topic(self) -> str:
        """The state's full name."""
        return self.prefix + self.state

    @property
    def control_topic(self) -> str:
        """The orders' full name."""
        return self.prefix + self.control

    def alerts_of(self, platform: str) -> str:
        """The full name of a platform's own topic of alerts."""
        return f"{self.alerts_topic}.{platform}"

    def status_of(self, platform: str) -> str:
        """The full name of a platform's own topic of statuses."""
        return f"{self.status_topic}.{platform}"

    @property
    def policies(self) -> tuple[str, ...]:
        """Names or files of the policies."""
        return self.policy if isinstance(self.policy, tuple) else (self.policy,)

    @property
    def pace(self) -> PaceParameters:
        """What the model of pace goes by."""
        return PaceParameters(self.pace_k, self.pace_h, self.pace_lambda, self.pace_width, self.pace_baseline)

    def store(self, seal_events: int) -> StoreSettings:
        """What verdicts depend on."""
        return StoreSettings(
            lateness_s=self.lateness,
            breach_grace_s=self.breach_grace,
            max_open_order_s=self.max_open_order,
            max_open_session_s=self.max_open_session,
            max_open_break_s=self.max_open_break,
            max_open_duty_s=self.max_open_duty,
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
