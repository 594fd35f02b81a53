"""The policies that come with Respite: cited, in the languages of the place, their examples as they say."""

from __future__ import annotations

import hashlib
import re

import pytest

from schemas.policy import Policy
from schemas.policy_words import Words
from stream.offline.policy_examples import judge_examples, report
from stream.policies.loader import builtin_names, load

COLLECTION = {name: load(name) for name in builtin_names()}
#: What is spoken where Chinese and English are not enough.
LANGUAGES = {
    "cl-152-quater-z": {"es"},
    "cy-heat-2023": {"el", "tr"},
    "de-arbzg": {"de"},
    "eu-561-driving": {"de", "fr"},
    "eu-working-time": {"de", "fr"},
    "gr-heat-2025": {"el"},
    "in-aggregator-2020": {"hi"},
    "jp-2024": {"ja"},
    "kr-couriers-2021": {"ko"},
    "kr-night-couriers": {"ko"},
    "qa-heat-2025": {"ar"},
}


@pytest.fixture(params=COLLECTION.values(), ids=lambda one: one.name)
def policy(request: pytest.FixtureRequest) -> Policy:
    found: Policy = request.param
    return found


def test_every_policy_of_the_collection_is_there() -> None:
    assert set(COLLECTION) == {
        "cn-gbt-2025", "cn-meituan-2024", "cn-didi-2019", "cn-samr-2021", "cn-shijiazhuang", "cn-labour-law",
        "uber-12h", "uber-uk-10h", "lyft-12h", "ola-uk", "us-ca-prop22", "us-nyc-tlc", "us-fmcsa-passenger",
        "eu-561-driving", "eu-working-time", "de-arbzg", "uk-wtr-1998", "nz-13h", "jp-2024",
        "kr-couriers-2021", "in-aggregator-2020", "cl-152-quater-z",
        "gr-heat-2025", "cy-heat-2023", "qa-heat-2025", "cn-heat-2012", "kr-night-couriers",
    }  # fmt: skip


def test_a_policy_says_what_it_rests_on(policy: Policy) -> None:
    assert policy.jurisdiction
    assert policy.notes
    assert any(word in policy.source for word in ("read", "Read", "seen"))


def test_a_rider_reads_it_in_his_language(policy: Policy) -> None:
    wanted = {"zh", "en"} | LANGUAGES.get(policy.name, set())
    assert set(policy.title.by_language) == wanted
    for one in policy.limits:
        assert one.message, one.name
        assert set(one.message.by_language) == wanted, one.name


def test_what_a_policy_leaves_out_and_its_examples_are_said_in_chinese_and_english(policy: Policy) -> None:
    for one in [*policy.notes, *(example.title for example in policy.examples)]:
        assert isinstance(one, Words), one
        assert re.search("[\u4e00-\u9fff]", one.zh), one


def test_a_policy_has_examples_on_both_sides_of_a_limit(policy: Policy) -> None:
    assert len(policy.examples) >= 2
    assert any(one.reached for one in policy.examples)
    assert any(not one.reached for one in policy.examples)


def test_each_limit_is_reached_by_some_example(policy: Policy) -> None:
    reached = {one.limit for example in policy.examples for one in example.expected}
    assert reached == {one.name for one in policy.limits}


def test_every_example_reaches_what_it_says(policy: Policy) -> None:
    failed = [report(policy, one) for one in judge_examples(policy) if not one.holds]
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize(
    ("name", "digest"),
    [("cn-gbt-2025", "c66a60545637969b"), ("cn-meituan-2024", "823cf2052f55a76b")],
)
def test_what_alerts_say_of_the_first_two_policies_does_not_change(name: str, digest: str) -> None:
    one = COLLECTION[name]
    said = [
        (limit.model_dump_json(exclude_unset=True), limit.source or one.source, limit.message.by_language)
        for limit in one.limits
        if limit.message
    ]
    assert hashlib.sha256(str([one.ref, one.time_zone, *said]).encode()).hexdigest()[:16] == digest
