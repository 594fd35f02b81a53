"""Alerts, breaches and statuses of whole histories, by a literal reading of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.evidence import Maxima, Rider, instant, read_rider
from tests.oracle.watch import Watch

Doc = dict[str, Any]
CLOCKS = ("order", "online", "loaded", "driving", "duty")


@dataclass(frozen=True)
class Settings:
    """``unit``: seconds of a step. ``regardless``: policies are judged whatever their dates."""

    lateness: int = 86_400
    grace: int = 60
    maxima: Maxima = field(default_factory=Maxima)
    unit: int = 1
    regardless: bool = False


def document(watch: Watch, t: int, kind: str, count: int, platform: str | None, lateness: int) -> Doc:
    hold, start, end, amount = watch.hold, watch.window_start(t), t, watch.amount
    if kind == "hold_released":
        hold = watch.last_hold
        start, end, count, amount = hold["start"], hold["newest"], hold["counted"], hold["amount"]
    until = None if hold is None else t if kind == "hold_released" else watch.until(t)
    spans = [] if watch.ban else evidence(watch, start, end)
    says = kind in ("approaching", "limit_reached", "reminder")
    rider, policy, limit = watch.rider, watch.policy, watch.limit

    def local(at: int | None) -> str | None:
        return None if at is None else datetime.fromtimestamp(at, ZoneInfo(watch.zone)).isoformat()

    return {
        "schema": "fatigue-alert/1",
        "kind": kind,
        "rider_id": None,
        "policy": f"{policy['name']}@{policy['version']}",
        "limit": limit["name"],
        "clock": limit["clock"],
        "event_time": local(t),
        "counted_s": count,
        "limit_s": amount,
        "window": {"start": local(start), "end": local(end)},
        "hold": hold
        and {
            "from": local(hold["from"]),
            "until": local(until),
            "release": hold.get("release", watch.release),
            "told_at": None,
        },
        "provisional": not rider.now > t + lateness + 3600,
        "estimated": any(rests_on_a_guess(watch, at) for at, _ in spans),
        "platform": platform,
        "zone": rider.zone(t),
        "source": limit.get("source") or policy["source"],
        "evidence": [{"start": local(a), "end": local(b)} for a, b in spans],
        "message": limit.get("message") if says else None,
        "supersedes": None,
    }


def evidence(watch: Watch, start: int, end: int) -> list[tuple[int, int]]:
    """The counted intervals, the last fifty."""
    found: list[tuple[int, int]] = []
    unit, first = watch.rider.unit, watch.rider.first
    for second in range(max(start, first), end, unit):
        if not watch.counts[watch.place(second)]:
            continue
        if found and found[-1][1] == second:
            found[-1] = (found[-1][0], second + unit)
        else:
            found.append((second, second + unit))
    return found[-50:]


def rests_on_a_guess(watch: Watch, second: int) -> bool:
    """Whether the whole interval around a second is open now, or a maximum ended it."""
    rider = watch.rider
    while second <= rider.now and watch.running(second):
        second += rider.unit
    return second > rider.now or second in rider.ended_by_maximum[watch.limit["clock"]]


def breaches(watches: list[Watch], accepted: list[str], t: int, settings: Settings) -> list[Doc]:
    """One per policy and platform that ``accepted`` an order in a hold, after the grace."""
    found = []
    for platform in accepted:
        for policy in {(watch.policy["name"], watch.policy["version"]) for watch in watches}:
            held = [
                watch
                for watch in watches
                if (watch.policy["name"], watch.policy["version"]) == policy
                and watch.hold
                and t - watch.hold["from"] >= settings.grace
            ]
            if held:
                first = min(held, key=lambda one: (one.hold["from"], one.limit["name"]))
                count = first.counted(t)
                found.append(document(first, t, "hold_breached", count, platform, settings.lateness))
    return found


def resting(rider: Rider, now: int) -> Iterator[tuple[int, dict[str, int | None]]]:
    """Every instant up to ``now``, and since when each clock rests then: None while it runs."""
    rests: dict[str, int | None] = dict.fromkeys(CLOCKS, -1)
    for t in range(rider.first, now + 1, rider.unit):
        before = t - rider.unit
        for clock, rest in list(rests.items()):
            if t > rider.first and rider.runs[clock][(before - rider.first) // rider.unit]:
                rests[clock] = None
            elif t > rider.first and rest is None:
                rests[clock] = before
        yield t, rests


def lifted_at(watch: Watch, t: int, lifts: list[Doc]) -> set[int]:
    """When the holds of a limit began that orders arriving in the second ``t`` end."""
    ref = f"{watch.policy['name']}@{watch.policy['version']}"
    return {
        instant(one["hold_from"])
        for one in lifts
        if (one["policy"], one["limit"]) == (ref, watch.limit["name"]) and instant(one["arrival"]) == t
    }


def judge_rider(
    name: str,
    events: list[Doc],
    policies: list[Doc],
    now: int,
    settings: Settings,
    lifts: list[Doc],
    messages: list[bytes] | None = None,
) -> tuple[list[Doc], Doc | None]:
    rider = read_rider(events, now, settings.maxima, settings.unit)
    watches = [
        Watch(rider, policy, limit, regardless=settings.regardless, messages=messages)
        for policy in policies
        for limit in policy["limits"]
    ]
    watches.sort(key=lambda one: (one.policy["name"], one.policy["version"], one.limit["name"]))
    confirmations = {instant(event["event_time"]) for event in rider.real if event.get("confirmed")}
    accepted: dict[int, list[str]] = {}
    for moment, platform in sorted(rider.accepted_anew):
        accepted.setdefault(moment, []).append(platform)
    alerts: list[Doc] = []
    for t, rests in resting(rider, now):
        for watch in watches:
            rest = rests[watch.reset_clock]
            # Told at one instant, a release is told with the hold it ends, before a new one begins.
            for kind, count in watch.step(t, rest, lifted_at(watch, t, lifts)):
                alerts.append(document(watch, t, kind, count, None, settings.lateness))
            for kind, count in watch.after(t, t in confirmations):
                alerts.append(document(watch, t, kind, count, None, settings.lateness))
        if t in accepted:
            alerts += breaches(watches, accepted[t], t, settings)
    for alert in alerts:
        alert["rider_id"] = name
    seen = any(event["type"] != "heartbeat" and instant(event["event_time"]) <= now for event in events)
    return alerts, status_of(name, watches, now) if seen else None


def status_of(name: str, watches: list[Watch], now: int) -> Doc:
    """Limits whose policy is not in force now are left out."""

    def zulu(t: int | None) -> str | None:
        return None if t is None else datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    watches = [watch for watch in watches if watch.is_in_force(now)]
    document: Doc = {"schema": "dispatch-status/1", "rider_id": name}
    held = [watch for watch in watches if watch.hold is not None]
    until, left, named = None, None, None
    if held:
        known = [watch for watch in held if watch.until(now) is not None]
        named = held[0]
        if known:
            until = max(watch.until(now) or 0 for watch in known)
            named = next(watch for watch in known if watch.until(now) == until)
        left = 0
    else:
        # Of a ban that is not on nothing is to be reached.
        unreached = [watch for watch in watches if not watch.fired and (not watch.ban or watch.is_on(now))]
        if unreached:
            left = min(max(0, watch.amount - watch.counted(now)) for watch in unreached)
            named = next(watch for watch in unreached if max(0, watch.amount - watch.counted(now)) == left)
    near = any(told for watch in watches for told in watch.warned.values())
    document["status"] = "hold" if held else "approaching" if near else "clear"
    document["hold_until"] = zulu(until)
    document["limit"] = named and named.limit["name"]
    document["policy"] = named and f"{named.policy['name']}@{named.policy['version']}"
    document["remaining_s"] = left
    document["as_of"] = zulu(now)
    return document


def judge(
    events: list[Doc],
    policies: list[Doc],
    now: int,
    settings: Settings,
    lifts: list[Doc] | None = None,
    messages: list[bytes] | None = None,
) -> tuple[list[Doc], list[Doc]]:
    """Standing alerts (without id) and statuses of all riders, by a literal reading of the contract.

    ``messages`` are those of conditions of zones, in any order.
    """
    riders: dict[str, list[Doc]] = {}
    for event in events:
        if instant(event["event_time"]) <= now:
            riders.setdefault(event["rider_id"], []).append(event)
    alerts, statuses = [], []
    for name, own in sorted(riders.items()):
        ordered = [one for one in lifts or [] if one["rider_id"] == name]
        told, status = judge_rider(name, own, policies, now, settings, ordered, messages)
        alerts += told
        if status:
            statuses.append(status)
    return alerts, statuses
