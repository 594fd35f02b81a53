"""Models against what their papers and tables print."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detectors.models import alertness, pace, risk

# Montgomery, Introduction to Statistical Quality Control, table 9.1: target 10, sigma 1, shifted after 20.
TABLE_9_1 = (
    9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40, 10.08, 9.37,
    10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62, 11.31, 10.52,
)  # fmt: skip


def test_cusum_alarms_where_montgomerys_table_9_2_does() -> None:
    chart = pace.Cusum(k=0.5, h=5.0)
    alarms, found = [], {}
    for number, value in enumerate(TABLE_9_1, 1):
        if chart.update(value - 10):
            alarms.append(number)
        found[number] = chart.up, chart.ups
    assert alarms == [29, 30]
    assert [found[number][0] for number in (29, 30)] == pytest.approx([5.28, 5.30], abs=1e-9)
    assert [found[number][1] for number in (29, 30)] == [7, 8]


def test_cusum_is_its_definition() -> None:
    z = np.random.default_rng(5).normal(size=400)
    chart = pace.Cusum(k=0.3, h=4.0)
    sums = np.concatenate([[0.0], np.cumsum(z - 0.3)])
    for number, value in enumerate(z.tolist(), 1):
        chart.update(value)
        # The highest of all sums that end here, the empty one too.
        assert chart.up == pytest.approx(sums[number] - sums[: number + 1].min(), abs=1e-9)


# Montgomery, tables 9.3 and 9.4; R's spc.
@pytest.mark.parametrize(
    ("h", "shift", "published"),
    [(4, 0.0, 167.7), (4, 1.0, 8.38), (5, 0.0, 465.4), (5, 1.0, 10.38)],
)
def test_run_lengths_of_the_cusum_are_the_published_ones(h: float, shift: float, published: float) -> None:
    digits = 1 if published > 100 else 2
    assert round(pace.two_sided_cusum_run_length(0.5, h, shift), digits) == published


def test_levels_for_a_budget_of_false_alarms() -> None:
    for level, length in ((5.0, 931), (7.36, 1e4), (9.66, 1e5), (11.96, 1e6)):
        assert pace.cusum_run_length(0.5, level) == pytest.approx(length, rel=0.01)


# Lucas & Saccucci 1990, table 3.
@pytest.mark.parametrize(
    ("weight", "width", "lengths"),
    [(0.1, 2.814, (500, 31.3, 10.3)), (0.2, 2.962, (500, 41.8, 10.5))],
)
def test_run_lengths_of_the_ewma(weight: float, width: float, lengths: tuple[float, ...]) -> None:
    found = [pace.ewma_run_length(weight, width, shift) for shift in (0.0, 0.5, 1.0)]
    assert found[0] == pytest.approx(lengths[0], rel=0.002)
    assert [round(one, 1) for one in found[1:]] == list(lengths[1:])


def test_ewma_is_its_definition() -> None:
    z = np.random.default_rng(6).normal(size=60)
    chart = pace.Ewma(weight=0.2, width=2.962)
    for number, value in enumerate(z.tolist(), 1):
        chart.update(value)
        naive = sum(0.2 * 0.8 ** (number - 1 - index) * z[index] for index in range(number))
        assert chart.mean == pytest.approx(naive, abs=1e-12)


# Folkard, Lombardi & Tucker 2005; Salminen 2016 for the most; Nielsen 2019; Tucker 2003.
def test_factors_of_risk_are_the_printed_ones() -> None:
    printed = {0: 1.0, 8: 1.0, 10: 1.13, 12: 1.27, 40: 2.47}
    for hours, factor in printed.items():
        assert risk.of_hours_on_duty(hours) == pytest.approx(factor, abs=1e-12)
    assert [risk.of_nights_in_a_row(n) for n in (0, 1, 2, 3, 4, 9)] == [1.0, 1.0, 1.06, 1.17, 1.36, 1.36]
    assert [risk.of_rest_before(hours) for hours in (11.0, 11.01, 16.0)] == [1.39, 1.0, 1.0]
    assert [risk.of_time_since_break(hours) for hours in (0.0, 1.0, 2.0, 9.0)] == [1.0, 1.5, 2.0, 2.0]
    assert risk.Risk(1.13, 1.06, 1.39, 2.0).relative == pytest.approx(1.13 * 1.06 * 1.39 * 2.0, abs=1e-12)


# Ingre et al. 2014: the constant of recovery is defined by eight hours from 7.96 to 14.
def test_constants_of_the_three_process_model() -> None:
    assert pytest.approx(-0.38136, abs=5e-6) == alertness.RECOVERY_PER_H
    assert 14.3 - (14.3 - 7.96) * math.exp(8 * alertness.RECOVERY_PER_H) == pytest.approx(14.0, abs=1e-12)
    peak = alertness.alertness(10.0, 16.8, None)
    assert peak.c == pytest.approx(2.5, abs=1e-12)
    assert peak.w == 0.0
    assert alertness.alertness(10.0, 19.8, None).u == pytest.approx(0.0, abs=1e-12)
    waking = alertness.alertness(14.0, 7.0, 0.0)
    assert waking.w == pytest.approx(-5.72, abs=1e-12)
    assert waking.kss == pytest.approx(10.6 - 0.6 * sum(waking[:4]), abs=1e-12)


@pytest.mark.parametrize("s", [3.0, 7.96, 12.2, 13.2])
def test_sleep_is_the_differential_equation(s: float) -> None:
    naive, step = s, 1e-4
    for _ in range(round(6 / step)):
        naive -= step * alertness.RECOVERY_PER_H * (14.3 - max(naive, 12.2))
    assert alertness.asleep(s, 6.0) == pytest.approx(naive, abs=2e-4)
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
    [(9.0, 17.0, 6.5, 8.5), (22.0, 30.0, 4.0, 7.0), (5.0, 13.0, 4.5, 7.0)],
)
def test_guessed_sleep_lies_within_the_bands(
    begin: float, finish: float, least_h: float, most_h: float
) -> None:
    days = 10
    work = [(24 * day + begin, 24 * day + finish) for day in range(days)]
    found = list(alertness.guessed_sleep(work, 0.0, 24 * days))
    # After the nights of warm-up, and before the one that the end cuts.
    per_day = sum(end - start for start, end in found if 24 * 5 <= start < 24 * 9) / 4
    assert least_h <= per_day <= most_h
    for start, end in found:
        assert end - start >= 1.0 - 1e-6
        assert all(end <= a - 1 + 0.1 or start >= b + 1 - 1e-6 for a, b in work)
