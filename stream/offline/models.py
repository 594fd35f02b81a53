"""What models say of a history: a person's values as lines, and sums of all. They decide nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from detectors.kernels.layout.codes import CLOCKS
from detectors.models import alertness, risk
from detectors.models.instants import I64, Zone, instants_of, offset_at, zone_of
from detectors.reading import Reader, shared_of
from detectors.store import RiderStore
from stream.asked_columns import asked_of
from stream.offline.intervals import Interval
from stream.offline.model_choice import ModelChoice
from stream.offline.paces import Pace, PaceEvents, pace_of

Document = dict[str, Any]
#: The clock that models go by; it is kept where one is on.
CLOCK = "duty"
#: Sums about fewer riders are not told, as the regulator's are not (MDS: k = 10).
FEWEST_RIDERS = 10
_DAY_S = 86_400
#: More hours than this are "never before".
_LONGEST_H = 24.0 * 400
assert CLOCK in CLOCKS


class Values(NamedTuple):
    """What the models say of one rider: at each instant, a line of columns; None for a model that is off.

    ``works``: whether it is an instant of work, or the end of one; ``warms_up``: within the nights of
    warm-up.
    """

    rider: str
    instants: I64
    works: np.ndarray
    warms_up: np.ndarray
    alertness: np.ndarray | None
    risk: np.ndarray | None


class Models:
    """The models of one replay.

    Parameters
    ----------
    choice
        Which.
    time_zone
        Whose hours of the day count: those of the first policy.
    """

    def __init__(self, choice: ModelChoice, time_zone: ZoneInfo) -> None:
        self.choice = choice
        self.zone = zone_of(time_zone)
        self.events = PaceEvents() if "pace" in choice.names else None

    def values(self, store: RiderStore, now_s: int) -> Iterator[Values]:
        """What is said of each rider, by id; riders who never worked are left out."""
        if not {"alertness", "risk"} & {*self.choice.names}:
            return
        reader, shared = Reader(store.limits, store.settings), shared_of(store.memory)
        for rider in sorted(store.rider_id(row) for row in range(store.riders)):
            found = reader.rider(shared, now_s, asked_of([rider])[0])
            stretches = found.stretches[CLOCK] if found else ()
            open_end = bool(stretches) and stretches[-1].end_s is None
            spans = [(one.start_s, now_s if one.end_s is None else one.end_s) for one in stretches]
            if open_end and spans[-1][0] == now_s:
                # Work that begins now has not been worked yet.
                spans, open_end = spans[:-1], False
            if spans:
                yield self._of(rider, np.array(spans, dtype=np.int64), now_s, open_end=open_end)

    def _of(self, rider: str, spans: I64, now_s: int, *, open_end: bool) -> Values:
        instants = instants_of(self.zone, spans, now_s, open_end=open_end)
        index = np.searchsorted(spans[:, 1], instants, side="left")
        inside = np.minimum(index, len(spans) - 1)
        works = (index < len(spans)) & (spans[inside, 0] <= instants)
        return Values(
            rider,
            instants,
            works,
            instants < spans[0, 0] + alertness.WARM_UP_NIGHTS * _DAY_S,
            alertness.predictions(self.zone, spans, instants) if "alertness" in self.choice.names else None,
            risk.predictions(self.zone, spans, instants) if "risk" in self.choice.names else None,
        )

    def pace(self, longest_s: int) -> Pace | None:
        """What is said of the fleet's pace; None where that model is off."""
        return None if self.events is None else pace_of(self.events, self.zone, longest_s, self.choice.pace)


def lines(models: Models, store: RiderStore, now_s: int) -> Iterator[Document]:
    """A person's values, rider by rider, then the fleet's pace."""
    for found in models.values(store, now_s):
        instants = found.instants.tolist()
        for place, at_s in enumerate(instants):
            head = {"rider_id": found.rider, "at": local(models.zone, at_s)}
            if found.alertness is not None:
                s, c, u, w, kss = found.alertness[place].tolist()
                warms_up = bool(found.warms_up[place])
                yield {**head, "model": "alertness", "s": s, "c": c, "u": u, "w": w, "kss": kss,
                       "warm_up": warms_up}  # fmt: skip
            if found.risk is not None:
                yield {**head, "model": "risk", **_risk(found.risk[place].tolist())}
    pace = models.pace(store.settings.max_open_order_s)
    if pace is not None:
        yield {"model": "pace", **pace.parameters}
        yield from ({"model": "pace", **row} for row in pace.rows)


def _risk(row: Sequence[float]) -> Document:
    return {
        "relative": row[risk.RELATIVE],
        "factors": {
            name: {"factor": row[column], "of": _known(name, row[by]), "source": source}
            for name, column, by, source in risk.FACTORS
        },
    }


