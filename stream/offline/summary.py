"""What ``respite replay`` tells a person when no output is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from schemas.instants import parse_instant
from schemas.policy import Policy
from stream.offline.replay import Replayed
from stream.output.alert_json import Document, utc
from stream.rest_stops.directory import RestStopsDirectory

#: Of longer histories only the totals are shown; --alerts writes all.
EXPLAINED_ALERTS = 50
_STOPS_NAMED = 3


def summary(
    result: Replayed, policies: Sequence[Policy], rest_stops: RestStopsDirectory | None = None
) -> str:
    """What a person reads when no output is asked for: the totals, and of a short history every alert."""
    kinds = Counter(document["kind"] for document in result.alerts)
    held = sum(1 for document in result.statuses if document["status"] == "hold")
    now = "-" if result.now_s is None else utc(result.now_s)
    riders = f"{result.riders} riders"
    riders += f" and {result.conditions} announcements of conditions" if result.conditions else ""
    lines = [
        f"{result.events} events of {riders}, {result.rejected} lines rejected; now {now}",
        "policies: " + ", ".join(policy.ref for policy in policies),
        f"riders on hold now: {held}",
        "alerts: " + (", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "none"),
    ]
    if len(result.alerts) <= EXPLAINED_ALERTS:
        lines += ["", *(explain(document, rest_stops) for document in result.alerts)]
    return "\n".join(lines)


def explain(alert: Document, rest_stops: RestStopsDirectory | None = None) -> str:
    """One alert as a line: when, who, what, how it was counted, until when.

    Examples
    --------
    >>> explain(
    ...     {
    ...         "event_time": "2026-11-23T14:10:00+08:00",
    ...         "rider_id": "r",
    ...         "kind": "limit_reached",
    ...         "policy": "p@1",
    ...         "limit": "c",
    ...         "counted_s": 14400,
    ...         "limit_s": 14400,
    ...         "clock": "order",
    ...         "hold": {"until": "2026-11-23T14:30:00+08:00"},
    ...         "platform": None,
    ...         "estimated": False,
    ...     }
    ... )
    '2026-11-23 14:10:00+08:00  r  limit_reached  p@1/c  4:00:00 of 4:00:00 order time, hold not before 14:30:00+08:00'
    """  # noqa: E501
    counted, limit = (str(timedelta(seconds=alert[name])) for name in ("counted_s", "limit_s"))
    # A ban counts nothing: it is on or off.
    amount = f"{counted} of {limit} {alert['clock']} time" if alert["limit_s"] else _ban(alert)
    text = (
        f"{alert['event_time'].replace('T', ' ')}  {alert['rider_id']}  {alert['kind']}  "
        f"{alert['policy']}/{alert['limit']}  {amount}"
    )
    if alert["platform"]:
        text += f", by {alert['platform']}"
    if alert["hold"] and alert["hold"]["until"]:
        word = "ended" if alert["kind"] == "hold_released" else "not before"
        text += f", hold {word} {_after(alert['hold']['until'], alert['event_time'])}"
    text += " (estimated: an end is missing)" if alert["estimated"] else ""
    return text + (_where(alert, rest_stops) if rest_stops is not None else "")


def _ban(alert: Document) -> str:
    since = _after(alert["window"]["start"], alert["event_time"])
    zone = "" if alert["zone"] is None else f" in zone {alert['zone']}"
    return f"ban of {alert['clock']} time{zone}" + (
        "" if alert["kind"] == "approaching" else f" since {since}"
    )


def _where(alert: Document, rest_stops: RestStopsDirectory) -> str:
    """Of a hold: the rest stops of the rider's zone that are open until it can end."""
    if not alert["hold"] or alert["kind"] == "hold_released" or alert["zone"] is None:
        return ""
    until = alert["hold"]["until"]
    found = rest_stops.open_in(
        alert["zone"], parse_instant(alert["event_time"]), parse_instant(until) if until else None
    )
    names = ", ".join(f"{stop.name.zh} ({stop.name.en})" for stop in found[:_STOPS_NAMED])
    more = len(found) - _STOPS_NAMED
    return f"; rest stops open in {alert['zone']}: {names or 'none'}" + (
        f" and {more} more" if more > 0 else ""
    )


def _after(instant: str, other: str) -> str:
    """An instant with its offset, without the date where it is that of the other."""
    date, _, time = instant.partition("T")
    return time if other.startswith(date) else f"{date} {time}"
