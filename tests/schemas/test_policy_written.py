"""A policy that is written down again means the same, and a changed limit is known by its digest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.policy import Policy
from schemas.policy_written import judging_digest, written_policy
from stream.policies.loader import builtin_names, load
from tests.oracle.rulebook_cases import make_case
from tests.oracle_cases import policy_of


def read_again(policy: Policy) -> Policy:
    return Policy.model_validate(json.loads(json.dumps(written_policy(policy))))


@pytest.mark.parametrize("name", builtin_names())
def test_what_is_written_of_a_shipped_policy_means_the_same(name: str) -> None:
    policy = load(name)
    assert read_again(policy) == policy.model_copy(update={"examples": ()})
    assert judging_digest(read_again(policy)) == judging_digest(policy)


def test_what_is_written_of_any_policy_of_the_grammar_means_the_same() -> None:
    read = 0
    for seed in range(300):
        for description in make_case(seed).policies:
            policy = policy_of(description)
            assert read_again(policy) == policy, f"seed {seed}"
            read += 1
    assert read > 300


def changed(policy: Policy, **keys: Any) -> str:
    tree = written_policy(policy)
    tree["limit"][0] |= keys
    return judging_digest(Policy.model_validate(tree))


def test_a_digest_is_that_of_what_is_judged() -> None:
    policy = load("cn-gbt-2025")
    same = judging_digest(policy)
    assert changed(policy, message={"zh": "休息", "en": "rest"}, source="elsewhere") == same
    assert changed(policy, limit="3h") != same
    assert changed(policy, warn_before=["20min"]) != same
    assert changed(policy, clock="online") != same
    tree = written_policy(policy)
    tree["limit"] = tree["limit"][::-1]
    tree["valid_until"] = "2030-01-01"
    assert judging_digest(Policy.model_validate(tree)) == same
    tree["time_zone"] = "Asia/Tokyo"
    assert judging_digest(Policy.model_validate(tree)) != same
