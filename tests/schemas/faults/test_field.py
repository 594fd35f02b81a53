"""Faults of files and questions are told in words, none in a library's, none for another's sake."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from schemas.faults.field import json_fault
from schemas.faults.toml_text import toml_fault
from schemas.import_map import InvalidMap, load_map
from schemas.policy import InvalidPolicy, load_policy
from stream.api.documents.eligibility_answers import InvalidBatch, read_batch
from stream.webhooks.config import InvalidConfig, load_config
from tests.stream.test_messages import JARGON as WORDS_OF_EVENTS

#: Words of Python, of TOML's and of JSON's readers.
JARGON = re.compile(
    WORDS_OF_EVENTS.pattern
    + r"|Expected|Field required|Extra inputs|should |pydantic|msgspec|`(str|int|array|object)`|\$\."
    r"|at least \d+ items?|greater than|less than|\bTrue\b|\bFalse\b|Invalid (value|statement)|Cannot "
)
POLICY = """\
name = "p"
version = 1
time_zone = "Asia/Shanghai"
valid_from = 2025-12-04
modality = "standard"
title = { zh = "名", en = "name" }
source = "a source"

[[limit]]
name = "c"
kind = "continuous"
clock = "order"
limit = "4h"
reset = "20min"
warn_before = ["30min"]
effect = "hold"
release = "elapsed"
hold_for = "20min"
message = { zh = "休息", en = "rest" }

[[limit]]
name = "r"
kind = "rest_within"
clock = "online"
window = "24h"
rest = "11h"
effect = "remind"

[[example]]
title = "t"
source = "ours"
date = 2026-03-02
spans = ["10:00-12:30 order"]
reached = []
"""
WEBHOOKS = f"""\
metrics_port = 9465

[[endpoint]]
name = "a"
platform = "a"
url = "https://example.com/x"
secret = "whsec_{"A" * 32}"
kinds = ["limit_reached"]
statuses = true
concurrency = 8
timeout = "10s"
"""
VALUES = (
    "1", "1.5", "-1", '""', '"a b"', "true", "[]", "[1]", '["x y"]', "{}", "2025-01-01", "12:00:00",
    "2025-01-01T00:00:00Z", "nan", "9" * 30, '"' + "y" * 300 + '"', "[[]]",
)  # fmt: skip
_PAIR = re.compile(r"(\w+) = (.*)")


def spoilt(text: str) -> Iterator[tuple[str, str]]:
    """The text with one value, one name or one line of it wrong; and which."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if found := _PAIR.fullmatch(line):
            others = [f"{found[1]} = {value}" for value in VALUES]
            for other in (*others, f"{found[1]}x = {found[2]}", f"{line}\n{line}", ""):
                yield "\n".join([*lines[:at], other, *lines[at + 1 :]]) + "\n", other or f"no {found[1]}"


def refusals(text: str, load: Callable[[str], object]) -> Iterator[tuple[str, str]]:
    for wrong, what in spoilt(text):
        try:
            load(wrong)
        except (InvalidPolicy, InvalidConfig, InvalidMap) as error:
            yield what, str(error)


def test_no_fault_of_a_policy_is_a_librarys_or_the_consequence_of_another() -> None:
    found = list(refusals(POLICY, lambda text: load_policy(text, "p.toml")))
    assert len(found) > 300
    for what, said in found:
        assert not JARGON.search(said), (what, said)
        # What is empty lacks two languages.
        faults = said.splitlines()[1:]
        both = [one for one in faults if one.endswith((".zh: is missing", ".en: is missing"))]
        assert len(faults) <= 1 or both == faults, (what, said)


def test_no_fault_of_a_file_of_webhooks_is_a_librarys_or_the_consequence_of_another(tmp_path: Path) -> None:
    path = tmp_path / "webhooks.toml"

    def load(text: str) -> object:
        path.write_text(text, encoding="utf-8")
        return load_config(path)

    found = list(refusals(WEBHOOKS, load))
    assert len(found) > 100
    for what, said in found:
        assert not JARGON.search(said), (what, said)
        faults = [line.strip() for line in said.splitlines()[1:]]
        assert len({one.partition(":")[0] for one in faults}) <= 1, (what, said)


@pytest.mark.parametrize("name", ["uber-driver-trips", "work-state"])
def test_no_fault_of_a_map_is_a_librarys(name: str) -> None:
    folder = Path(__file__).resolve().parents[3] / "stream" / "importing"
    text = (folder / "maps" / f"{name}.toml").read_text(encoding="utf-8")
    found = list(refusals(text, lambda wrong: load_map(wrong, "m.toml")))
    assert len(found) > 40
    for what, said in found:
        assert not JARGON.search(said), (what, said)


TOML = [
    ("limit = 4h", 'line 1, near "limit = 4h": 4h must stand in quotation marks: limit = "4h"'),
    (
        "a = 1\ntime_zone = Asia/Shanghai",
        'line 2, near "time_zone = Asia/Shanghai": Asia/Shanghai must stand in quotation marks',
    ),
    ("name: p", 'line 1, near "name: p": a line is expected like name = value'),
    ("[[limit]", 'line 1, near "[[limit]": a head is expected like [[limit]]'),
    ("[[limit]]\n[limit]", 'line 2, near "[limit]": it is there twice'),
    ('a = "x"\na = "y"', 'line 2, near "a = "y"": it is there twice'),
    ('name = "x', 'line 1, near "name = "x": a text has no closing quotation mark'),
    ('name = "a\nb"', 'line 1, near "name = "a": a text ends with its line'),
    ('name = "\\x"', 'line 1, near "name = "\\x"": a backslash that begins nothing known'),
    ("w = [30min]", 'line 1, near "w = [30min]": 30min must stand in quotation marks, as every text'),
    ('t = { zh = "a"', 'line 1, near "t = { zh = "a"": a table in braces is not closed'),
    ("a = 1\n\x00", 'line 2, near "\x00": a line is expected like'),
]


@pytest.mark.parametrize(("text", "said"), TOML)
def test_what_is_no_toml_is_said_with_its_line_and_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as refused:
        tomllib.loads(text)
    assert toml_fault(text, refused.value).startswith(f"not TOML: {said}")


BODIES = [
    (b'{"candidates":[{"rider_id":"a","minutes":"x"}]}', "minutes: must be a number, is a text"),
    (b'{"candidates":[{"rider_id":"a","minutes":0}]}', "must be at least 1"),
    (b'{"candidates":[{"rider_id":1,"minutes":25}]}', "must be a text, is a whole number"),
    (b'{"candidates":[{"minutes":25}]}', "rider_id is missing"),
    (b'{"candidates":3}', "candidates: must be a list, is a whole number"),
    (b"[]", "must be an object, is a list"),
    (b'{"candidates":[', "not JSON: it ends before it is complete"),
    (b"{'a'", "not JSON from byte 1 on"),
    (b"\xff", "not JSON from byte 0 on"),
    (b"", "not JSON: it ends before it is complete"),
]


@pytest.mark.parametrize(("body", "said"), BODIES)
def test_what_is_no_round_is_said_in_words(body: bytes, said: str) -> None:
    with pytest.raises(InvalidBatch) as refused:
        read_batch(body)
    assert said in str(refused.value)
    assert not JARGON.search(str(refused.value))


def test_a_text_that_is_not_utf_8_is_said() -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)) as refused:
        msgspec.json.decode(b'"\xff\xfe"', type=str)
    assert not JARGON.search(json_fault(refused.value))
