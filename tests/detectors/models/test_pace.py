"""Charts of pace against what their papers and tables print, and against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from detectors.models import orders, pace
from detectors.models.parameters import PaceParameters

# Montgomery, Introduction to Statistical Quality Control, table 9.1: target 10, sigma 1, shifted after 20.
TABLE_9_1 = (
    9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40, 10.08, 9.37,
    10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62, 11.31, 10.52,
)  # fmt: skip


# His table 9.2: the upper sum of each period, to two places.
TABLE_9_2 = (
    0.0, 0.0, 0.0, 1.16, 2.82, 2.50, 0.04, 1.00, 0.0, 0.0, 0.0, 0.97, 0.98, 0.0, 0.0, 0.0, 0.12, 0.0, 0.0,
    0.34, 0.74, 0.0, 1.79, 2.79, 2.89, 3.47, 3.35, 4.47, 5.28, 5.30,
)  # fmt: skip


def test_the_cusum_is_montgomerys_table_9_2() -> None:
    chart = np.zeros(pace.CHART_WORDS)
    found, ups = [], []
    for value in TABLE_9_1:
        pace.cusum(chart, value - 10, 0.5)
        found.append(chart[pace.UP])
        ups.append(chart[pace.UPS])
    # The table is exact: its data have two places, and so have all sums.
    assert found == pytest.approx(TABLE_9_2, abs=1e-9)
    assert [number for number, one in enumerate(found, 1) if one > 5] == [29, 30]
    assert ups[28:] == [7, 8]


def test_cusum_is_its_definition() -> None:
    z = np.random.default_rng(5).normal(size=400)
    chart = np.zeros(pace.CHART_WORDS)
    sums = np.concatenate([[0.0], np.cumsum(z - 0.3)])
    for number, value in enumerate(z.tolist(), 1):
        pace.cusum(chart, value, 0.3)
        # The highest of all sums that end here, the empty one too.
        assert chart[pace.UP] == pytest.approx(sums[number] - sums[: number + 1].min(), abs=1e-9)


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
    chart = np.zeros(pace.CHART_WORDS)
    for number, value in enumerate(z.tolist(), 1):
        pace.ewma(chart, value, 0.2)
        slow = sum(0.2 * 0.8 ** (number - 1 - index) * z[index] for index in range(number))
        assert chart[pace.MEAN] == pytest.approx(slow, abs=1e-12)
        # The standard deviation of such a mean of so many residuals.
        sigma = math.sqrt(sum((0.2 * 0.8**index) ** 2 for index in range(number)))
        assert pace.ewma_limit(chart, 0.2, 2.962) == pytest.approx(2.962 * sigma, abs=1e-12)


def slow_pace(riders: list[int], cells: list[int], took: list[float], rules: PaceParameters) -> list[int]:
    """Every order with everything before it looked through anew."""
    found: list[int] = []
    residuals: dict[int, list[float]] = {}
    charts: dict[int, tuple[list[float], list[float]]] = {}
    for place, (rider, cell) in enumerate(zip(riders, cells, strict=True)):
        x = math.log(took[place])
        before = [math.log(took[at]) for at in range(place) if cells[at] == cell]
        bits = 0
        if len(before) >= 100 and np.var(before) > 0:
            residual = (x - np.mean(before)) / np.std(before, ddof=1)
            own = residuals.setdefault(rider, [])
            if len(own) < rules.baseline:
                own.append(float(residual))
            else:
                weight = len(own) + rules.shrinkage
                mean = sum(own) / weight
                spread = math.sqrt((len(own) * np.var(own) + rules.shrinkage) / weight)
                z = float((residual - mean) / spread)
                sums, means = charts.setdefault(rider, ([], []))
                sums.append(z)
                means.append(z)
                bits = pace.JUDGED
                up = max(sum(v - rules.k for v in sums[at:]) for at in range(len(sums) + 1))
                down = max(sum(-v - rules.k for v in sums[at:]) for at in range(len(sums) + 1))
                if up > rules.h or down > rules.h:
                    bits |= pace.SLOWER if up > rules.h else pace.FASTER
                    sums.clear()
                n, lam = len(means), rules.weight
                mean_z = sum(lam * (1 - lam) ** (n - 1 - at) * v for at, v in enumerate(means))
                limit = rules.width * math.sqrt(lam / (2 - lam) * (1 - (1 - lam) ** (2 * n)))
                if abs(mean_z) > limit:
                    bits |= pace.EWMA_SLOWER if mean_z > 0 else pace.EWMA_FASTER
                    means.clear()
        found.append(bits)
    return found


def test_pace_is_its_definition_order_by_order() -> None:
    random = np.random.default_rng(7)
    count = 1_500
    riders = random.integers(0, 4, count)
    cells = random.integers(0, 2, count)
    # The last third of the fleet's first rider is slower.
    late = (np.arange(count) > 1_000) & (riders == 0)
    took = np.exp(random.normal(6.5, 0.4, count) + 0.3 * (riders == 1) + 0.5 * late)
    rules = PaceParameters(k=0.5, h=4.0)
    marks = np.zeros(count, dtype=np.int64)
    fleet, own = np.zeros((2, pace.BASELINE_WORDS)), np.zeros((4, pace.BASELINE_WORDS))
    pace.take_orders(fleet, own, np.zeros((4, pace.CHART_WORDS)), riders, cells, took, rules, marks)
    assert marks.tolist() == slow_pace(riders.tolist(), cells.tolist(), took.tolist(), rules)
    judged = marks & pace.JUDGED != 0
    assert judged.sum() > 700
    # The one who slowed down alarms as slower more than all the others together.
    slower = (marks & pace.SLOWER != 0) & (np.arange(count) > 1_000)
    assert slower[riders == 0].sum() > slower[riders != 0].sum()


def slow_deliveries(events: list[tuple[int, int, int]], longest: int) -> dict[tuple[int, int], float]:
    """By order and instant what a delivery took, second by second as CONTRACT 4.2 and 4.4 say."""
    found = {}
    for order in {one[0] for one in events}:
        begun: int | None = None
        ever = False
        last = max(at for name, at, _ in events if name == order)
        for t in range(last + 1):
            now = {what for name, at, what in events if (name, at) == (order, t)}
            ends = bool(now & {orders.DELIVERED, orders.CANCELLED})
            begins = orders.ACCEPTED in now or (orders.PICKED_UP in now and not ever and begun is None)
            if begun is not None and ends:
                if orders.DELIVERED in now:
                    found[order, t] = float(t - begun)
                begun = t if orders.ACCEPTED in now else None
            elif begun is not None and t == begun + longest:
                begun = t if orders.ACCEPTED in now else None
            elif begun is None and begins and not ends:
                begun = t
            ever = ever or bool(now & {orders.ACCEPTED, orders.PICKED_UP})
    return found


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12), st.integers(0, 3)), min_size=1, max_size=10),
    st.integers(2, 6),
)
def test_deliveries_are_those_of_the_contract(events: list[tuple[int, int, int]], longest: int) -> None:
    rows = np.array(sorted(events), dtype=np.int64)
    took = np.zeros(len(rows))
    columns = (np.ascontiguousarray(rows[:, column]) for column in range(3))
    orders.delivered(*columns, longest, took)
    places = np.flatnonzero(took).tolist()
    found = {(int(rows[at, 0]), int(rows[at, 1])): took[at] for at in places}
    assert found == slow_deliveries(events, longest)
    assert all(rows[at, 2] == orders.DELIVERED for at in places)
