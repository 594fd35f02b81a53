"""The three-process model against what is printed of it, and against its definition second by second."""

from __future__ import annotations

import math
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from detectors.models import alertness
from detectors.models.instants import instants_of, zone_of
from tests.detectors.models import naive

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: Offsets of half an hour, changes at two in the morning, a change of half an hour.
ZONES = [SHANGHAI, ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")]
MIDNIGHT = 1_795_363_200 // 86_400 * 86_400 - 8 * 3_600
HOUR = 3_600

# The package FIPS prints these of its three-process model (its README, TPM.simulation.results: awake since
# 2020-05-21 08:00 with S 7.96, every five minutes; s, c, w, u, KSS, alertness), to three figures.
FIPS_README = (
    (7.96, -1.67, -5.72, -0.00274, 10.3, 6.28),
    (7.94, -1.63, -5.04, -0.00549, 9.84, 6.31),
    (7.93, -1.59, -4.45, -0.00919, 9.47, 6.33),
    (7.91, -1.55, -3.92, -0.0138, 9.14, 6.35),
    (7.89, -1.50, -3.46, -0.0194, 8.85, 6.37),
    (7.88, -1.46, -3.05, -0.0258, 8.59, 6.39),
    (7.86, -1.42, -2.69, -0.0332, 8.36, 6.41),
    (7.85, -1.37, -2.37, -0.0415, 8.16, 6.43),
    (7.83, -1.32, -2.09, -0.0506, 7.98, 6.46),
    (7.81, -1.28, -1.84, -0.0606, 7.82, 6.48),
)


def three(value: float) -> float:
    return float(f"{value:.3g}")


def test_the_model_prints_what_fips_prints() -> None:
    for step, printed in enumerate(FIPS_README):
        hours = step / 12
        s, c, u = alertness.awake(7.96, hours), alertness.circadian(8 + hours), alertness.ultradian(8 + hours)
        w = alertness.inertia(hours)
        found = s, c, w, u, alertness.sleepiness(s + c + u + w), s + c + u
        assert [three(one) for one in found] == pytest.approx(list(printed), abs=1e-12)


# Ingre et al. 2014: the constant of recovery is defined by eight hours from 7.96 to 14.
def test_constants_are_the_published_ones() -> None:
    assert pytest.approx(-0.38136, abs=5e-6) == alertness.RECOVERY_PER_H
    assert alertness.asleep(12.2, 3.0) == pytest.approx(14.3 - 2.1 * math.exp(-0.381359 * 3), abs=1e-5)
    assert 14.3 - (14.3 - 7.96) * math.exp(8 * alertness.RECOVERY_PER_H) == pytest.approx(14.0, abs=1e-12)
    assert alertness.circadian(16.8) == pytest.approx(2.5, abs=1e-12)
    assert alertness.ultradian(19.8) == pytest.approx(0.0, abs=1e-12)
    assert alertness.inertia(0.0) == pytest.approx(-5.72, abs=1e-12)


@pytest.mark.parametrize("s", [3.0, 7.96, 12.2, 13.2])
def test_sleep_is_the_differential_equation(s: float) -> None:
    slow, step = s, 1e-4
    for _ in range(round(6 / step)):
        slow -= step * alertness.RECOVERY_PER_H * (14.3 - max(slow, 12.2))
    assert alertness.asleep(s, 6.0) == pytest.approx(slow, abs=2e-4)
    assert alertness.asleep(s, 4.0) == pytest.approx(
        alertness.asleep(alertness.asleep(s, 1.5), 2.5), abs=1e-9
    )
    assert alertness.awake(s, 4.0) == pytest.approx(alertness.awake(alertness.awake(s, 1.5), 2.5), abs=1e-9)


def test_what_a_rider_began_with_is_forgotten_in_five_nights() -> None:
    low, high = 2.4, 14.3
    for _ in range(alertness.WARM_UP_NIGHTS):
        low, high = (alertness.awake(alertness.asleep(one, 8.0), 16.0) for one in (low, high))
    assert abs(low - high) < 0.05


# No peer prints sleeps of this generator: bands of Ingre 2008 and Roach 2003 in their place.
@pytest.mark.parametrize(
    ("begin", "finish", "least_h", "most_h"),
    [(9, 17, 6.5, 8.5), (22, 30, 4.0, 7.0), (5, 13, 4.5, 7.0)],
)
def test_guessed_sleep_lies_within_the_bands(begin: int, finish: int, least_h: float, most_h: float) -> None:
    days = 10
    work = [
        (MIDNIGHT + (24 * day + begin) * HOUR, MIDNIGHT + (24 * day + finish) * HOUR) for day in range(days)
    ]
    found = alertness.guessed_sleep(zone_of(SHANGHAI), np.array(work), MIDNIGHT + days * 24 * HOUR)
    # After the nights of warm-up, and before the one that the end cuts.
    inside = [one for one in found if 5 * 24 * HOUR <= one.start_s - MIDNIGHT < 9 * 24 * HOUR]
    assert least_h <= sum(one.end_s - one.start_s for one in inside) / HOUR / 4 <= most_h
    for one in found:
        assert one.end_s - one.start_s >= HOUR
        assert all(one.end_s <= start - HOUR or one.start_s >= end + HOUR for start, end in work)


@st.composite
def rosters(draw: st.DrawFn) -> tuple[list[tuple[int, int]], int]:
    """Spans of work over some days around a change of clocks in Berlin, and *now*."""
    at = 1_774_656_000 + draw(st.integers(0, 2 * 86_400))  # 2026-03-28 and after
    spans = []
    for _ in range(draw(st.integers(1, 5))):
        end = at + draw(st.one_of(st.integers(1, 900), st.integers(900, 11 * HOUR)))
        spans.append((at, end))
        at = end + draw(st.one_of(st.integers(1, 1_800), st.integers(1_800, 20 * HOUR)))
    return spans, spans[-1][1] + draw(st.integers(0, 9 * HOUR))


@settings(max_examples=25, deadline=None)
@given(rosters(), st.sampled_from(ZONES), st.booleans())
def test_alertness_is_its_definition_step_by_step(
    roster: tuple[list[tuple[int, int]], int], zone: ZoneInfo, open_end: bool
) -> None:
    spans, now = roster
    if open_end:
        now = spans[-1][1]
    kernel_zone, work = zone_of(zone), np.array(spans, dtype=np.int64)
    instants = instants_of(kernel_zone, work, now, open_end=open_end)
    assert instants.tolist() == naive.hours_and_ends(spans, zone, now, open_end=open_end)
    if len(instants):
        found = alertness.predictions(kernel_zone, work, instants)
        np.testing.assert_allclose(found, naive.alertness(spans, zone, instants.tolist()), rtol=0, atol=1e-9)


def test_at_which_instants_one_asks_changes_nothing() -> None:
    work = np.array(
        [(MIDNIGHT + 86_400 * day + 40_000, MIDNIGHT + 86_400 * day + 70_000) for day in range(6)]
    )
    zone = zone_of(SHANGHAI)
    every = np.arange(work[0, 0], work[-1, 1], 7 * 60)
    some = every[::13]
    found = alertness.predictions(zone, work, every)[::13]
    np.testing.assert_array_equal(found, alertness.predictions(zone, work, some))
