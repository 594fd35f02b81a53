"""The reduced job of the peers: its oracle over whole histories, and its engine event by event, agree."""

from __future__ import annotations

from hypothesis import given, strategies as st

from benchmarks.peers.reduced import CONTINUOUS_S, REST_S, Event, Rider, alerts_of

_STEPS = st.sampled_from((0, 60, 600, REST_S - 1, REST_S, REST_S + 100, 2400, 4000))
_KINDS = st.sampled_from(("order_accepted", "order_picked_up", "order_delivered", "order_cancelled"))
_HISTORIES = st.lists(st.tuples(_STEPS, _KINDS, st.integers(0, 3)), max_size=120)


def history(steps: list[tuple[int, str, int]]) -> list[Event]:
    at_s, found = 1_000_000, []
    for step, kind, order in steps:
        at_s += step
        found.append(Event("r", at_s, kind, f"o{order}"))
    return found


@given(_HISTORIES)
def test_engine_and_oracle_tell_the_same(steps: list[tuple[int, str, int]]) -> None:
    events = history(steps)
    rider = Rider()
    told = [alert for one in events for alert in rider.take(one)]
    assert set(told) == alerts_of(events)
    assert len(told) == len(set(told))


def test_four_hours_with_short_rests_are_told_once_and_again_after_a_rest() -> None:
    def order(begin_s: int, end_s: int) -> list[Event]:
        return [Event("r", begin_s, "order_accepted", "o"), Event("r", end_s, "order_delivered", "o")]

    half = CONTINUOUS_S // 2
    short = [*order(0, half), *order(half + REST_S - 1, 2 * half + REST_S - 1)]
    assert {one for one in alerts_of(short) if one[1] == "continuous"} == {
        ("r", "continuous", 2 * half + REST_S - 1)
    }
    rested = [*order(0, half), *order(half + REST_S, 2 * half + REST_S)]
    assert not [one for one in alerts_of(rested) if one[1] == "continuous"]
