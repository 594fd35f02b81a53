"""Changes of a rider's pace: CUSUM and EWMA on standardised residuals, and how often they alarm for nothing.

Tabular CUSUM: Page 1954, in the form of Montgomery. EWMA: Roberts 1959, Lucas & Saccucci 1990. Slowing down
is not fatigue by itself: traffic, weather and distance slow riders too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_NODES = 120


@dataclass(slots=True)
class Cusum:
    """A two-sided CUSUM: ``k`` is half the shift that is looked for, ``h`` the level of alarm, in sigmas."""

    k: float = 0.5
    h: float = 5.0
    up: float = 0.0
    down: float = 0.0
    ups: int = 0
    downs: int = 0

    def update(self, z: float) -> bool:
        """Take a residual in; whether it alarms. ``ups`` and ``downs`` count back to the change."""
        self.up = max(0.0, self.up + z - self.k)
        self.down = max(0.0, self.down - z - self.k)
        self.ups = self.ups + 1 if self.up > 0 else 0
        self.downs = self.downs + 1 if self.down > 0 else 0
        return self.up > self.h or self.down > self.h


@dataclass(slots=True)
class Ewma:
    """An exponentially weighted mean: the newest weighs ``weight``, limits are at ``width`` sigmas of it."""

    weight: float = 0.1
    width: float = 2.814
    mean: float = 0.0
    count: int = 0

    def update(self, z: float) -> bool:
        """Take a residual in; whether it alarms. Limits are those of the mean of so many."""
        self.mean = self.weight * z + (1 - self.weight) * self.mean
        self.count += 1
        share = 1 - (1 - self.weight) ** (2 * self.count)
        return abs(self.mean) > self.width * math.sqrt(self.weight / (2 - self.weight) * share)


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
    kernel = np.zeros((_NODES + 1, _NODES + 1))
    kernel[:, :_NODES] = weights * _density(nodes[None, :] - points[:, None] + k - shift)
    kernel[:, _NODES] = [_cumulative(k - shift - point) for point in points]
    lengths = np.linalg.solve(np.eye(_NODES + 1) - kernel, np.ones(_NODES + 1))
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
    kernel = weights * _density(step) / weight
    inner = np.linalg.solve(np.eye(_NODES) - kernel[:_NODES], np.ones(_NODES))
    return float(1 + kernel[_NODES] @ inner)
