"""What a version of a policy has judged by, over a restart: other limits under it are refused in words."""

from __future__ import annotations

import pytest

from detectors.limits import LimitTable
from schemas.checkpoint import Marker, decode_marker, encode_marker
from schemas.policy import load_policy
from schemas.policy_written import judging_digest
from stream.policies.calendars import window_starts
from stream.policies.limits import limits_of
from stream.settings import Settings
from stream.state.restore_pages import refuse_changed_versions
from stream.state.restored import StateRefused, Takeover
from tests.short_policies import online_policy

BLANK = Marker("d", b"l" * 16, 1, {}, "w")


def taken_over(text: str) -> Takeover:
    policy, settings = load_policy(text, "own.toml"), Settings()
    return Takeover(
        settings,
        LimitTable(limits_of([policy]), window_starts),
        settings.store(0),
        3,
        8,
        0.0,
        lambda _: None,
        {policy.ref: judging_digest(policy)},
    )


def test_other_limits_under_a_version_that_has_judged_are_refused_with_the_remedy() -> None:
    before = taken_over(online_policy("own", 60)).judged
    marker = Marker("d", b"l" * 16, 1, {}, "w", judged=dict(before))
    with pytest.raises(StateRefused) as refused:
        refuse_changed_versions(taken_over(online_policy("own", 90)), marker)
    said = str(refused.value)
    assert f"partition 3: own@1 judged by limits with the digest {before['own@1']}" in said
    assert "bring the former limits back, or give own version = 2" in said


def test_other_words_dates_or_versions_are_taken_and_so_is_a_state_that_does_not_say() -> None:
    text = online_policy("own", 60)
    marker = Marker("d", b"l" * 16, 1, {}, "w", judged=dict(taken_over(text).judged))
    refuse_changed_versions(taken_over(text), marker)
    refuse_changed_versions(taken_over(text.replace("a test", "another source")), marker)
    refuse_changed_versions(taken_over(text.replace("2026-01-01", "2026-02-01")), marker)
    refuse_changed_versions(
        taken_over(online_policy("own", 90).replace("version = 1", "version = 2")), marker
    )
    refuse_changed_versions(taken_over(online_policy("own", 90)), BLANK)
    refuse_changed_versions(taken_over(online_policy("own", 90)), None)


def test_a_marker_says_what_judged_and_one_of_before_says_nothing() -> None:
    marker = Marker("d", b"l" * 16, 1, {}, "w", judged={"own@1": "x"})
    assert decode_marker(encode_marker(marker)).judged == {"own@1": "x"}
    assert decode_marker(encode_marker(BLANK)).judged == {}
