"""Changes of riders' pace: CUSUM and EWMA on standardised residuals, and how often they alarm for nothing.

Tabular CUSUM: Page 1954, in the form of Montgomery. EWMA: Roberts 1959, Lucas & Saccucci 1990. A residual is
the logarithm of what an order took against the fleet's mean and spread of that platform and hour of the day,
as of the orders before, then against the rider's own first orders, drawn towards the fleet. Slowing down is
not fatigue by itself: traffic, weather and distance slow riders too.
"""

from __future__ import annotations

import math

import numpy as np

from detectors.models.instants import F64, I64
from detectors.models.jit import inlined, kernel
from detectors.models.parameters import LEAST_ORDERS, PaceParameters

_NODES = 120
HOURS = 24
# Words of a chart: the sums up and down and how many residuals each counts back, the mean and its number.
UP, DOWN, UPS, DOWNS, MEAN, COUNT = range(6)
CHART_WORDS = 6
# Words of a baseline: number, mean and sum of squares of what came in.
N, AVERAGE, SQUARES = range(3)
BASELINE_WORDS = 3
# What an order brings about; bits.
SLOWER, FASTER, EWMA_SLOWER, EWMA_FASTER = 1, 2, 4, 8
#: The order was judged: its platform and hour, and its rider, have their orders.
JUDGED = 16


@inlined
def cusum(chart: F64, z: float, k: float) -> None:
    """Take a residual in; ``UPS`` and ``DOWNS`` count back to the change."""
    chart[UP] = max(0.0, chart[UP] + z - k)
    chart[DOWN] = max(0.0, chart[DOWN] - z - k)
    chart[UPS] = chart[UPS] + 1 if chart[UP] > 0 else 0
    chart[DOWNS] = chart[DOWNS] + 1 if chart[DOWN] > 0 else 0


@inlined
def ewma(chart: F64, z: float, weight: float) -> None:
    """Take a residual in."""
    chart[MEAN] = weight * z + (1 - weight) * chart[MEAN]
    chart[COUNT] += 1


@inlined
def ewma_limit(chart: F64, weight: float, width: float) -> float:
    """The limit of the mean of so many residuals."""
    share = 1 - (1 - weight) ** (2 * chart[COUNT])
    return width * math.sqrt(weight / (2 - weight) * share)


@inlined
def learn(line: F64, x: float) -> None:
    """Welford's update."""
    line[N] += 1
    before = x - line[AVERAGE]
    line[AVERAGE] += before / line[N]
    line[SQUARES] += before * (x - line[AVERAGE])


@kernel
def take_order(fleet: F64, own: F64, chart: F64, took: float, rules: PaceParameters) -> int:
    """Take in what an order took, seconds above zero; bits of what it brings about.

    ``fleet`` is the baseline of its platform and hour, ``own`` the rider's of residuals, ``chart`` the
    rider's. A chart that alarms begins anew.
    """
    x = math.log(took)
    found = 0
    if fleet[N] >= LEAST_ORDERS and fleet[SQUARES] > 0.0:
        residual = (x - fleet[AVERAGE]) / math.sqrt(fleet[SQUARES] / (fleet[N] - 1))
        if own[N] < rules.baseline:
            learn(own, residual)
        else:
            found = JUDGED
            weight = own[N] + rules.shrinkage
            mean = own[N] * own[AVERAGE] / weight
            # Of residuals the fleet's variance is 1.
            spread = math.sqrt((own[SQUARES] + rules.shrinkage) / weight)
            z = (residual - mean) / spread
            cusum(chart, z, rules.k)
            ewma(chart, z, rules.weight)
            if chart[UP] > rules.h or chart[DOWN] > rules.h:
                found |= SLOWER if chart[UP] > rules.h else FASTER
                chart[UP], chart[DOWN], chart[UPS], chart[DOWNS] = 0.0, 0.0, 0.0, 0.0
            if abs(chart[MEAN]) > ewma_limit(chart, rules.weight, rules.width):
                found |= EWMA_SLOWER if chart[MEAN] > 0 else EWMA_FASTER
                chart[MEAN], chart[COUNT] = 0.0, 0.0
    learn(fleet, x)
    return found


@kernel
def take_orders(
    fleet: F64, own: F64, chart: F64, riders: I64, cells: I64, took: F64, rules: PaceParameters, out: I64
) -> None:
    """Take orders in, in order of their ends; lines of the arrays are named by ``riders`` and ``cells``."""
    for place in range(riders.shape[0]):
        rider, cell = riders[place], cells[place]
        out[place] = take_order(fleet[cell], own[rider], chart[rider], took[place], rules)


def _density(x: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return found


def _cumulative(x: float) -> float:
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def cusum_run_length(k: float, h: float, shift: float = 0.0) -> float:
    """How many residuals it takes on average until a one-sided CUSUM alarms, for normal residuals.

    Page's integral equation, by Gauss-Legendre quadrature.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    nodes, weights = (nodes + 1) * h / 2, weights * h / 2
    points = np.append(nodes, 0.0)
    steps = np.zeros((_NODES + 1, _NODES + 1))
    steps[:, :_NODES] = weights * _density(nodes[None, :] - points[:, None] + k - shift)
    steps[:, _NODES] = [_cumulative(k - shift - point) for point in points]
    lengths = np.linalg.solve(np.eye(_NODES + 1) - steps, np.ones(_NODES + 1))
    return float(lengths[_NODES])


def two_sided_cusum_run_length(k: float, h: float, shift: float = 0.0) -> float:
    """The same of a two-sided one."""
    return 1 / (1 / cusum_run_length(k, h, shift) + 1 / cusum_run_length(k, h, -shift))


def ewma_run_length(weight: float, width: float, shift: float = 0.0) -> float:
    """The same of an EWMA with the limits that it has in the long run."""
    limit = width * math.sqrt(weight / (2 - weight))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    nodes, weights = nodes * limit, weights * limit
    points = np.append(nodes, 0.0)
    step = (nodes[None, :] - (1 - weight) * points[:, None]) / weight - shift
    steps = weights * _density(step) / weight
    inner = np.linalg.solve(np.eye(_NODES) - steps[:_NODES], np.ones(_NODES))
    return float(1 + steps[_NODES] @ inner)
