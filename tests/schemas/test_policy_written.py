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


#: What each version of a shipped policy judges by. One that has been released never changes: workers refuse
#: it. Change a limit with its `version`, and add a line.
JUDGED = {
    "cl-152-quater-z@1": "9831bcfaf0c7828426d339b4e98f40df",
    "cn-didi-2019@1": "4fde51a6870db6641280de63aa1ab996",
    "cn-gbt-2025@1": "cee46af0092181e20c7343885deb1e94",
    "cn-heat-2012@1": "459c70506a2afc3e00192909277d1854",
    "cn-labour-law@1": "02c0f097e2c5fca747263008b05a4c8e",
    "cn-meituan-2024@1": "601c0a2c614907478f3617494e202447",
    "cn-samr-2021@1": "ef4e71d22762f1f15bbb3db313908506",
    "cn-shijiazhuang@1": "2f84d9bfd4ecfbef5f44b373fa06ff34",
    "cy-heat-2023@1": "756afe399bdeb747d9ebeb10d1261662",
    "de-arbzg@1": "9471d9f656efdce2787eb0fc9dbacb61",
    "eu-561-driving@1": "4a15a0159de6c27901f510c17ff77158",
    "eu-working-time@1": "d7bac4a44d32ae8fb2f2932b52dcdec2",
    "gr-heat-2025@1": "a9a92a147f35fe7a65e207407308c157",
    "in-aggregator-2020@1": "0091eeb3b737026b9a33def0d3f16d09",
    "jp-2024@1": "d1ca40d426613b9790002632063677b6",
    "kr-couriers-2021@1": "42abd67e142116670f0aaf02f9874d2e",
    "kr-night-couriers@1": "f97fa025e1dda0468b676436570c28a4",
    "lyft-12h@1": "a3d4fc25e37349082a480fb4e7e8cf83",
    "nz-13h@1": "60fd858dd0b95ac6d53d8d75d0da33af",
    "ola-uk@1": "cdb2de4cfe475f5c7adcd62d6f0e30bd",
    "qa-heat-2025@1": "3579eba9c6dd1b20e684500b5179d4ab",
    "uber-12h@1": "1a7dc8d5c4272cb7e8afcc42ca82463c",
    "uber-uk-10h@1": "8196650db7c0c0100a1cb48fca059241",
    "uk-wtr-1998@1": "76341af5630d31d028c584f36aacbd23",
    "us-ca-prop22@1": "f0f55d608d6d634d3360a17b517fca18",
    "us-fmcsa-passenger@1": "f0c56bd7f454f7ccc4fc97a10bab51fe",
    "us-nyc-tlc@1": "4be3187e79a8b2b17d600e299ad9acb9",
}


def test_what_a_shipped_version_judges_by_does_not_change() -> None:
    shipped = {policy.ref: judging_digest(policy) for policy in map(load, builtin_names())}
    assert shipped == {ref: JUDGED.get(ref) for ref in shipped}
