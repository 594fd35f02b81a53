# ruff: noqa: E501 - sentences stand whole
"""What a person reads of wrong events, settings and policies: the thing, the value and the remedy.

Each sentence was read as by somebody who has to mend what it is about, and stands here whole.
"""

from __future__ import annotations

import json
import re

import pytest

from schemas.work_state import Refused, read_event
from stream.settings import InvalidSettings, load_settings

#: Words of Python and of libraries, which say nothing to who has written a wrong line.
JARGON = re.compile(
    r"Input should|valid string|tuple|Value error|datetime|instance of|JSON (list|dict|str|int|NoneType)|Errno|Traceback|None"
)
GOOD = {
    "schema": "work-state/1",
    "event_id": "m-1",
    "rider_id": "r_7f3a09",
    "platform": "meituan",
    "event_time": "2026-11-23T12:00:00+08:00",
    "type": "order_accepted",
    "order_id": "o-991",
}
LEFT_OUT = "-"
FIELDS: list[tuple[dict[str, object], str]] = [
    (
        {"order_id": "-", "orderId": "o-1"},
        'invalid: order_id is missing: order_accepted needs it, like "order_id": "o-991"; there is "orderId", which is not looked at: is that it?',
    ),
    (
        {"rider_id": "-", "riderId": "r"},
        'invalid: rider_id is missing: every event needs it, like "rider_id": "r_7f3a09"; there is "riderId", which is not looked at: is that it?',
    ),
    (
        {"rider_id": 12345},
        'invalid: rider_id = 12345: is a number, must be a text of 1 to 64 characters of A-Z a-z 0-9 _ . : -: write "12345"',
    ),
    (
        {"rider_id": "张三"},
        'invalid: rider_id = "张三": "张" and "三" cannot stand in it: write 1 to 64 characters of A-Z a-z 0-9 _ . : -, for example "r_7f3a09"',
    ),
    (
        {"event_id": ""},
        'invalid: event_id = "": is empty, must be 1 to 64 characters of A-Z a-z 0-9 _ . : -, for example "m-20261123-000001"',
    ),
    (
        {"platform": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
        'invalid: platform = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…: has 70 characters, may have 64 at most',
    ),
    (
        {"event_time": 1795406400},
        'invalid: event_time = 1795406400: is a number, must be a text like "2026-11-23T12:00:00+08:00"; as seconds since 1970 it would be "2026-11-23T04:00:00Z"',
    ),
    (
        {"event_time": 1795406400123},
        'invalid: event_time = 1795406400123: is a number, must be a text like "2026-11-23T12:00:00+08:00"; as milliseconds since 1970 it would be "2026-11-23T04:00:00.123Z"',
    ),
    (
        {"event_time": ["2026"]},
        'invalid: event_time = ["2026"]: is an array, must be a text like "2026-11-23T12:00:00+08:00"',
    ),
    (
        {"event_time": "2026-11-23 12:00"},
        'invalid: event_time: "2026-11-23 12:00" is no time of the form 2026-11-23T12:00:00+08:00: write it like "2026-11-23T12:00:00+08:00", with the offset of the local time it is in, or Z if it is UTC',
    ),
    (
        {"event_time": "2026-02-30T12:00:00Z"},
        'invalid: event_time: "2026-02-30T12:00:00Z" does not exist: month 2 of 2026 has 28 days',
    ),
    (
        {"event_time": "2026-11-23T12:00:00"},
        'invalid: event_time: "2026-11-23T12:00:00" has no offset: add the one of the local time it is in, like "2026-11-23T12:00:00+08:00" in China, or Z if it is UTC: "2026-11-23T12:00:00Z"',
    ),
    (
        {"event_time": "2026-11-23T24:00:00Z"},
        'invalid: event_time: "2026-11-23T24:00:00Z" does not exist: hours go to 23, minutes and seconds to 59',
    ),
    (
        {"event_time": "2026-11-23T12:00:00+15:00"},
        'invalid: event_time: "2026-11-23T12:00:00+15:00" has an offset beyond 14:00: it goes from -14:00 to +14:00, its minutes to 59',
    ),
    (
        {"event_time": "1999-11-23T12:00:00Z"},
        'invalid: event_time: "1999-11-23T12:00:00Z" lies outside 2000-01-01 to 2100-01-01 in UTC',
    ),
    (
        {"type": "order_acepted"},
        'invalid: type = "order_acepted": must be one of online, offline, order_accepted, order_picked_up, order_delivered, order_cancelled, break_started, break_ended, heartbeat, duty_status; did you mean "order_accepted"?',
    ),
    (
        {"type": "ONLINE"},
        'invalid: type = "ONLINE": must be one of online, offline, order_accepted, order_picked_up, order_delivered, order_cancelled, break_started, break_ended, heartbeat, duty_status; did you mean "online"?',
    ),
    (
        {"confirmed": "yes"},
        'invalid: confirmed = "yes": must be true or false, without quotation marks, or left out',
    ),
    ({"void": 1}, "invalid: void = 1: must be true or false, without quotation marks, or left out"),
    ({"schema": "-"}, 'invalid: schema is missing: every event needs it, like "schema": "work-state/1"'),
    ({"schema": 1}, 'invalid: schema = 1: must be "work-state/1"'),
    ({"schema": "work-state/2"}, 'unsupported_schema: schema "work-state/2", known is "work-state/1"'),
    (
        {"zone": 310105},
        'invalid: zone = 310105: is a number, must be a text of 1 to 64 characters of A-Z a-z 0-9 _ . : -: write "310105"',
    ),
    ({"order_id": None}, 'invalid: order_id is null: order_accepted needs it, like "order_id": "o-991"'),
    (
        {"order_id": {"a": 1}},
        'invalid: order_id = {"a": 1}: is an object, must be a text of 1 to 64 characters of A-Z a-z 0-9 _ . : -, for example "o-991"',
    ),
    ({"type": None}, 'invalid: type is null: every event needs it, like "type": "order_accepted"'),
    (
        {"rider_id": "-", "order_id": "-"},
        'invalid: rider_id is missing: every event needs it, like "rider_id": "r_7f3a09"; order_id is missing: order_accepted needs it, like "order_id": "o-991"',
    ),
]
VALUES: list[tuple[bytes, str]] = [
    (b"null", "malformed: is null, must be an object: {...}"),
    (b"[1]", "malformed: is an array, must be an object: {...}"),
    (b"3", "malformed: is a number, must be an object: {...}"),
    (b'"x"', "malformed: is a text, must be an object: {...}"),
    (
        b"{'a':1}",
        'malformed: not JSON: at character 2, near "{\'a\':1}": names of fields and texts stand in straight double quotation marks ("), not in \'; besides, schema is missing: every event needs it, like "schema": "work-state/1"; event_id is missing: every event needs it, like "event_id": "m-20261123-000001"; rider_id is missing: every event needs it, like "rider_id": "r_7f3a09"; platform is missing: every event needs it, like "platform": "meituan"; event_time is missing: every event needs it, like "event_time": "2026-11-23T12:00:00+08:00"; type is missing: every event needs it, like "type": "order_accepted"',
    ),
    (
        b'{"a":1,}',
        'malformed: not JSON: at character 8, near "{\\"a\\":1,}": a comma before a closing bracket: remove it',
    ),
    (b'{"a":1', "malformed: not JSON: it ends at character 6 before it is complete"),
    (b'{"a":NaN}', "malformed: not JSON: it knows no NaN: leave the field out or write null"),
    (
        b'{"a":1}{"b":2}',
        'malformed: not JSON: at character 8, near "{\\"a\\":1}{\\"b\\":2}": there is more after the end of the object: one line is one event',
    ),
    (b"\xff", "malformed: not UTF-8 at byte 0"),
    (
        b'{"a" 1}',
        'malformed: not JSON: at character 6, near "{\\"a\\" 1}": a colon after the field\'s name is expected',
    ),
    (
        b'{"a":"\\x"}',
        'malformed: not JSON: at character 7, near "{\\"a\\":\\"\\\\x\\"}": a backslash that begins nothing known: write \\\\ for itself',
    ),
    (
        b"hello",
        'malformed: not JSON: at character 1, near "hello": a text stands in double quotation marks: "hello"',
    ),
    (
        b"{}",
        'invalid: schema is missing: every event needs it, like "schema": "work-state/1"; event_id is missing: every event needs it, like "event_id": "m-20261123-000001"; rider_id is missing: every event needs it, like "rider_id": "r_7f3a09"; platform is missing: every event needs it, like "platform": "meituan"; event_time is missing: every event needs it, like "event_time": "2026-11-23T12:00:00+08:00"; type is missing: every event needs it, like "type": "order_accepted"',
    ),
]
SETTINGS: list[tuple[dict[str, str], str]] = [
    (
        {"lateness": "24"},
        'lateness (RESPITE_LATENESS) = "24": is no duration without a unit: write "24h", "24min" or "24s"; it may be 1s to 72h, and the default is 24h',
    ),
    (
        {"lateness": "1 day"},
        'lateness (RESPITE_LATENESS) = "1 day": is no duration: write it like "1d"; it may be 1s to 72h, and the default is 24h',
    ),
    ({"lateness": "100h"}, 'lateness (RESPITE_LATENESS) = "100h": must be 1s to 72h, like 24h, the default'),
    ({"keep": "0"}, 'keep (RESPITE_KEEP) = "0": must be 1s to 9999d, like 15d, the default'),
    (
        {"max_open_order": "3"},
        'max_open_order (RESPITE_MAX_OPEN_ORDER) = "3": is no duration without a unit: write "3h", "3min" or "3s"; it may be 1s to 14d, and the default is 3h',
    ),
    (
        {"max_open_order": "1.5h"},
        'max_open_order (RESPITE_MAX_OPEN_ORDER) = "1.5h": is no duration: write it like "1h30min"; it may be 1s to 14d, and the default is 3h',
    ),
    (
        {"max_open_order": "15d"},
        'max_open_order (RESPITE_MAX_OPEN_ORDER) = "15d": must be 1s to 14d, like 3h, the default',
    ),
    (
        {"clock": "sun"},
        'clock (RESPITE_CLOCK) = "sun": must be wall (the time of day, the default) or event (the newest event\'s time, for recorded streams)',
    ),
    (
        {"metrics_port": "many"},
        'metrics_port (RESPITE_METRICS_PORT) = "many": must be a whole number from 0 to 65535, like 9464, the default',
    ),
    (
        {"metrics_port": "70000"},
        'metrics_port (RESPITE_METRICS_PORT) = "70000": must be a whole number from 0 to 65535, like 9464, the default',
    ),
    (
        {"api_port": "-1"},
        'api_port (RESPITE_API_PORT) = "-1": must be a whole number from 0 to 65535, like 8080, the default',
    ),
    (
        {"broker": "localhost"},
        'broker (RESPITE_BROKER) = "localhost": has no port: must be HOST:PORT, like "localhost:9092"; several with commas, without spaces; the default is 127.0.0.1:9092',
    ),
    (
        {"policy": ","},
        'policy (RESPITE_POLICY) = ",": names no policy; `respite policy list` shows those that there are',
    ),
    (
        {"source": "a b"},
        'source (RESPITE_SOURCE) = "a b": a space cannot stand in it: write 1 to 200 characters of A-Z a-z 0-9 . _ -; the default is courier.work-state',
    ),
    (
        {"prefix": "a/b"},
        'prefix (RESPITE_PREFIX) = "a/b": "/" cannot stand in it: write 1 to 200 characters of A-Z a-z 0-9 . _ -',
    ),
    (
        {"log_format": "xml"},
        'log_format (RESPITE_LOG_FORMAT) = "xml": must be text (for people, the default) or json (for programs)',
    ),
    (
        {"ssl_cafile": "/no/such"},
        'ssl_cafile (RESPITE_SSL_CAFILE) = "/no/such": cannot be read: name a PEM file that this user may read',
    ),
    (
        {"security_protocol": "TLS"},
        'security_protocol (RESPITE_SECURITY_PROTOCOL) = "TLS": must be PLAINTEXT (without TLS, without a password, the default), SSL (TLS, without a password), SASL_PLAINTEXT (a password, without TLS) or SASL_SSL (a password, and TLS); did you mean "SSL"?',
    ),
    (
        {"security_protocol": "SASL_SSL"},
        "security_protocol SASL_SSL needs sasl_username and sasl_password: set RESPITE_SASL_USERNAME and RESPITE_SASL_PASSWORD",
    ),
    ({"outlets": "a,a"}, 'outlets (RESPITE_OUTLETS) = "a,a": names the platform a twice: name it once'),
    (
        {"api_peers": "host"},
        'api_peers (RESPITE_API_PEERS) = "host": is no base URL, like "http://10.0.0.2:8080"; several with commas',
    ),
    (
        {"zone_digits": "2.5"},
        'zone_digits (RESPITE_ZONE_DIGITS) = "2.5": must be a whole number from 0 to 64, like 0, the default',
    ),
]


@pytest.mark.parametrize(("changed", "said"), FIELDS)
def test_a_wrong_field_is_refused_in_words(changed: dict[str, object], said: str) -> None:
    fields = {name: value for name, value in {**GOOD, **changed}.items() if value != LEFT_OUT}
    assert refusal(json.dumps(fields).encode()) == said


@pytest.mark.parametrize(("value", "said"), VALUES)
def test_a_value_that_is_no_event_is_refused_in_words(value: bytes, said: str) -> None:
    assert refusal(value) == said


def refusal(value: bytes) -> str:
    with pytest.raises(Refused) as refused:
        read_event(value)
    assert not JARGON.search(str(refused.value))
    return str(refused.value)


@pytest.mark.parametrize(("options", "said"), SETTINGS)
def test_a_wrong_setting_is_refused_in_words(
    options: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidSettings) as refused:
        load_settings(**options)
    assert str(refused.value) == f"settings refused:\n  {said}"
    for name, value in options.items():
        monkeypatch.setenv(f"RESPITE_{name.upper()}", value)
    with pytest.raises(InvalidSettings) as refused:
        load_settings()
    assert str(refused.value) == f"settings refused:\n  {said}"
    assert not JARGON.search(said)
