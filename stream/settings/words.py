"""What is wrong with a setting, in words: what it may be, what each choice means, what the default is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from schemas.durations import OutOfBounds, write_duration, write_hours
from schemas.faults.field import field_fault, guessed, with_value
from schemas.faults.meant import listed
from stream.settings.checks import DURATIONS, MOST_LATENESS_S, OR_ZERO
from stream.settings.derived import Settings

_SECRETS = ("sasl_password",)
#: What each choice of a setting means.
MEANINGS: Mapping[str, Mapping[str, str]] = {
    "clock": {"wall": "the time of day", "event": "the newest event's time, for recorded streams"},
    "log_format": {"text": "for people", "json": "for programs"},
    "security_protocol": {
        "PLAINTEXT": "without TLS, without a password",
        "SSL": "TLS, without a password",
        "SASL_PLAINTEXT": "a password, without TLS",
        "SASL_SSL": "a password, and TLS",
    },
    "sasl_mechanism": {
        "PLAIN": "the password itself is sent",
        "SCRAM-SHA-256": "a proof of it is sent",
        "SCRAM-SHA-512": "a longer proof of it is sent",
    },
}
#: What choices are called elsewhere, as `schemas.faults.meant.plain` writes it.
_OTHER_NAMES: Mapping[str, Mapping[str, str]] = {
    "clock": {
        **dict.fromkeys(("real", "realtime", "system", "now", "processing", "arrival"), "wall"),
        **dict.fromkeys(("eventtime", "data", "replay", "recorded"), "event"),
    },
    "log_format": {
        **dict.fromkeys(("plain", "plaintext", "txt", "human", "console", "logfmt"), "text"),
        **dict.fromkeys(("jsonl", "ndjson", "jsonlines", "structured"), "json"),
    },
    "security_protocol": {
        **dict.fromkeys(("tls", "mtls", "tls12", "tls13", "https"), "SSL"),
        **dict.fromkeys(("sasl", "sasltls", "tlssasl", "sslsasl", "scram"), "SASL_SSL"),
        **dict.fromkeys(("none", "plain", "off", "no"), "PLAINTEXT"),
    },
    "sasl_mechanism": {
        **dict.fromkeys(("scram", "sha512", "scram512"), "SCRAM-SHA-512"),
        **dict.fromkeys(("sha256", "scram256"), "SCRAM-SHA-256"),
        **dict.fromkeys(("plaintext", "password"), "PLAIN"),
    },
}
_LONGEST = {"lateness": write_hours(MOST_LATENESS_S), "keep": "9999d"}


def setting_fault(one: Mapping[str, Any]) -> str:
    """A fault of a setting, or between several: the setting, its value and the remedy."""
    name = str(one["loc"][0]) if one["loc"] else ""
    if not name:
        return str(one["ctx"]["error"])
    text = _words(name, one, Settings.model_fields[name])
    variable = f"{name} (RESPITE_{name.upper()})"
    return f"{variable} = (secret): {text}" if name in _SECRETS else with_value(variable, one["input"], text)


def choices(field: FieldInfo) -> tuple[str, ...]:
    """What a setting may be, where that is one of several words; else none."""
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def _words(name: str, one: Mapping[str, Any], field: FieldInfo) -> str:
    """What is wrong with a value, for a person."""
    if words := choices(field):
        told = [f"{word} ({_meaning(name, word, field)})" for word in words]
        return f"must be {listed(told)}{guessed(one['input'], words, _OTHER_NAMES.get(name))}"
    if name in DURATIONS:
        return _duration(name, one, field)
    if one["type"].startswith("string"):
        return "must be text"
    return field_fault(one, {name: field}) + _default(field.default if one["type"] == "value_error" else None)


def _meaning(name: str, word: str, field: FieldInfo) -> str:
    return MEANINGS[name][word] + (", the default" if word == field.default else "")


def _duration(name: str, one: Mapping[str, Any], field: FieldInfo) -> str:
    least = "0" if name in OR_ZERO else "1s"
    bounds = f"{least} to {_LONGEST.get(name, '14d')}"
    default = _written(field.default)
    error = one.get("ctx", {}).get("error")
    if error is None or isinstance(error, OutOfBounds):
        return f"must be {bounds}, like {default}, the default"
    return f"{error}; it may be {bounds}, and the default is {default}"


def _written(seconds: int) -> str:
    """A duration as the options show it."""
    return write_hours(seconds) if seconds <= MOST_LATENESS_S else write_duration(seconds)


def _default(default: object) -> str:
    return f"; the default is {default}" if isinstance(default, str) and default else ""
