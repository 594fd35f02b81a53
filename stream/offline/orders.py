"""A file of an operator's orders for a replay: lines like those of ``respite.control``, and their arrival."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from schemas.control import InvalidOrder, LiftHold, lift_line, order_of


class InvalidOrders(ValueError):
    """A file that is refused, with every fault and its line."""


class Ordered(NamedTuple):
    """An order: of which rider, when it came (epoch seconds)."""

    rider: str
    arrival_s: int
    order: LiftHold


def read_orders(name: str) -> list[Ordered]:
    """The orders of a file, one a line; empty lines are skipped.

    Raises
    ------
    InvalidOrders
        It cannot be read, or has lines that are no orders.
    """
    try:
        lines = Path(name).read_bytes().split(b"\n")
    except OSError as error:
        raise InvalidOrders(f"{name}: {error.strerror}") from error
    found, faults = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(Ordered(*lift_line(order_of(line))))
        except InvalidOrder as error:
            faults.append(f"{name}:{number}: {error}")
    if faults:
        raise InvalidOrders("\n".join(faults))
    return found
