"""Factors of risk against what is printed of them, and against their definition second by second."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from detectors.models import risk
from detectors.models.instants import instants_of, zone_of
from tests.detectors.models import naive
from tests.detectors.models.test_alertness import HOUR, ZONES, rosters

SHANGHAI = ZoneInfo("Asia/Shanghai")


# Folkard, Lombardi & Tucker 2005; Salminen 2016 for the most; Nielsen 2019; Tucker 2003.
def test_factors_are_the_printed_ones() -> None:
    printed = {0: 1.0, 8: 1.0, 10: 1.13, 12: 1.27, 40: 2.47}
    for hours, factor in printed.items():
        assert risk.of_hours_on_duty(float(hours)) == pytest.approx(factor, abs=1e-12)
    assert [risk.of_nights_in_a_row(n) for n in (0, 1, 2, 3, 4, 9)] == [1.0, 1.0, 1.06, 1.17, 1.36, 1.36]
    assert [risk.of_rest_before(hours) for hours in (11.0, 11.01, 16.0)] == [1.39, 1.0, 1.0]
    assert [risk.of_time_since_break(hours) for hours in (0.0, 1.0, 2.0, 9.0)] == [1.0, 1.5, 2.0, 2.0]


@settings(max_examples=25, deadline=None)
@given(rosters(), st.sampled_from(ZONES))
def test_risk_is_its_definition_minute_by_minute(
    roster: tuple[list[tuple[int, int]], int], zone: ZoneInfo
) -> None:
    spans = [
        (start // 60 * 60, start // 60 * 60 + max(60, (end - start) // 60 * 60)) for start, end in roster[0]
    ]
    spans = [one for at, one in enumerate(spans) if at == 0 or one[0] > spans[at - 1][1]]
    now = roster[1]
    kernel_zone, work = zone_of(zone), np.array(spans, dtype=np.int64)
    instants = instants_of(kernel_zone, work, now, open_end=False)
    found = risk.predictions(kernel_zone, work, instants)[:, : risk.BREAK + 1]
    expected = np.array(naive.risk(spans, zone, instants.tolist())).reshape(-1, 5)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def asked(spans: list[tuple[int, int]], at: int) -> dict[str, float]:
    found = risk.predictions(zone_of(SHANGHAI), np.array(spans), np.array([at]))[0]
    return {name: found[by] for name, _, by, _ in risk.FACTORS} | {"relative": found[risk.RELATIVE]}


def test_lunch_and_dinner_less_than_five_hours_apart_are_one_duty() -> None:
    one = naive.day(SHANGHAI, "2026-07-01", "11:00-14:00", "18:59-23:00")
    two = naive.day(SHANGHAI, "2026-07-01", "11:00-14:00", "19:00-23:00")
    assert asked(one, one[1][1])["hours_on_duty"] == 12.0
    found = asked(two, two[1][1])
    assert (found["hours_on_duty"], found["quick_return"]) == (4.0, 5.0)
    assert found["relative"] == pytest.approx(1.39 * 2.0, abs=1e-12)


def test_the_fourth_night_in_a_row_is_counted_and_a_night_off_ends_the_row() -> None:
    nights = [naive.day(SHANGHAI, f"2026-07-0{day}", "22:00-02:00")[0] for day in (1, 2, 3, 4, 6)]
    assert [asked(nights, end)["nights_in_a_row"] for _, end in nights] == [1, 2, 3, 4, 1]
    # Three hours of the night make it one: from 23:00 to 02:00, and not a second before.
    assert asked(nights, nights[0][1] - 1)["nights_in_a_row"] == 0


def test_a_pause_is_a_break_from_a_quarter_of_an_hour_on() -> None:
    start = naive.day(SHANGHAI, "2026-07-01", "11:00-12:00")[0][0]
    for pause_s, since_h in ((899, (2 * HOUR + 899) / HOUR), (900, 1.0)):
        spans = [(start, start + HOUR), (start + HOUR + pause_s, start + 2 * HOUR + pause_s)]
        assert asked(spans, spans[1][1])["since_break"] == since_h
