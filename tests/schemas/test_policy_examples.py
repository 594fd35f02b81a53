"""Examples inside policy files: what can be written, and what is refused in words, all faults at once."""

from __future__ import annotations

import pytest

from schemas.policy import InvalidPolicy, Policy, load_policy
from tests.schemas.test_policy import HEAD, LIMIT

EXAMPLE = """
[[example]]
title = "t"
source = "ours"
date = 2026-03-02
spans = ["08:00-10:00 order", "22:30-01:30 order @a", "01:00-02:00 loaded@b", "D4 08:00:01-09:00 driving"]
until = "D5 00:00"
reached = ["c D2 02:00"]
"""


def read(example: str) -> Policy:
    return load_policy(HEAD + LIMIT + example, "f.toml")


def faults(example: str) -> list[str]:
    with pytest.raises(InvalidPolicy) as refused:
        read(example)
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def test_a_time_before_the_former_ones_is_on_the_next_day() -> None:
    (example,) = read(EXAMPLE).examples
    assert [(one.begin_s / 3600, one.end_s / 3600, one.word, one.platform) for one in example.timeline] == [
        (8, 10, "order", None),
        (22.5, 25.5, "order", "a"),
        (25, 26, "loaded", "b"),
        (80 + 1 / 3600, 81, "driving", None),
    ]
    assert example.until_s == 96 * 3600
    assert [(one.limit, one.at_s) for one in example.expected] == [("c", 26 * 3600)]


def test_without_until_it_is_judged_up_to_the_last_end() -> None:
    (example,) = read(EXAMPLE.replace('until = "D5 00:00"\n', "")).examples
    assert example.until_s == 81 * 3600


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("08:00-10:00 order", "8:00-10:00 order", "is no span: write it like"),
        ("08:00-10:00 order", "08:00-24:00 order", "hours to 23"),
        ("08:00-10:00 order", "08:00-08:00 order", "an empty span counts nothing"),
        ("08:00-10:00 order", "08:00-10:00 drivin", 'did you mean "driving"?'),
        ("08:00-10:00 order", "08:00-10:00 sleeper", "rest is what lies between the spans"),
        ("08:00-10:00 order", "08:00-10:00 order @ä", "a platform is 1 to 64 characters"),
        ('until = "D5 00:00"', 'until = "D4 08:30"', "lies before span 4 ends, at D4 09:00"),
        ('until = "D5 00:00"', 'until = "soon"', "is no instant of an example"),
        ('["c D2 02:00"]', '["d D2 02:00"]', 'the policy has no limit "d"'),
        ('["c D2 02:00"]', '["c D9 02:00"]', "lies after D5 00:00, up to which it is judged"),
        ('["c D2 02:00"]', '["c D2 02:00", "c D1 02:00"]', "stands after a later one"),
        ('["c D2 02:00"]', '["02:00"]', "is no limit with an instant"),
        ("date = 2026-03-02", "date = 1999-03-02", "must be from 2000-01-02"),
        ("date = 2026-03-02\n", "", 'example[1] "t".date: is missing'),
        ('source = "ours"', 'source = "ours"\nwhere = "x"', 'example[1] "t".where: unknown key'),
        ("[[example]]", "[example]", "write [[example]], with two brackets"),
    ],
)
def test_a_bad_example_is_refused_in_words(old: str, new: str, said: str) -> None:
    assert old in EXAMPLE
    (one,) = faults(EXAMPLE.replace(old, new))
    assert said in one


@pytest.mark.parametrize(
    ("spans", "overlap"),
    [
        ('"08:00-12:00 online @a", "10:00-14:00 online @a"', True),
        ('"08:00-12:00 driving @a", "10:00-14:00 on_duty @a"', True),
        ('"08:00-12:00 online @a", "10:00-14:00 driving @a"', True),
        ('"08:00-14:00 online @a", "10:00-14:00 driving @a"', False),
        ('"08:00-12:00 online @a", "12:00-14:00 online @a"', False),
        ('"08:00-12:00 online", "10:00-14:00 online"', False),
        ('"08:00-12:00 order @a", "10:00-14:00 order @a"', False),
    ],
)
def test_spans_that_end_each_other_on_one_platform_are_refused(spans: str, overlap: bool) -> None:
    text = EXAMPLE[: EXAMPLE.index("spans")] + f"spans = [{spans}]\nreached = []\n"
    if overlap:
        assert "spans 1 and 2 overlap on platform a" in faults(text)[0]
    else:
        assert read(text).examples


def test_a_time_that_clocks_leave_out_is_refused() -> None:
    text = (HEAD + LIMIT).replace("Asia/Shanghai", "Europe/Berlin") + EXAMPLE.replace(
        "2026-03-02", "2026-03-29"
    ).replace("08:00-10:00", "02:30-10:00")
    with pytest.raises(InvalidPolicy, match="span 1: 02:30 does not exist in Europe/Berlin"):
        load_policy(text, "f.toml")


def test_all_faults_are_told_and_none_that_is_only_the_consequence_of_another() -> None:
    text = EXAMPLE.replace("2026-03-02", "1990-01-01").replace("D5 00:00", "03:00").replace('"c D2', '"x D2')
    found = faults(text)
    assert [line.partition(": ")[0] for line in found] == [
        'example[1] "t".date', 'example[1] "t".reached[1]', 'example[1] "t"',
    ]  # fmt: skip
    # What a limit is called is not known where limits are wrong, nor whether a clock exists without its zone.
    with pytest.raises(InvalidPolicy) as refused:
        load_policy((HEAD + LIMIT).replace('name = "c"', 'name = "c c"') + EXAMPLE, "f.toml")
    assert str(refused.value).count("\n") == 1


def test_further_languages_stand_beside_chinese_and_english() -> None:
    text = (HEAD + LIMIT).replace('en = "rest" }', 'en = "rest", de = "Pause", zh-Hant = "休息" }')
    message = load_policy(text, "f.toml").limits[0].message
    assert message
    assert message.by_language == {"zh": "休息", "en": "rest", "de": "Pause", "zh-Hant": "休息"}
    for key, said in (("German", "is no code of a language"), ("English", "did you mean `en`")):
        wrong = HEAD.replace("en =", f"{key} =" if key == "English" else f'en = "n", {key} =') + LIMIT
        with pytest.raises(InvalidPolicy) as refused:
            load_policy(wrong, "f.toml")
        assert said in str(refused.value)
        assert str(refused.value).count("\n") == 1


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("sleeper_pair", "split rests, as of sleeper pairs, cannot be said"),
        ("severity_bands", "bands of severity cannot be said"),
        ("two_day_average", 'Nearest is kind "week" with `weeks`'),
        ("rounding", "whole seconds count as they are"),
        ("twice_a_week", "exceptions that may be used so many times"),
        ("compensation", "rest that is owed"),
        ("temperature", 'is a condition: kind "ban" with `condition`'),
        ("penalty", "never a penalty or a rating"),
        ("mesage", "did you mean `message`?"),
        ("anything", "unknown key, remove it or check its spelling"),
    ],
)
def test_what_the_grammar_cannot_say_is_refused_with_what_comes_nearest(key: str, said: str) -> None:
    (one,) = faults(f'{key} = "x"')
    assert said in one
