"""The generated histories make every rule fire."""

from __future__ import annotations

from collections import Counter

from . import judge
from .generate import KINDS, RELEASES, make_case

SEEDS = 300


def counts() -> Counter[tuple[str, ...]]:
    """How often each kind of limit told what, by effect, release and clock."""
    seen: Counter[tuple[str, ...]] = Counter()
    for seed in range(SEEDS):
        case = make_case(seed)
        rules = {
            (f"{policy['name']}@{policy['version']}", limit["name"]): limit
            for policy in case.policies
            for limit in policy["limits"]
        }
        result = judge(case.events, case.policies, case.now_s, **case.settings)
        for alert in result.alerts:
            rule = rules[alert["policy"], alert["limit"]]
            release = alert["hold"]["release"] if alert["hold"] else "none"
            seen[rule["kind"], rule["effect"], release, alert["kind"]] += 1
            seen["clock", rule["clock"], alert["kind"]] += 1
            seen["estimated", str(alert["estimated"]), alert["kind"]] += 1
        seen.update(("status", one["status"]) for one in result.statuses)
    return seen


def test_every_kind_effect_release_and_alert_occurs() -> None:
    seen = counts()
    wanted: dict[tuple[str, ...], int] = {("status", name): 20 for name in ("clear", "approaching", "hold")}
    for kind in KINDS:
        releases = {"confirm": ["confirm"], "hold": RELEASES.get(kind, ("rest", "window", "elapsed"))}
        for effect, ways in releases.items():
            for way in ways:
                wanted |= {
                    (kind, effect, way, alert): 3
                    for alert in ("limit_reached", "hold_released", "hold_breached")
                }
        for effect in ("remind", "confirm", "hold"):
            wanted[kind, effect, "none", "approaching"] = 10
        if kind != "rolling":
            wanted[kind, "remind", "none", "reminder"] = 10
    for clock in ("order", "online", "loaded"):
        wanted |= {("clock", clock, alert): 20 for alert in ("approaching", "limit_reached", "hold_breached")}
    wanted |= {("estimated", flag, "limit_reached"): 50 for flag in ("True", "False")}
    assert {name: seen[name] for name, least in wanted.items() if seen[name] < least} == {}
