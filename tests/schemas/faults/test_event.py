# ruff: noqa: E501 - sentences stand whole, in the characters that are written wrong
"""Kinds of wrong events, not cases: what a refusal must hold for its reader to mend it without a manual."""

from __future__ import annotations

import json

import pytest

from schemas.instants import parse_instant, written_epoch
from schemas.work_state import EVENT_TYPES, LONGEST_DETAIL, Refused, read_event
from tests.stream.test_messages import GOOD


def refused(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    with pytest.raises(Refused) as found:
        read_event(text.encode())
    return found.value.detail


@pytest.mark.parametrize(
    ("number", "unit", "written"),
    [
        (1795406400, "seconds", "2026-11-23T04:00:00Z"),
        (1795406400.25, "seconds", "2026-11-23T04:00:00.25Z"),
        (1795406400123, "milliseconds", "2026-11-23T04:00:00.123Z"),
        (1795406400123456, "microseconds", "2026-11-23T04:00:00.123456Z"),
        (1795406400123456789, "nanoseconds", "2026-11-23T04:00:00.123456789Z"),
        ("1795406400123", "milliseconds", "2026-11-23T04:00:00.123Z"),
    ],
)
def test_a_number_for_a_time_is_told_as_the_time_with_all_its_digits(
    number: object, unit: str, written: str
) -> None:
    assert refused({**GOOD, "event_time": number}).endswith(f'as {unit} since 1970 it would be "{written}"')
    assert parse_instant(written) == 1795406400


def test_a_number_that_is_no_time_is_not_told_as_one() -> None:
    assert [written_epoch(text) for text in ("-5", "17", "9" * 21, "x", "946684799", "4102444800")] == [
        None
    ] * 6


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23 12:00:00+08:00",
        "2026-11-23T12:00+08:00",
        "2026/11/23 12:00:00 +0800",
        "2026-11-23t12:00:00+8",
    ],
)
def test_a_time_of_nearly_the_form_is_written_in_it(text: str) -> None:
    assert 'write it like "2026-11-23T12:00:00+08:00"' in refused({**GOOD, "event_time": text})


@pytest.mark.parametrize("text", ["2026-11-23T12:00:00", "2026-11-23 12:00:00", "2026-11-23 12:00"])
def test_a_time_without_an_offset_is_told_whose_offset_and_what_z_is(text: str) -> None:
    said = refused({**GOOD, "event_time": text})
    assert "of the local time it is in" in said
    assert "Z if it is UTC" in said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("上海 310105", '"上", "海" and a space cannot stand in it'),
        ("a\tb", "U+0009 cannot stand in it"),
        ("一二三四五六七", '"一", "二", "三", "四", "五" and 2 more cannot stand in it'),
        ("é" * 65, '"é" cannot stand in it, and it has 65 characters, may have 64 at most'),
    ],
)
@pytest.mark.parametrize("name", ["zone", "rider_id", "platform", "order_id", "event_id"])
def test_all_characters_that_cannot_stand_in_an_id_are_named(name: str, value: str, said: str) -> None:
    found = refused({**GOOD, name: value})
    assert said in found
    assert ', for example "' in found


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("order_id", "orderId"),
        ("rider_id", "courier_id"),
        ("rider_id", "riderid"),
        ("event_time", "timestamp"),
        ("event_time", "eventTime"),
        ("type", "event_type"),
        ("event_id", "uuid"),
        ("platform", "app"),
    ],
)
def test_a_field_under_another_name_is_found(name: str, other: str) -> None:
    event = {other if key == name else key: value for key, value in GOOD.items()}
    assert f'there is "{other}", which is not looked at' in refused(event)


def test_a_field_that_is_there_is_not_taken_for_another() -> None:
    event = {key: value for key, value in GOOD.items() if key != "event_time"}
    assert "is that it?" not in refused(event)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("delivered", "order_delivered"),
        ("login", "online"),
        ("Break-Started", "break_started"),
        ("orderAccepted", "order_accepted"),
        ("送达", "order_delivered"),
        ("canceled", "order_cancelled"),
    ],
)
def test_a_type_under_another_name_is_found(word: str, meant: str) -> None:
    assert meant in EVENT_TYPES
    assert refused({**GOOD, "type": word}).endswith(f'did you mean "{meant}"?')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{'schema': 'work-state/1'}", "stand in straight double quotation marks (\"), not in '; besides, event_id is missing"),
        ("{“schema”: “work-state/1”}", 'stand in straight double quotation marks ("), not in “; besides, event_id is missing'),
        ('{"void": True}', "JSON knows no True: write true; besides, schema is missing"),
        ('{schema: "work-state/1"}', 'the name of a field stands in double quotation marks: "schema"'),
        ('{"schema": work}', 'a text stands in double quotation marks: "work"'),
        ('{"a": [1,]}', "a comma before a closing bracket: remove it"),
        ('{"a": }', "a value is expected"),
    ],
)  # fmt: skip
def test_what_is_nearly_json_is_told_how_it_is_written(text: str, said: str) -> None:
    assert said in refused(text)


def test_no_detail_is_cut_without_a_sign() -> None:
    said = refused(dict.fromkeys(GOOD, "一" * 200) | {"schema": "work-state/1", "type": "一" * 200})
    assert len(said) <= LONGEST_DETAIL
    long = refused(
        {**dict.fromkeys(GOOD, "一二三四五六七八九" * 20), "schema": 1, "zone": "一" * 90, "void": "x" * 90}
    )
    assert len(long) == LONGEST_DETAIL
    assert long.endswith("…")
