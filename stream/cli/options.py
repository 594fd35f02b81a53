"""Settings as options of commands. Each text ends with the default, which is the setting's own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

#: Where Kafka is, and how it is spoken to: what every command takes that does.
CONNECTION = (
    "broker",
    "security_protocol",
    "ssl_cafile",
    "ssl_certfile",
    "ssl_keyfile",
    "sasl_mechanism",
    "sasl_username",
    "sasl_password",
)
#: What verdicts depend on beside the policies.
JUDGING = (
    "lateness",
    "breach_grace",
    "max_open_order",
    "max_open_session",
    "max_open_break",
    "max_open_duty",
)
#: What the model of pace goes by.
PACE = ("pace_k", "pace_h", "pace_lambda", "pace_width", "pace_baseline")
#: Where things lie in Kafka.
OUTPUTS = ("alerts", "status", "watermark", "dead_letter")

_TEXTS = {
    "broker": "Kafka's HOST:PORT [127.0.0.1:9092].",
    "policy": "Name or .toml file; may be repeated [cn-gbt-2025, cn-meituan-2024].",
    "policy_dir": "Folder of policy files, taken up when they appear or change [none].",
    "shadow_policy": "Policy to try: judged and told in a topic of its own; may be repeated [none].",
    "shadow_alerts": "Topic of what policies in the shadow would have said [courier.shadow-alerts].",
    "shadow_state": "Topic of their checkpoints [respite.shadow-state].",
    "models": "Models, with commas: risk, alertness, pace; their distributions are metrics [none].",
    "pace_k": "Half the shift of pace that is looked for, in sigmas: above 0 to 5 [0.5].",
    "pace_h": "Level at which the CUSUM alarms, above 0 to 50: 5 is once in 465 orders by chance [5.0].",
    "pace_lambda": "Weight of the newest order in the EWMA: above 0 to 1 [0.1].",
    "pace_width": "Width L of the EWMA's limits, above 0 to 10: 2.814 is once in 500 by chance [2.814].",
    "pace_baseline": "Orders of a rider that his pace is measured by: 100 to 100000 [100].",
    "prefix": "Put before every topic's name [none].",
    "source": "Topic of WorkStateEvents [courier.work-state].",
    "alerts": "Topic of alerts [courier.fatigue-alerts].",
    "status": "Topic of dispatch statuses [courier.dispatch-status].",
    "watermark": "Topic of watermarks [courier.watermark].",
    "dead_letter": "Topic of refused messages [courier.dead-letter].",
    "zone_condition": "Topic of conditions of zones [courier.zone-condition].",
    "state": "Topic of checkpoints [respite.state].",
    "control": "Topic of an operator's orders [respite.control].",
    "outlets": "Platforms that get topics of their own, with commas [none].",
    "group": "Consumer group, and name of the producers [respite].",
    "instance": "Lasting name in the group: a restart within 10 s moves nothing [none].",
    "clock": "wall or event [wall].",
    "lateness": "Allowed lateness, like 24h or 1h30min: 1s to 72h [24h].",
    "breach_grace": "After a hold began, acceptances so long are no breach: 0 to 14d [60s].",
    "max_open_order": "Longest time an order counts without an end: 1s to 14d, usually hours [3h].",
    "max_open_session": "Longest time a session counts without an end: 1s to 14d, usually hours [16h].",
    "max_open_break": "Longest time a break counts without an end: 1s to 14d, usually hours [4h].",
    "max_open_duty": "Longest time a duty status holds without another: 1s to 14d, usually hours [16h].",
    "keep": "How long a silent rider is remembered: 1s to 9999d, usually days [15d].",
    "checkpoint_every": "How often changes go to the state topic: 1s to 14d [20s].",
    "metrics_host": "Where /metrics is served [127.0.0.1].",
    "metrics_port": "Port of /metrics, 0 for a free one [9464].",
    "ready_lag": "How far behind a worker may be and still be ready: 1s to 14d [30s].",
    "deaf_after": "End when a broker that answers others is unheard so long: 1s to 14d, 0 for never [5min].",
    "zone_digits": "Characters of a zone's code that metrics show [0].",
    "shared_dir": "Where API processes read the riders' state; auto: in /dev/shm; none: nowhere [auto].",
    "api_host": "Where the API is served [127.0.0.1].",
    "api_port": "Port of the API, 0 for a free one [8080].",
    "api_proxies": "Addresses or networks whose X-Forwarded-For is believed, with commas [none].",
    "api_peers": "Base URLs of APIs on other machines, with commas [none].",
    "keys": "File of the API's keys [respite-keys.json].",
    "history": "File in which the API keeps its counts of the last days, or none [respite-history.json].",
    "prometheus": "Base URL of a Prometheus that scrapes the workers [none].",
    "rest_stops": "File of rest stops and estates, CSV or GeoJSON; taken up when it changes [none].",
    "reviews": "File of the reviews that the API takes [none].",
    "review_within": "How long a person has to answer a review: 1s to 14d [14d].",
    "ledger": "Folder of the record of holds [respite-ledger].",
    "ledger_key": "File of the keys that sign it [respite-ledger-key.json].",
    "log_format": "text or json [text].",
    "security_protocol": "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL [PLAINTEXT].",
    "ssl_cafile": "Authorities that sign the broker's certificate [the system's].",
    "ssl_certfile": "Our certificate [none].",
    "ssl_keyfile": "Our key [none].",
    "sasl_mechanism": "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 [SCRAM-SHA-512].",
    "sasl_username": "Name towards the broker [none].",
    "sasl_password": "Better as RESPITE_SASL_PASSWORD: others see options [none].",
}
_NUMBERS = frozenset({"metrics_port", "zone_digits", "api_port", "pace_baseline"})
_REPEATED = frozenset({"policy", "shadow_policy"})
_FRACTIONS = frozenset({"pace_k", "pace_h", "pace_lambda", "pace_width"})

#: Settings by name, for `settings_from`: None for what was left out.
Options = dict[str, Any]
Command = Callable[..., None]


def takes(*names: str) -> Callable[[Command], Command]:
    """Let a command take settings as options, behind its own.

    Its first argument is then `Options`; what was left out is the environment's and the default's.
    """

    def decorate(command: Command) -> Command:
        _, *own = inspect.signature(command, eval_str=True).parameters.values()
        parameters = [*own, *(_parameter(name) for name in names)]

        @functools.wraps(command)
        def called(**arguments: Any) -> None:  # noqa: ANN401 - whatever the options are
            options = {name: arguments.pop(name) for name in names}
            for name in _REPEATED & options.keys():
                options[name] = tuple(options[name] or ()) or None
            command(options, **arguments)

        # What typer reads in place of the command's own.
        keywords = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
        called.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
        called.__annotations__ = {one.name: one.annotation for one in parameters}
        return called

    return decorate


def _parameter(name: str) -> inspect.Parameter:
    kind: Any = list[str] if name in _REPEATED else str
    if name in _NUMBERS | _FRACTIONS:
        kind = int if name in _NUMBERS else float
    annotation = Annotated[kind | None, typer.Option(help=_TEXTS[name])]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
