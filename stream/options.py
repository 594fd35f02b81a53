"""Settings as options of commands. Each text ends with the default, which is the setting's own."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def setting(text: str) -> Any:  # noqa: ANN401 - typer says so
    """An option that, where it is left out, leaves the setting to the environment and the default."""
    return typer.Option(help=text)


Broker = Annotated[str | None, setting("Kafka's HOST:PORT [127.0.0.1:9092].")]
Policies = Annotated[
    list[str] | None,
    typer.Option("--policy", help="Name or .toml file; may be repeated [cn-gbt-2025, cn-meituan-2024]."),
]
Prefix = Annotated[str | None, setting("Put before every topic's name [none].")]
Source = Annotated[str | None, setting("Topic of WorkStateEvents [courier.work-state].")]
BreachGrace = Annotated[str | None, setting("After a hold began, acceptances so long are no breach [60s].")]
MaxOpenOrder = Annotated[str | None, setting("Longest time an order counts without an end [3h].")]
MaxOpenSession = Annotated[str | None, setting("Longest time a session counts without an end [16h].")]
MaxOpenBreak = Annotated[str | None, setting("Longest time a break counts without an end [4h].")]
Lateness = Annotated[str | None, setting("Allowed lateness, at most 72h [24h].")]
Alerts = Annotated[str | None, setting("Topic of alerts [courier.fatigue-alerts].")]
Status = Annotated[str | None, setting("Topic of dispatch statuses [courier.dispatch-status].")]
Watermark = Annotated[str | None, setting("Topic of watermarks [courier.watermark].")]
DeadLetter = Annotated[str | None, setting("Topic of refused messages [courier.dead-letter].")]
State = Annotated[str | None, setting("Topic of checkpoints [respite.state].")]
Control = Annotated[str | None, setting("Topic of an operator's orders [respite.control].")]
Outlets = Annotated[str | None, setting("Platforms that get topics of their own, with commas [none].")]
Instance = Annotated[
    str | None, setting("Lasting name in the group: a restart within 10 s moves nothing [none].")
]
CheckpointEvery = Annotated[str | None, setting("How often changes go to the state topic [20s].")]
Group = Annotated[str | None, setting("Consumer group, and name of the producers [respite].")]
Clock = Annotated[str | None, setting("wall or event [wall].")]
Keep = Annotated[str | None, setting("How long a silent rider is remembered [15d].")]
MetricsHost = Annotated[str | None, setting("Where /metrics is served [127.0.0.1].")]
MetricsPort = Annotated[int | None, setting("Port of /metrics, 0 for a free one [9464].")]
ReadyLag = Annotated[str | None, setting("How far behind a worker may be and still be ready [30s].")]
ZoneDigits = Annotated[int | None, setting("Characters of a zone's code that metrics show [0].")]
SharedDir = Annotated[
    str | None,
    setting("Where API processes read the riders' state; auto: in /dev/shm; none: nowhere [auto]."),
]
ApiHost = Annotated[str | None, setting("Where the API is served [127.0.0.1].")]
ApiPort = Annotated[int | None, setting("Port of the API, 0 for a free one [8080].")]
ApiPeers = Annotated[str | None, setting("Base URLs of APIs on other machines, with commas [none].")]
Keys = Annotated[str | None, setting("File of the API's keys [respite-keys.json].")]
LogFormat = Annotated[str | None, setting("text or json [text].")]
SecurityProtocol = Annotated[str | None, setting("PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL [PLAINTEXT].")]
SslCafile = Annotated[str | None, setting("Authorities that sign the broker's certificate [the system's].")]
SslCertfile = Annotated[str | None, setting("Our certificate [none].")]
SslKeyfile = Annotated[str | None, setting("Our key [none].")]
SaslMechanism = Annotated[str | None, setting("PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 [SCRAM-SHA-512].")]
SaslUsername = Annotated[str | None, setting("Name towards the broker [none].")]
SaslPassword = Annotated[str | None, setting("Better as RESPITE_SASL_PASSWORD: others see options [none].")]
