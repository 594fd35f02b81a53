"""What models there are, and what they go by. Light: settings are read before anything is compiled."""

from __future__ import annotations

from typing import NamedTuple

MODELS = ("risk", "alertness", "pace")
#: Fewer orders make no baseline: with 100 a tenth of riders alarms within 67 orders, with 20 within 30.
LEAST_ORDERS = 100


class PaceParameters(NamedTuple):
    """What the model of pace goes by.

    ``k`` is half the shift that is looked for and ``h`` the level of alarm of the CUSUM, in sigmas; the
    newest residual weighs ``weight`` in the EWMA, whose limits are at ``width`` of its sigmas. The first
    ``baseline`` orders of a rider are what he is measured by; the fleet weighs like ``shrinkage`` orders.
    """

    k: float = 0.5
    h: float = 5.0
    weight: float = 0.1
    width: float = 2.814
    baseline: int = LEAST_ORDERS
    shrinkage: int = LEAST_ORDERS