def _known(name: str, value: float) -> float | int | None:
    """What a factor goes by: hours, or nights; None for a rest since ever."""
    if value > _LONGEST_H:
        return None
    return int(value) if name == "nights_in_a_row" else value


def local(zone: Zone, at_s: int) -> str:
    """An instant by the wall clock, with its offset."""
    offset = timezone(timedelta(seconds=int(offset_at(zone, at_s))))
    return datetime.fromtimestamp(at_s, UTC).astimezone(offset).isoformat()


class Sums:
    """Values gathered into distributions: every whole hour of work, and every end of work, counts once."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = defaultdict(list)
        self._riders: dict[str, set[str]] = defaultdict(set)

    def add(self, found: Values, chosen: np.ndarray) -> None:
        """Take those values of a rider in that are chosen, of work and after the warm-up where it matters."""
        for name, values, column, told in (
            ("alertness", found.alertness, alertness.KSS, found.works & chosen & ~found.warms_up),
            ("risk", found.risk, risk.RELATIVE, found.works & chosen),
        ):
            if values is not None and told.any():
                self._values[name] += values[told, column].tolist()
                self._riders[name].add(found.rider)

    def documents(self, names: Sequence[str], rest: Sums | None = None) -> list[Document]:
        """By model; what fewer than ten riders make is not told, nor what would tell it of the ``rest``."""
        return [self._document(name, rest) for name in ("risk", "alertness") if name in names]

    def _document(self, name: str, rest: Sums | None) -> Document:
        values, riders = np.array(self._values[name]), self.riders(name)
        hidden = any(0 < count < FEWEST_RIDERS for count in (riders, rest.riders(name) if rest else 0))
        what = "relative risk" if name == "risk" else "KSS"
        told = riders > 0 and not hidden
        numbers = [float(values.mean()), *np.quantile(values, (0.5, 0.9)).tolist()] if told else [None] * 3
        return {
            "model": name,
            "of": what,
            "riders": None if hidden else riders,
            "instants": None if hidden else len(values),
            **dict(zip(("mean", "median", "p90"), numbers, strict=True)),
        }

    def riders(self, name: str) -> int:
        """How many riders a model's values are of."""
        return len(self._riders[name])


def sums(models: Models, store: RiderStore, now_s: int) -> list[Document]:
    """Distributions over all riders, and the fleet's pace in sum."""
    return modelled(models, store, now_s, []).history


class Modelled(NamedTuple):
    """Sums over a history, and by policy those of work inside its holds and outside."""

    history: list[Document]
    inside: list[list[Document]]
    outside: list[list[Document]]


def modelled(
    models: Models, store: RiderStore, now_s: int, on_hold: Sequence[Mapping[str, Sequence[Interval]]]
) -> Modelled:
    """What models say of a history, and of work inside and outside the holds of each policy, by rider."""
    whole = Sums()
    inside, outside = [Sums() for _ in on_hold], [Sums() for _ in on_hold]
    for found in models.values(store, now_s):
        everything = np.ones(len(found.instants), dtype=np.bool_)
        whole.add(found, everything)
        for place, by_rider in enumerate(on_hold):
            held = ~everything
            for begin, end in by_rider.get(found.rider, ()):
                held |= (found.instants >= begin) & (found.instants < end)
            inside[place].add(found, held)
            outside[place].add(found, ~held)
    pace = models.pace(store.settings.max_open_order_s)
    names = models.choice.names
    return Modelled(
        whole.documents(names) + ([] if pace is None else [pace.sums()]),
        [one.documents(names, other) for one, other in zip(inside, outside, strict=True)],
        [one.documents(names, other) for one, other in zip(outside, inside, strict=True)],
    )


def text(documents: Sequence[Document]) -> list[str]:
    """Sums as a person reads them."""
    found = ["models predict from work times; nothing here is a fact about a person"] if documents else []
    for one in documents:
        if one["model"] == "pace":
            found.append(
                f"pace: {one['orders']:,} orders, {one['judged']:,} judged; CUSUM alarms {one['cusum']:,} "
                f"(by chance {one['cusum_by_chance']:.1f}), EWMA {one['ewma']:,} "
                f"(by chance {one['ewma_by_chance']:.1f}); average run length "
                f"{one['average_run_length']['cusum']:.1f} and {one['average_run_length']['ewma']:.1f} orders"
            )
        elif one["mean"] is None:
            found.append(
                f"{one['model']}: not told, or nothing to tell: of fewer than {FEWEST_RIDERS} riders"
            )
        else:
            found.append(
                f"{one['model']}: {one['of']} while at work: mean {one['mean']:.2f}, median "
                f"{one['median']:.2f}, a tenth above {one['p90']:.2f} ({one['riders']:,} riders, "
                f"{one['instants']:,} instants)"
            )
    return found
