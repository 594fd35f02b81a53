"""What is said of bans, in words: they count nothing, and are on or off."""

from __future__ import annotations

from typing import Any, Literal

from schemas.policy_limit import PolicyLimit

Language = Literal["zh", "en"]


def over_with(rule: PolicyLimit, lang: Language) -> str:
    """What a ban is on by, and that it is over with that."""
    if rule.condition:
        if lang == "zh":
            return f"骑手所在区域发布的“{rule.condition}”结束，或骑手离开该区域后即不再适用。"
        return (
            f"It is over when {rule.condition} is no longer on in the rider's zone, or the rider has left it."
        )
    begin, end = rule.between or ("00:00", "00:00")
    days, zones = "–".join(rule.dates or ()), ", ".join(rule.zones or ())
    if lang == "zh":
        days, zones = f"（每年 {days}）" if days else "", f"，区域 {zones}" if zones else ""
        return f"禁令时段为每日 {begin} 至 {end}{days}{zones}，时段结束后即不再适用。"
    days, zones = f", {days} of every year" if days else "", f", in the zones {zones}" if zones else ""
    return f"It is on from {begin} to {end}{days}{zones}, and over with that."


def said_of(alert: dict[str, Any], lang: Language) -> str:
    """That a ban was on at an alert's instant, or about to begin."""
    at, since = alert["event_time"][11:16], alert["window"]["start"][11:16]
    soon = alert["kind"] == "approaching"
    if lang == "zh":
        where = f"（区域 {alert['zone']}）" if alert["zone"] else ""
        return f"{at}，禁令即将开始{where}。" if soon else f"{at}，{since} 起禁令生效{where}。"
    where = f" in zone {alert['zone']}" if alert["zone"] else ""
    return (
        f"At {at} a ban was about to begin{where}."
        if soon
        else f"At {at} a ban was on{where}, since {since}."
    )
