"""Put a generated case before the engine and before the oracle, in forms that can be compared."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

from detectors.settings import StoreSettings
from schemas.control import lift_line
from schemas.durations import write_duration
from schemas.policy import Policy
from stream.offline.orders import Ordered
from stream.offline.replay import Replay, Replayed
from tests.oracle.generate import Case
from tests.oracle.judge import Settings, judge

Doc = dict[str, Any]
KEYS = ("reset_sum", "reset_sum_parts", "limit", "reset", "window", "rest", "remind_every", "hold_for")

TEXTS = (
    "condition",
    "when",
    "zones",
    "dates",
    "reset_clock",
    "release",
    "source",
    "day_start",
    "week_start",
    "weeks",
    "per",
    "between",
)


def policy_of(description: Doc) -> Policy:
    """The policy that an oracle's description means, through the model that reads policy files."""
    limits = []
    for one in description["limits"]:
        limit: Doc = {key: write_duration(one[f"{key}_s"]) for key in KEYS if one.get(f"{key}_s")}
        limit |= {key: one[key] for key in ("name", "kind", "clock", "effect", "message")}
        limit |= {key: one[key] for key in TEXTS if one.get(key)}
        if one.get("reset_parts_s"):
            limit["reset_parts"] = [write_duration(part) for part in one["reset_parts_s"]]
        if one["warn_before_s"]:
            limit["warn_before"] = [write_duration(lead) for lead in one["warn_before_s"]]
        limits.append(limit)
    tree = {key: description[key] for key in ("name", "version", "time_zone", "source")}
    tree |= {key: description[key] for key in ("valid_from", "valid_until") if description.get(key)}
    tree |= {"modality": "agreement", "title": {"zh": "测试", "en": "test"}, "limit": limits}
    return Policy.model_validate(tree)


def settings_of(case: Case, seal_events: int = 0) -> StoreSettings:
    return StoreSettings(
        breach_grace_s=case.grace,
        max_open_order_s=case.maxima.order_s,
        max_open_session_s=case.maxima.session_s,
        max_open_break_s=case.maxima.break_s,
        max_open_duty_s=case.maxima.duty_s,
        seal_events=seal_events,
    )


def replayed(
    case: Case,
    shuffle: int = 0,
    *,
    regardless: bool = False,
    messages: list[bytes] | None = None,
    lifts: Sequence[Doc] = (),
) -> Replayed:
    """The engine's reading, over lines in an order of their own."""
    lines = [json.dumps(event).encode() + b"\n" for event in case.events]
    random.Random(shuffle).shuffle(lines)
    policies = [policy_of(one) for one in case.policies]
    orders = [Ordered(*lift_line(one)) for one in lifts]
    run = Replay(policies, settings_of(case), case.now, regardless_of_dates=regardless, orders=orders)
    if messages and shuffle % 2 == 0:
        run.read_conditions("conditions", messages)
    run.read("case", lines)
    if messages and shuffle % 2 == 1:
        run.read_conditions("conditions", messages)
    assert not run.bad, run.bad
    return run.conclude()


def expected(case: Case, lifts: list[Doc] | None = None) -> tuple[list[Doc], list[Doc]]:
    """The oracle's reading."""
    settings = Settings(grace=case.grace, maxima=case.maxima)
    return judge(case.events, case.policies, case.now, settings, lifts)


def by_identity(alerts: list[Doc]) -> dict[tuple[Any, ...], Doc]:
    """Alerts without their ids, by what their ids are a function of."""
    names = ("rider_id", "policy", "limit", "kind", "event_time", "platform")
    found = {
        tuple(one[name] for name in names): {k: v for k, v in one.items() if k != "alert_id"}
        for one in alerts
    }
    assert len(found) == len(alerts), "two alerts under one identity"
    return found
