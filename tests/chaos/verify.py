"""The one assertion that every fault ends with: what stands equals what the evidence says."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from detectors import pages
from detectors.kernels.layout import row as Row, state as State
from detectors.kernels.layout.codes import CLOCKS
from detectors.kernels.layout.values import PAGES
from detectors.store import RiderStore
from schemas.checkpoint import MARKER_KEY, decode_marker, decode_names
from schemas.checkpoint_page import decode_page
from schemas.instants import parse_instant
from stream.offline.conditions import OfConditions
from stream.offline.replay import Replayed, replay
from stream.policies.loader import load_all
from stream.settings import Settings
from stream.worker.context import WorkerContext
from tests.oracle.evidence import Maxima, read_rider
from tests.stream.topic_contents import Record, records_of

MOMENTS = ("provisional", "estimated", "detected_at")


@dataclass
class Found:
    """What differs between the topics and the evidence; all empty when nothing does."""

    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    #: Dead letters written more than once.
    doubled: list[str] = field(default_factory=list)
    #: Messages that said again what stood already: harmless, counted.
    repeated: int = 0
    alerts: int = 0
    riders: int = 0

    @property
    def good(self) -> bool:
        return not self.lost and not self.wrong

    def text(self) -> str:
        return f"lost {self.lost[:5]} ({len(self.lost)}), wrong {self.wrong[:5]} ({len(self.wrong)})"


def bare(alert: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in alert.items() if name not in MOMENTS}
    if kept["hold"]:
        kept["hold"] = {name: value for name, value in kept["hold"].items() if name != "told_at"}
    return kept


def standing(records: list[Record]) -> tuple[dict[str, dict[str, Any]], int]:
    """Per id the last message unless taken back; and how many said nothing new."""
    found: dict[str, dict[str, Any]] = {}
    repeated = 0
    for record in records:
        alert = bare(json.loads(record.value or b""))
        if alert["kind"] == "retracted":
            repeated += found.pop(alert["supersedes"], None) is None
        else:
            repeated += found.get(alert["alert_id"]) == alert
            found[alert["alert_id"]] = alert
    return found, repeated


def compare(
    settings: Settings,
    run: WorkerContext,
    files: list[Path],
    as_of_s: int | None = None,
    announced: Path | None = None,
) -> Found:
    """The topics against a replay of the same events; totals against second-by-second counting.

    ``announced`` is a file of conditions of zones.
    """
    conditions = [] if announced is None else [OfConditions(announced)]
    names = [*(str(file) for file in files), *conditions]
    expected, bad = replay(names, load_all(settings.policies), settings.store(0), as_of_s)
    assert not bad
    found = Found(alerts=len(expected.alerts), riders=len(expected.statuses))
    _compare_alerts(settings, expected, found)
    _compare_statuses(settings, expected, found)
    _compare_totals(settings, run, files, expected, found)
    _compare_dead_letters(settings, found)
    return found


def _compare_alerts(settings: Settings, expected: Replayed, found: Found) -> None:
    got, found.repeated = standing(records_of(settings.broker, settings.alerts_topic))
    wanted = {alert["alert_id"]: bare(alert) for alert in expected.alerts}
    found.lost += [f"alert {one}" for one in sorted(wanted.keys() - got.keys())]
    found.wrong += [f"alert {one}" for one in sorted(got.keys() - wanted.keys())]
    found.wrong += [
        f"alert {one} differs" for one in sorted(wanted.keys() & got.keys()) if wanted[one] != got[one]
    ]


def _compare_statuses(settings: Settings, expected: Replayed, found: Found) -> None:
    newest = {one.key: one.value for one in records_of(settings.broker, settings.status_topic)}
    told = {(key or b"").decode(): json.loads(value) for key, value in newest.items() if value is not None}
    for wanted in expected.statuses:
        rider = wanted["rider_id"]
        if rider not in told:
            found.lost.append(f"status of {rider}")
            continue
        names = ["status", *(("limit", "policy") if wanted["status"] == "hold" else ())]
        if [told[rider][name] for name in names] != [wanted[name] for name in names]:
            found.wrong.append(f"status of {rider}: {told[rider]} for {wanted}")
    found.wrong += [
        f"status of {one}" for one in told.keys() - {one["rider_id"] for one in expected.statuses}
    ]


def stored(settings: Settings, run: WorkerContext, number: int) -> tuple[RiderStore, int, int]:
    """What the state of a partition holds, its *now* and source offset."""
    found = {
        one.key or b"": one.value
        for one in records_of(settings.broker, settings.state_topic)
        if one.partition == number
    }
    value = found[MARKER_KEY]
    assert value is not None
    marker = decode_marker(value)
    store = RiderStore(run.limits, run.store_settings)
    known = {key: value for key, value in found.items() if value is not None}
    pages.restore_names(
        store,
        decode_names(marker.lineage, "platforms", known, marker.platforms),
        decode_names(marker.lineage, "zones", known, marker.zones),
    )
    for page in np.flatnonzero(marker.page_offsets(PAGES) >= 0).tolist():
        parts = {
            int(key.split(b"/")[2]): value
            for key, value in known.items()
            if key.startswith(b"page/%d/" % page)
        }
        pages.unpack(store, decode_page(marker.lineage, page, parts).words)
    return store, marker.now_s, marker.source_offset


def _compare_totals(
    settings: Settings, run: WorkerContext, files: list[Path], expected: Replayed, found: Found
) -> None:
    """Every rider's counted seconds on every clock, as the checkpoint holds them, against the oracle's."""
    events: dict[str, list[dict[str, Any]]] = {}
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            events.setdefault(event["rider_id"], []).append(event)
    maxima = Maxima(settings.max_open_order, settings.max_open_session, settings.max_open_break)
    limits = len(run.limits.limits)
    head = Row.head_for(limits)
    seen: set[str] = set()
    for number in range(run.partitions):
        store, now_s, _ = stored(settings, run, number)
        for row in range(store.riders):
            rider = store.rider_id(row)
            seen.add(rider)
            happened = [one for one in events.get(rider, ()) if parse_instant(one["event_time"]) <= now_s]
            # The state after the newest event; what passes by itself after it is not stored.
            at = max((parse_instant(one["event_time"]) for one in happened), default=now_s)
            told = read_rider(happened, at, maxima)
            for clock, name in enumerate(CLOCKS):
                if not store.packed_limits.kept[clock]:
                    # No limit looks at it.
                    continue
                words = store.memory.rows[row, head + State.CLOCKS + clock * State.CLOCK_WORDS :]
                total = int(words[State.CLOCK_TOTAL]) + (
                    at - int(words[State.CLOCK_EDGE]) if words[State.CLOCK_RUN] else 0
                )
                wanted = sum(told.runs[name][: at - told.first])
                if total != wanted:
                    found.wrong.append(f"{rider}: {total} s on the {name} clock, {wanted} in the evidence")
    found.lost += [f"state of {one['rider_id']}" for one in expected.statuses if one["rider_id"] not in seen]


def _compare_dead_letters(settings: Settings, found: Found) -> None:
    places = Counter(
        (one.headers["partition"], one.headers["offset"])
        for one in records_of(settings.broker, settings.dead_letter_topic)
    )
    found.doubled += [
        f"dead letter of {place} written {count} times" for place, count in places.items() if count > 1
    ]


def committed_at_most(settings: Settings, run: WorkerContext, commits: dict[int, int]) -> list[str]:
    """Commits beyond the newest marker; there must be none."""
    return [
        f"partition {number}: {offset} committed, the marker stands at {stored(settings, run, number)[2]}"
        for number, offset in commits.items()
        if offset > stored(settings, run, number)[2]
    ]
