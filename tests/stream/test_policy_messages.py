# ruff: noqa: E501 - sentences stand whole
"""What a person reads of a wrong policy: the thing, the value and the remedy."""

from __future__ import annotations

import pytest

from schemas.policy import InvalidPolicy, load_policy
from tests.schemas.test_policy import HEAD, LIMIT
from tests.stream.test_messages import JARGON

POLICIES: list[tuple[str, str, str]] = [
    (
        'kind = "continuous"',
        'kind = "weekly"',
        'limit[1] "c".kind: "weekly" must be one of "continuous", "day", "week", "month", "rolling", "span", "rest_within", "ban"; did you mean "week" (then `reset` has no meaning for kind week: leave it out), or "continuous" or "span", with which all keys go?',
    ),
    (
        'limit = "4h"',
        "limit = 4",
        'limit[1] "c".limit: 4 is a number, must be a text with its unit in quotation marks: write "4h", "4min" or "4s"',
    ),
    (
        'limit = "4h"',
        'limit = "4"',
        'limit[1] "c".limit: "4" is no duration without a unit: write "4h", "4min" or "4s"',
    ),
    (
        'limit = "4h"',
        "limit = 04:30:00",
        'limit[1] "c".limit: 04:30:00 is no duration: write it like "4h", "20min" or "1h30min"',
    ),
    (
        'reset = "20min"',
        'reset = "20 min"',
        'limit[1] "c".reset: "20 min" is no duration: write it like "20min"',
    ),
    ('reset = "20min"\n', "", 'limit[1] "c": `reset` is missing: kind continuous needs it'),
    (
        'limit = "4h"\nreset = "20min"',
        'limit = "x"',
        'limit[1] "c".limit: "x" is no duration: write it like "4h", "20min" or "1h30min"\nlimit[1] "c": `reset` is missing: kind continuous needs it',
    ),
    (
        'effect = "hold"',
        'effect = "remind"\nrelease = "elapsed"',
        'limit[1] "c": `release` "elapsed" is not allowed for kind continuous with effect remind: leave it out, for a reminder holds nobody',
    ),
    (
        'effect = "hold"',
        'effect = "hold"\nrelease = "elapsed"',
        'limit[1] "c": `hold_for` is missing: release "elapsed" needs it',
    ),
    (
        'effect = "hold"',
        'effect = "hold"\nwarn_before = "30min"',
        'limit[1] "c".warn_before: "30min" is a text, must be a list like ["30min"]',
    ),
    (
        'effect = "hold"',
        'effect = "hold"\nwarn_before = ["5h"]',
        'limit[1] "c": `warn_before` 5h must be below the limit',
    ),
    (
        'effect = "hold"',
        'efect = "hold"',
        'limit[1] "c".efect: unknown key; did you mean `effect`, which is missing?',
    ),
    (
        'title = { zh = "名", en = "name" }',
        'title = "name"',
        'title: "name" is a text, must be { zh = "…", en = "…" }, the same in both languages',
    ),
    ('title = { zh = "名", en = "name" }', 'title = { zh = "名" }', "title.en: is missing"),
    (
        "version = 1",
        'version = "1"',
        'version: "1" must be a whole number from 1 on, without quotation marks',
    ),
    ("version = 1", "version = 0", "version: 0 must be a whole number from 1 on, without quotation marks"),
    (
        '"Asia/Shanghai"',
        '"localtime"',
        'time_zone: "localtime" is no time zone of a place in the IANA data base, like "Asia/Shanghai"',
    ),
    (
        '"Asia/Shanghai"',
        '"CST"',
        'time_zone: "CST" is no time zone of a place in the IANA data base, like "Asia/Shanghai"',
    ),
    ('"Asia/Shanghai"', "8", "time_zone: 8 is a number, must be text in quotation marks"),
    (
        "valid_from = 2025-12-04",
        'valid_from = "soon"',
        'valid_from: "soon" must be a date like 2025-12-04, without quotation marks',
    ),
    (
        "valid_from = 2025-12-04",
        "valid_from = 2025-12-04T10:00:00",
        "valid_from: 2025-12-04T10:00:00 must be a date like 2025-12-04, without quotation marks",
    ),
    (
        'name = "c"',
        'name = "c c"',
        'limit[1] "c c".name: "c c": a space cannot stand in it: write 1 to 64 characters of A-Z a-z 0-9 _ . : -',
    ),
    ("[[limit]]", "[limit]", "limit: is one table: write [[limit]], with two brackets, above each limit"),
    (LIMIT, "", "limit: is missing: a policy needs at least one [[limit]]"),
    (LIMIT, "limit = []\n", "limit: is empty: a policy needs at least one [[limit]]"),
    ('source = "a source"', 'source = ""', "source: is empty: write the text"),
    (
        'modality = "standard"',
        'modality = "norm"',
        'modality: "norm" must be one of "law", "agreement", "standard", "platform"; did you mean "standard"?',
    ),
    (
        "version = 1",
        "version = 1.5",
        "version: 1.5 must be a whole number from 1 on, without quotation marks",
    ),
    (
        'message = { zh = "休息", en = "rest" }',
        'message = "rest"',
        'limit[1] "c".message: "rest" is a text, must be { zh = "…", en = "…" }, the same in both languages',
    ),
    (
        'name = "p"',
        "name = ",
        'p.toml: not TOML: line 2, near "name =": a value is expected there: text stands in quotation marks, durations too, like "4h"; else a number, a date, true, false, [...] or { ... }',
    ),
    ('source = "a source"', "source = 7", "source: 7 is a number, must be text in quotation marks"),
]


@pytest.mark.parametrize(("old", "new", "said"), POLICIES)
def test_a_wrong_policy_is_refused_in_words_and_without_consequences(old: str, new: str, said: str) -> None:
    text = HEAD + LIMIT
    assert old in text
    with pytest.raises(InvalidPolicy) as refused:
        load_policy(text.replace(old, new, 1), "p.toml")
    found = str(refused.value).removeprefix("p.toml: policy refused\n").replace("\n  ", "\n").strip()
    assert found == said
    assert not JARGON.search(found)
