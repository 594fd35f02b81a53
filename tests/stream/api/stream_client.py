"""A dispatcher's client that is given an address and a key, and takes all else from the OpenAPI document.

It knows no path, no field and no value by name: it reads, as its author would have, what the document says of
them in words, and fails where the document does not say it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
import schemathesis

Schema = dict[str, Any]
MAY, MUST_NOT = "the order may be pushed", "the order must not be pushed"
_MEANING = re.compile(r"`(\w+)`: (.*?)\.(?: |$)")
_DEFERS = re.compile(r"do as `(\w+)` says")
#: What the document asks for: no answer in two seconds is none.
TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to push; whether that was said of the rider or is the asker's own choice; when to ask again."""

    push: bool
    sure: bool
    not_before: datetime | None


class Unreadable(LookupError):
    """The document does not say something that a dispatcher must know."""


def only(found: Iterable[Any], what: str) -> Any:
    """The only one there is."""
    several = list(found)
    if len(several) != 1:
        raise Unreadable(f"{what}: {len(several)} found")
    return several[0]


class Reader:
    """Asks whether an order may be pushed."""

    def __init__(self, address: str, key: str) -> None:
        self._address = address
        self._document = requests.get(f"{address}/openapi.json", timeout=TIMEOUT_S).json()
        self._schema = schemathesis.openapi.from_dict(self._document)
        operations: list[Any] = [found.ok() for found in self._schema.get_all_operations()]  # type: ignore[union-attr]
        self._question = only(
            (one for one in operations if _asks_for_one(one)), "how to ask whether a rider may take an order"
        )
        self._headers = self._authorization(key)
        raw = self._question.definition.raw
        self._rider = self._parameter(raw, r"\brider's id\b")
        self._minutes = self._parameter(raw, r"\border .*in minutes\b")
        content = only(raw["responses"]["200"]["content"].values(), "a form of the answer")
        properties = self._resolved(content["schema"])["properties"]
        self._verdict, self._means = self._verdict_among(properties)
        deferring = {found[1] for text in self._means.values() if (found := _DEFERS.search(text))}
        self._choice = only(deferring, "what to do when it cannot be said")
        self._chosen = self._meanings(properties[self._choice])
        self._resume = only(
            (name for name, one in properties.items() if _says(one, r"do not ask .*before this instant")),
            "when to ask again",
        )
        #: Until an answer has said what was chosen for this key, nothing is pushed on a guess.
        self._otherwise = False

    def may_push(self, rider: str, order: timedelta) -> Decision:
        """Ask whether an order of this length may be pushed to a rider now."""
        case = self._question.Case(
            path_parameters={self._rider["name"]: rider},
            query={self._minutes["name"]: max(1, round(order / timedelta(minutes=1)))},
        )
        try:
            response = case.call(base_url=self._address, headers=self._headers, timeout=TIMEOUT_S)
        except requests.RequestException:
            return Decision(self._otherwise, sure=False, not_before=None)
        if response.status_code != 200:
            return Decision(self._otherwise, sure=False, not_before=None)
        self._question.validate_response(response)
        answer = response.json()
        self._otherwise = _may(self._chosen[answer[self._choice]])
        meaning = self._means[answer[self._verdict]]
        if _DEFERS.search(meaning):
            return Decision(self._otherwise, sure=False, not_before=None)
        resume = answer[self._resume]
        return Decision(_may(meaning), sure=True, not_before=resume and datetime.fromisoformat(resume))

    # -- reading -------------------------------------------------------------------------------

    def _authorization(self, key: str) -> dict[str, str]:
        names = only(self._question.definition.raw["security"], "a way to say who asks")
        scheme = self._document["components"]["securitySchemes"][only(names, "a scheme")]
        if (scheme["type"], scheme["scheme"]) != ("http", "bearer"):
            raise Unreadable(f"no way to send a key: {scheme}")
        return {"Authorization": f"Bearer {key}"}

    def _parameter(self, operation: Schema, pattern: str) -> Schema:
        found = (one for one in operation["parameters"] if _says(one, pattern))
        parameter: Schema = only(found, f"a parameter described as {pattern}")
        return parameter

    def _resolved(self, schema: Schema) -> Schema:
        """What a reference to another part of the document stands for."""
        found: Any = schema
        while "$ref" in found:
            path, found = found["$ref"].removeprefix("#/").split("/"), self._document
            for step in path:
                found = found[step]
        return dict(found)

    def _verdict_among(self, properties: dict[str, Schema]) -> tuple[str, dict[str, str]]:
        """The property one of whose values means yes, one no, and one that somebody else decides."""
        found = {name: self._meanings(one) for name, one in properties.items() if "enum" in one}
        verdicts = (
            (name, means)
            for name, means in found.items()
            if {MAY, MUST_NOT} <= set(means.values()) and any(map(_DEFERS.search, means.values()))
        )
        verdict: tuple[str, dict[str, str]] = only(verdicts, "which part of the answer is the verdict")
        return verdict

    def _meanings(self, schema: Schema) -> dict[str, str]:
        """What the description says of each value."""
        said = dict(_MEANING.findall(schema.get("description", "")))
        if set(said) != set(schema["enum"]):
            raise Unreadable(f"values {schema['enum']}, described are {list(said)}")
        return said


def _asks_for_one(operation: Any) -> bool:
    raw = operation.definition.raw
    return operation.method.upper() == "GET" and bool(
        re.search(r"may this rider .*order", raw["summary"], re.IGNORECASE)
    )


def _says(described: Schema, pattern: str) -> bool:
    return bool(re.search(pattern, described.get("description", ""), re.IGNORECASE))


def _may(meaning: str) -> bool:
    if meaning not in (MAY, MUST_NOT):
        raise Unreadable(f"neither yes nor no: {meaning}")
    return meaning == MAY
