# ruff: noqa: E501 - sentences stand whole, in the characters that are written wrong
"""Kinds of wrong input, not cases: what a message must hold for its reader to mend it without a manual."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from schemas.faults.field import allowed_numbers
from schemas.policy import InvalidPolicy, load_policy
from stream.settings import InvalidSettings, Settings, load_settings
from stream.settings.checks import DURATIONS
from stream.settings.words import _OTHER_NAMES, MEANINGS, choices
from stream.webhooks.config import InvalidConfig, load_config
from tests.schemas.test_policy import HEAD, LIMIT
from tests.stream.webhooks.receiver import SECRET

FIELDS = Settings.model_fields
WORDS = sorted(name for name, field in FIELDS.items() if choices(field))
NUMBERS = sorted(name for name, field in FIELDS.items() if allowed_numbers(field))


def refused_setting(name: str, value: str) -> str:
    with pytest.raises(InvalidSettings) as found:
        load_settings(**{name: value})
    return str(found.value)


def refused_policy(old: str, new: str) -> list[str]:
    assert old in HEAD + LIMIT
    with pytest.raises(InvalidPolicy) as found:
        load_policy((HEAD + LIMIT).replace(old, new, 1), "p.toml")
    return [line.strip() for line in str(found.value).splitlines()[1:]]


@pytest.mark.parametrize("name", WORDS)
def test_a_choice_is_told_with_what_each_word_means_and_the_default(name: str) -> None:
    said = refused_setting(name, "zzz")
    words = choices(FIELDS[name])
    assert set(MEANINGS[name]) == set(words)
    for word in words:
        assert f"{word} ({MEANINGS[name][word]}" in said
        assert f'did you mean "{word}"?' in refused_setting(name, f"{word}s")
    assert f"{MEANINGS[name][FIELDS[name].default]}, the default)" in said
    for other, word in _OTHER_NAMES[name].items():
        assert word in words
        if other not in {one.lower() for one in words}:
            assert refused_setting(name, other).endswith(f'did you mean "{word}"?')


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["-1", "1000000000", "many"])
def test_a_number_is_told_with_both_bounds_and_the_default(name: str, value: str) -> None:
    said = refused_setting(name, value)
    field: FieldInfo = FIELDS[name]
    assert f'= "{value}": must be a' in said
    assert f"{allowed_numbers(field)}, like {field.default}, the default" in said
    assert said.count(value) == 1
    assert " to " in said or " and at most " in said


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize("value", ["24", "x", "10000000d"])
def test_a_duration_is_told_with_both_bounds_and_the_default_and_once(name: str, value: str) -> None:
    said = refused_setting(name, value).splitlines()[1]
    assert f'= "{value}": ' in said
    assert said.count(f'"{value}"') == 1
    assert " to " in said
    assert "the default" in said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("kafka", 'has no port: must be HOST:PORT, like "kafka:9092"'),
        ("kafka://10.0.0.5:9092", 'is not HOST:PORT: write "10.0.0.5:9092"'),
        ("kafka:99999", 'has the port 99999: must be from 1 to 65535, like "kafka:9092"'),
        ("", 'is not HOST:PORT, like "localhost:9092"'),
        ("a:1, b:2", '" b:2" is not HOST:PORT: write "b:2"'),
    ],
)
def test_an_address_is_told_as_it_is_written(value: str, said: str) -> None:
    found = refused_setting("broker", value)
    assert said in found
    assert "'" not in found


def test_a_word_that_seems_meant_is_told_with_what_would_then_be_wrong() -> None:
    (said,) = refused_policy('kind = "continuous"', 'kind = "weekly"')
    assert 'did you mean "week" (then `reset` has no meaning for kind week: leave it out)' in said
    assert 'or "continuous" or "span", with which all keys go?' in said
    (said,) = refused_policy('effect = "hold"', 'effect = "reminder"\nrelease = "rest"')
    assert 'did you mean "remind" (then `release` "rest" is not allowed' in said
    (said,) = refused_policy('kind = "continuous"', 'kind = "continous"')
    assert said.endswith('did you mean "continuous"?')
    (said,) = refused_policy('kind = "continuous"\n', 'kind = "trailing"\nbogus = 1\n')[:1]
    assert 'did you mean "rolling" (then `window` is missing: kind rolling needs it)' in said


def test_an_unknown_key_beside_a_missing_one_is_one_fault() -> None:
    assert refused_policy("limit = ", "amount = ") == [
        'limit[1] "c".amount: unknown key; did you mean `limit`, which is missing?'
    ]
    assert refused_policy("reset = ", "break = ") == [
        'limit[1] "c".break: unknown key; a break is a rest: it is written as `reset`, or as `reset_parts`; `reset` is missing'
    ]
    assert refused_policy('source = "a source"\n', 'author = "a source"\n') == [
        "author: unknown key; did you mean `source`, which is missing?"
    ]


def test_what_has_a_meaning_of_its_own_is_not_taken_for_the_missing_key() -> None:
    assert len(refused_policy("limit = ", "penalty = ")) == 2
    assert len(refused_policy("limit = ", "warn_befor = ")) == 2
    assert len(refused_policy('limit = "4h"\nreset = ', "amount = 1\nlength = ")) == 4


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"effect": "remind", "release": "rest"}, "leave it out, for a reminder holds nobody"),
        ({"effect": "confirm", "release": "rest"}, 'it must be "confirm" (the same as leaving it out)'),
        ({"effect": "hold", "release": "window"}, 'it must be "rest" (the same as leaving it out) or "elapsed" (then with `hold_for`)'),
    ],
)  # fmt: skip
def test_a_release_that_is_not_allowed_is_told_with_those_that_are_and_the_default(
    changed: dict[str, str], said: str
) -> None:
    (found,) = refused_policy(
        'effect = "hold"', "\n".join(f'{key} = "{word}"' for key, word in changed.items())
    )
    assert found.endswith(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("limit = 4h", '4h must stand in quotation marks: limit = "4h"'),
        ("effect = hold # now", 'hold must stand in quotation marks: effect = "hold"'),
        ("limit = 4 h", '4 h must stand in quotation marks: limit = "4 h"'),
        ('warn_before = [30min, "1h"]', '30min must stand in quotation marks, as every text of a list: warn_before = ["30min", "1h"]'),
        ("statuses = True", "True is written true: statuses = true"),
        ("valid_from = 2025-13-40", "2025-13-40 is a date or time that does not exist"),
        ("version = 1 2", "there is more after the value"),
    ],
)  # fmt: skip
def test_a_text_of_toml_without_quotation_marks_is_written_with_them(line: str, said: str) -> None:
    with pytest.raises(InvalidPolicy, match="not TOML: line 1") as found:
        load_policy(line + "\n", "p.toml")
    assert said in str(found.value)


@pytest.mark.parametrize(
    ("name", "zone"), [("Shanghai", "Asia/Shanghai"), ("Europe/Berlinn", "Europe/Berlin")]
)
def test_a_time_zone_is_found_by_its_city(name: str, zone: str) -> None:
    assert refused_policy('"Asia/Shanghai"', f'"{name}"')[0].endswith(f'did you mean "{zone}"?')


def webhooks(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "webhooks.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidConfig) as found:
        load_config(path)
    return [line.strip() for line in str(found.value).splitlines()[1:]]


def test_a_file_of_webhooks_is_refused_with_places_values_and_bounds(tmp_path: Path) -> None:
    head = f'[[endpoint]]\nname = "m"\nplatform = "m"\nsecret = "{SECRET}"\n'
    good = 'url = "https://hooks.example.com/x"\n'
    assert webhooks(
        tmp_path, head + 'url = "http://hooks.example.com/x"\ntimeout = 10\nconcurrency = 1000\n'
    ) == [
        'endpoint[1] "m".url: must be https: http goes to this machine alone (localhost, 127.0.0.1, ::1)',
        'endpoint[1] "m".concurrency = 1000: must be a whole number from 1 to 256, like 8, the default',
        'endpoint[1] "m".timeout = 10: is a number, must be a text with its unit in quotation marks: write "10h", "10min" or "10s"',
    ]
    assert webhooks(tmp_path, head + good + 'timeout = "25h"\n') == [
        'endpoint[1] "m".timeout = "25h": must be from "1ms" to "24h"'
    ]
    assert webhooks(tmp_path, "metrics_port = 70000\n" + head + good) == [
        "metrics_port = 70000: must be a whole number from 0 to 65535, like 9465, the default"
    ]
    assert webhooks(tmp_path, head + good.replace("url", "address")) == [
        'endpoint[1] "m".address: is not known; did you mean url, which is missing?'
    ]
    (said,) = webhooks(tmp_path, head + good + 'kinds = ["reminder", "limit-reached"]\n')
    assert said.startswith('endpoint[1] "m".kinds[2] = "limit-reached": must be approaching, ')
    assert said.endswith('did you mean "limit_reached"?')


def test_a_secret_under_a_wrong_name_is_not_told(tmp_path: Path) -> None:
    text = f'[[endpoint]]\nname = "m"\nplatform = "m"\nurl = "https://h.example/x"\nsecret = "{SECRET}"\nsecrets = "{SECRET}"'
    (said,) = webhooks(tmp_path, text)
    assert SECRET not in said
    assert "did you mean secret" in said
