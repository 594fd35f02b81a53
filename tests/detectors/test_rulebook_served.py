"""The service's reading of the rulebook: late evidence, batches, sealing and checkpoints change nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.detectors.test_against_the_oracle import comparable
from tests.detectors.test_conformance import served
from tests.oracle.evidence import instant
from tests.oracle.rulebook_cases import RulebookCase, make_case
from tests.oracle_cases import replayed
from tests.rulebook import plain

SEEDS = range(5000, 5060)
KEEP_S = 15 * 86_400


def without_late_pick_ups(case: RulebookCase) -> RulebookCase:
    """The service remembers ended orders for ``keep``: a pick-up after that begins one anew."""
    times = [instant(event["event_time"]) for event in case.events]
    if max(times) - min(times) < KEEP_S:
        return case
    return replace(case, events=[one for one in case.events if one["type"] != "order_picked_up"])


@pytest.mark.parametrize("seal_events", [0, 1])
def test_lateness_batches_and_snapshots_change_nothing(seal_events: int) -> None:
    for seed in SEEDS:
        case = without_late_pick_ups(make_case(seed))
        if not case.policies or not case.events:
            continue
        got = comparable(replayed(plain(case)).alerts)
        service = served(plain(case), seed, batch=0.5, birth=0.3, seal_events=seal_events)
        assert comparable(list(service.standing.values())) == got, f"seed {seed}"
