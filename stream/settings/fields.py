"""The settings one by one: names, defaults, and the texts that options and the manual show."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Fields(BaseSettings):
    """Every setting with its default and what it is for: option, variable and row of the manual."""

    model_config = SettingsConfigDict(env_prefix="RESPITE_", extra="ignore", frozen=True)

    broker: str = Field("127.0.0.1:9092", description="Kafka's HOST:PORT, several with commas.")
    prefix: str = Field("", description="Put before every topic's name.")
    source: str = Field("courier.work-state", description="Topic of WorkStateEvents.")
    alerts: str = Field("courier.fatigue-alerts", description="Topic of alerts.")
    status: str = Field("courier.dispatch-status", description="Topic of dispatch statuses.")
    watermark: str = Field("courier.watermark", description="Topic of watermarks.")
    dead_letter: str = Field("courier.dead-letter", description="Topic of refused messages.")
    zone_condition: str = Field(
        "courier.zone-condition",
        description="Topic of conditions of zones, like heat.",
    )
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
    shadow_policy: tuple[str, ...] | str = Field(
        (),
        description="Policies that are tried: judged, and told in a topic of their own alone.",
    )
    shadow_alerts: str = Field(
        "courier.shadow-alerts", description="Topic of what policies in the shadow would have said."
    )
    shadow_state: str = Field(
        "respite.shadow-state", description="Topic of checkpoints of policies in the shadow."
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
    history: str = Field(
        "respite-history.json",
        description="File in which the API keeps its counts of the last days; none: nothing is kept.",
    )
    prometheus: str = Field(
        "", description="Base URL of a Prometheus that scrapes the workers; empty: the API's own counts."
    )
    rest_stops: str = Field("", description="File of rest stops and estates, CSV or GeoJSON; empty: none.")
    reviews: str = Field("", description="File of the reviews that the API takes; empty: none are taken.")
    review_within: int = Field(1_209_600, description="How long a person has to answer a review.")
    ledger: str = Field("respite-ledger", description="Folder of the record of holds.")
    ledger_key: str = Field("respite-ledger-key.json", description="File of the keys that sign it.")
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
