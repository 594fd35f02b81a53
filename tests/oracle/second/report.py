"""Verdicts as the alerts and statuses that a consumer sees."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from .gated import kind_of, read
from .timeline import Event, Maxima, Timeline, build, instant_s
from .verdicts import Hold, Verdicts
from .windows import force, local, utc

Policy = dict[str, Any]
Alert = dict[str, Any]
Judged = list[tuple[Policy, list[Verdicts]]]


@dataclass
class Result:
    """Standing alerts without ``alert_id`` and ``detected_at``; the status of every rider."""

    alerts: list[Alert]
    statuses: list[dict[str, Any]]


@dataclass(frozen=True)
class _Teller:
    """Writes the alerts of one rider."""

    rider: str
    timeline: Timeline
    final_after_s: int

    def alert(
        self,
        policy: Policy,
        said: Verdicts,
        kind: str,
        t: int,
        *,
        seen: int,
        hold: Hold | None,
        platform: str | None,
    ) -> Alert:
        """One alert at ``t`` whose count, window and evidence are those at ``seen``."""
        zone, start, one = policy["time_zone"], said.since(seen), said.limit
        shown = [(a, b) for a, b in said.shown if max(a, start) < min(b, seen)][-50:]
        doubtful = self.timeline.cut[said.clock] | {self.timeline.now + self.timeline.step}
        whole = self.timeline.intervals[said.clock]
        return {
            "schema": "fatigue-alert/1",
            "kind": kind,
            "rider_id": self.rider,
            "policy": f"{policy['name']}@{policy['version']}",
            "limit": one["name"],
            "clock": said.clock,
            "event_time": local(zone, t),
            "counted_s": said.count(seen),
            "limit_s": said.amount(seen),
            "window": {"start": local(zone, start), "end": local(zone, seen)},
            "hold": None if hold is None else self._hold(zone, said, hold, kind, t),
            "provisional": self.timeline.now - t <= self.final_after_s,
            "estimated": any(b in doubtful for a, b in whole if any(a <= at < b for at, _ in shown)),
            "platform": platform,
            "zone": self.timeline.zone(t),
            "source": one.get("source") or policy.get("source"),
            "evidence": [
                {"start": local(zone, max(a, start)), "end": local(zone, min(b, seen))} for a, b in shown
            ],
            "message": one.get("message") if kind in ("approaching", "limit_reached", "reminder") else None,
            "supersedes": None,
        }

    def _hold(self, zone: str, said: Verdicts, hold: Hold, kind: str, t: int) -> dict[str, Any]:
        until = hold.until if kind == "hold_released" else said.earliest_end(hold, t)
        return {
            "from": local(zone, hold.start),
            "until": None if until is None else local(zone, until),
            "release": said.release,
            "told_at": None,
        }

    def of_limit(self, policy: Policy, said: Verdicts) -> list[Alert]:
        """Everything but breaches."""
        alerts = []
        for t, kind in said.told:
            begun = next((hold for hold in said.holds if t in hold.reached), None)
            hold = begun if kind == "limit_reached" else said.hold_at(t)
            alerts.append(self.alert(policy, said, kind, t, seen=t, hold=hold, platform=None))
        for hold in said.holds:
            if hold.until is not None:
                seen = hold.reached[-1]
                alerts.append(
                    self.alert(policy, said, "hold_released", hold.until, seen=seen, hold=hold, platform=None)
                )
        return alerts

    def breaches(self, policy: Policy, limits: list[Verdicts], grace_s: int) -> list[Alert]:
        """One per platform and instant at which an accepted order began in a hold, after the grace."""
        alerts = []
        for t, platform in sorted(self.timeline.begun):
            broken = [
                (hold.start, said.limit["name"], said, hold)
                for said in limits
                for hold in said.holds
                if hold.on(t) and t >= hold.start + grace_s
            ]
            if broken:
                _, _, said, hold = min(broken, key=lambda one: one[:2])
                alerts.append(
                    self.alert(policy, said, "hold_breached", t, seen=t, hold=hold, platform=platform)
                )
        return alerts


def _status(rider: str, judged: Judged, now: int) -> dict[str, Any]:
    """What a dispatcher may read; a policy that is not in force says nothing."""
    said = [(policy, one) for policy, limits in judged for one in limits if one.in_force(now)]
    said.sort(key=lambda pair: (pair[0]["name"], pair[0]["version"], pair[1].limit["name"]))
    held = [(policy, one, hold) for policy, one in said if (hold := one.hold_at(now)) is not None]
    until: int | None = None
    named: tuple[Policy, Verdicts] | None = None
    remaining: int | None = None
    if held:
        status, remaining, named = "hold", 0, held[0][:2]
        for policy, one, hold in held:
            end = one.earliest_end(hold, now)
            if end is not None and (until is None or end > until):
                until, named = end, (policy, one)
    else:
        status = "approaching" if any(one.warned_now for _, one in said) else "clear"
        for policy, one in said:
            left = max(0, one.amount(now) - one.count(now))
            if not one.reached_now and (remaining is None or left < remaining):
                remaining, named = left, (policy, one)
    return {
        "schema": "dispatch-status/1",
        "rider_id": rider,
        "status": status,
        "hold_until": utc(until),
        "limit": named[1].limit["name"] if named else None,
        "policy": f"{named[0]['name']}@{named[0]['version']}" if named else None,
        "remaining_s": remaining,
        "as_of": utc(now),
    }


def judge(
    events: list[Event],
    policies: list[Policy],
    now_s: int,
    *,
    lateness_s: int = 86400,
    breach_grace_s: int = 60,
    max_open_order_s: int = 10800,
    max_open_session_s: int = 57600,
    max_open_break_s: int = 14400,
    max_open_duty_s: int = 57600,
    step_s: int = 1,
    regardless_of_dates: bool = False,
    messages: list[bytes] | None = None,
) -> Result:
    """What stands at ``now_s`` of every rider, from the events up to then in any order.

    ``messages`` are those of conditions of zones, in any order too.
    """
    said = read(messages or [])
    riders: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if instant_s(event["event_time"]) <= now_s:
            riders[event["rider_id"]].append(event)
    result = Result([], [])
    maxima = Maxima(max_open_order_s, max_open_session_s, max_open_break_s, max_open_duty_s)
    for rider, mine in sorted(riders.items()):
        timeline = build(mine, now_s, maxima, step_s)
        teller = _Teller(rider, timeline, lateness_s + 3600)
        judged: Judged = [
            (
                policy,
                [kind_of(one, said)(one, policy["time_zone"], timeline, dates) for one in policy["limits"]],
            )
            for policy in policies
            for dates in [(None, None) if regardless_of_dates else force(policy)]
        ]
        for policy, limits in judged:
            for one in limits:
                result.alerts += teller.of_limit(policy, one)
            result.alerts += teller.breaches(policy, limits, breach_grace_s)
        if any(event["type"] != "heartbeat" for event in mine):
            result.statuses.append(_status(rider, judged, now_s))
    return result
