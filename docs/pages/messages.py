"""Messages, policy files and webhook files, from their models."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from docs.pages.tables import described, fields
from schemas import publish
from schemas.policy import Policy
from schemas.policy_limit import releases_of
from schemas.rest_stops import Estate, RestStop
from stream.webhooks.config import Config

_TOPICS = {schema: topic for topic, _, schema, _, _ in publish.CHANNELS} | {
    "dead-letter-headers": publish.DEAD_LETTERS
}


def _model(title: str, schema: dict[str, Any], level: int) -> str:
    heads = "#" * level
    parts = [f"\n{heads} {title}\n\n{described(schema.get('description', ''))}\n\n{fields(schema)}"]
    for name, inner in schema.get("$defs", {}).items():
        if "properties" in inner:
            parts.append(f"\n{heads}# {name}\n\n{described(inner.get('description', ''))}\n\n{fields(inner)}")
    return "".join(parts)


def messages_page() -> str:
    """Every message, field by field."""
    parts = [
        (
            "# Messages\n\nEvery message is a JSON object in UTF-8. The same as JSON Schemas and an AsyncAPI "
            "document lies in `schemas/published/` of the repository, made from the same models.\n\n"
            "An id is a string of 1 to 64 characters of `A-Z a-z 0-9 _ . : -`. Times in events are RFC 3339 with "
            "an offset or `Z`; in alerts they have the policy's time zone, in statuses and watermarks `Z`.\n"
        )
    ]
    shown: set[str] = set()
    for name, topic in _TOPICS.items():
        schema = publish.json_schema(name)
        inner = {key: one for key, one in schema.get("$defs", {}).items() if key not in shown}
        shown |= inner.keys()
        text = _model(schema["title"], {**schema, "$defs": inner}, 2)
        parts.append(text.replace("\n\n", f"\n\nTopic `{topic}`. ", 1))
    return "".join(parts)


def _file(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)


def policy_page() -> str:
    """The keys of a policy file."""
    intro = (
        "# Policy file\n\nTOML. Unknown keys, contradictions and missing pieces are refused, all in one "
        "message. [The grammar](../policies/grammar.md) says what the words mean. Durations are strings of "
        "whole numbers with `s`, `min`, `h`, `d`, largest first, above zero and at most 14 days.\n"
    )
    lines = ["\n## Releases\n\nThe first is the default.\n\n| kind | effect `hold` | effect `confirm` |\n"]
    lines.append("| --- | --- | --- |\n")
    for kind in ("continuous", "day", "week", "month", "rolling", "span", "rest_within", "ban"):
        for has_reset in (True, False) if kind == "rolling" else (True,):
            name = f"`{kind}`" + (
                "" if kind != "rolling" else " with reset" if has_reset else " without reset"
            )
            held = ", ".join(f"`{one}`" for one in releases_of(kind, "hold", has_reset=has_reset))
            confirmed = "none" if kind == "ban" else "`confirm`"
            lines.append(f"| {name} | {held} | {confirmed} |\n")
    # Every whole number of a limit is a duration, which the file writes as a text.
    text = _model("Policy", _file(Policy), 2).replace("integer or null", "duration or null")
    text = text.replace("| `weeks` | duration or null", "| `weeks` | integer or null")
    return intro + text.replace("list of integer", "list of durations") + "".join(lines)


def rest_stops_page() -> str:
    """The fields of the file of rest stops."""
    intro = (
        "# Rest stops file\n\nA table (CSV, UTF-8, with a head) or GeoJSON (a FeatureCollection; coordinates are not "
        "looked at, `geometry` may be null), given to `respite api --rest-stops` and `respite replay "
        "--rest-stops`. A line or feature with a `stop_id` is a rest stop, one with an `estate_id` is an estate. "
        "[Rest stops](../operator/rest-stops.md) says what becomes of it. In a table the name of a rest stop "
        "stands in two columns, `name_zh` and `name_en`, and services are separated by semicolons. Columns that "
        "are not named here are not looked at. An example is `deploy/example/rest-stops.csv` of the "
        "repository.\n"
    )
    return intro + _model("RestStop", _file(RestStop), 2) + _model("Estate", _file(Estate), 2)


def webhooks_page() -> str:
    """The keys of the file of endpoints."""
    intro = (
        "# Webhooks file\n\nTOML, given to `respite webhooks --config`. An example is "
        "`deploy/example/webhooks.toml` of the repository; [Webhooks](../platform/webhooks.md) says how "
        "messages are sent. Durations are numbers of seconds or texts like `10s`.\n"
    )
    return intro + _model("Config", _file(Config), 2)
