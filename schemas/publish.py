"""``python -m schemas.publish [--check]``: JSON Schemas and the AsyncAPI document, made from the models."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from schemas.alert import Alert
from schemas.dead_letter import DeadLetterHeaders
from schemas.dispatch_status import DispatchStatus
from schemas.policy import Policy
from schemas.rest_stops import feature_schema
from schemas.watermark import Watermark
from schemas.work_state import WorkStateEvent
from schemas.zone_condition import ZoneCondition

FOLDER = Path(__file__).parent / "published"
MODELS: dict[str, type[BaseModel]] = {
    "work-state-1": WorkStateEvent,
    "fatigue-alert-1": Alert,
    "dispatch-status-1": DispatchStatus,
    "watermark-1": Watermark,
    "zone-condition-1": ZoneCondition,
    "dead-letter-headers": DeadLetterHeaders,
    "policy": Policy,
}
#: Topic, key, schema, whether Respite writes it, what it is.
CHANNELS = (
    ("courier.work-state", "rider_id", "work-state-1", False, "Work-state events of the platforms."),
    ("courier.fatigue-alerts", "rider_id", "fatigue-alert-1", True, "Alerts, whole."),
    (
        "courier.dispatch-status",
        "rider_id",
        "dispatch-status-1",
        True,
        "The newest status per rider; compacted.",
    ),
    ("courier.watermark", "partition", "watermark-1", True, "How far each partition is judged; compacted."),
    (
        "courier.zone-condition",
        "condition_id",
        "zone-condition-1",
        False,
        "Conditions of zones, like heat, as they are announced; compacted.",
    ),
)
DEAD_LETTERS = "courier.dead-letter"


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a model."""
    schema = MODELS[name].model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def async_api() -> dict[str, Any]:
    """The AsyncAPI 3 document of the topics."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for topic, key, schema, writes, text in CHANNELS:
        name = MODELS[schema].__name__
        messages[name] = {
            "contentType": "application/json",
            "payload": {"$ref": f"./{schema}.json"},
            "bindings": {"kafka": {"key": {"type": "string", "description": key}}},
        }
        _channel(channels, operations, topic, name, text, writes=writes)
    messages["DeadLetter"] = {
        "contentType": "application/octet-stream",
        "headers": {"$ref": "./dead-letter-headers.json"},
    }
    _channel(
        channels,
        operations,
        DEAD_LETTERS,
        "DeadLetter",
        "Refused messages, their bytes untouched.",
        writes=True,
    )
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Respite", "version": "1", "license": {"name": "Apache-2.0"}},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def _channel(
    channels: dict[str, Any], operations: dict[str, Any], topic: str, message: str, text: str, *, writes: bool
) -> None:
    channels[topic] = {
        "address": topic,
        "description": text,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
    }
    operations[f"{'send' if writes else 'receive'}{message}"] = {
        "action": "send" if writes else "receive",
        "channel": {"$ref": f"#/channels/{topic}"},
    }


def documents() -> dict[str, str]:
    """File names and contents."""
    trees = {f"{name}.json": json_schema(name) for name in MODELS}
    trees["rest-stops-file.json"] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **feature_schema(),
    }
    trees["asyncapi.json"] = async_api()
    return {name: json.dumps(tree, indent=2, ensure_ascii=False) + "\n" for name, tree in trees.items()}


def stale(folder: Path = FOLDER) -> list[str]:
    """Published files that are missing, differ from the models, or belong to none."""
    wanted = documents()
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def main(arguments: list[str]) -> int:
    """Write the files, or with ``--check`` only say which are not current; the exit status."""
    if arguments == ["--check"]:
        found = stale()
        if found:
            sys.stderr.write(f"not current: {', '.join(found)}; run: python -m schemas.publish\n")
        return 1 if found else 0
    if arguments:
        sys.stderr.write("usage: python -m schemas.publish [--check]\n")
        return 2
    FOLDER.mkdir(exist_ok=True)
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
