"""What a comparison says, as a document and as text."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from schemas.policy_limit import PolicyLimit
from stream.offline.compare import Comparison, Tried, differences, reached_alone
from stream.offline.intervals import by_hour
from stream.offline.models import text as text_of_models
from stream.output.alert_json import utc

Document = dict[str, Any]
REGARDLESS = "Each policy is judged throughout, whatever the dates between which it is in force."
_SHOWN = 10


def document(found: Comparison) -> Document:
    """The whole comparison; times are in UTC, hours of day those of each policy's own zone."""
    result: Document = {
        "schema": "comparison/1",
        "regardless_of_dates": True,
        "now": utc(found.now_s),
        "events": found.events,
        "riders": len(found.riders),
        "policies": [_policy(found, one) for one in found.tried],
        "differences": _differences(found),
    }
    if found.modelled is not None:
        result["models"] = found.modelled.history
        for one, inside, outside in zip(
            result["policies"], found.modelled.inside, found.modelled.outside, strict=True
        ):
            one["models"] = {"in_holds": inside, "outside_holds": outside}
    return result


def _policy(found: Comparison, one: Tried) -> Document:
    held = {rider for rider, spans in one.on_hold.items() if spans}
    holds = {rider for each in one.holds.values() for rider in each.by_rider}
    return {
        "policy": one.policy.ref,
        "title": one.policy.title.by_language,
        "time_zone": one.policy.time_zone,
        "riders_reached": len({rider for instants in one.reached.values() for _, rider in instants}),
        "riders_held": len(holds),
        "holds": sum(each.count for each in one.holds.values()),
        "minutes_on_hold": _minutes(sum(_seconds(one.on_hold[rider]) for rider in held)),
        "orders_accepted_in_holds": len(one.breaches),
        "limits": [_limit(found, one, limit) for limit in one.policy.limits],
        "by_platform": _by_platform(found, one, holds),
        "by_hour": _by_hour(one),
    }


def _limit(found: Comparison, one: Tried, limit: PolicyLimit) -> Document:
    above = found.above_s(one, limit)
    held = one.holds[limit.name]
    return {
        "limit": limit.name,
        "clock": limit.clock,
        "limit_s": limit.amount_s,
        "effect": limit.effect,
        "reached": len(one.reached[limit.name]),
        "riders_reached": len({rider for _, rider in one.reached[limit.name]}),
        "holds": held.count,
        "minutes_on_hold": _minutes(sum(map(_seconds, held.by_rider.values()))),
        "riders_above": len(above),
        "hours_above": round(sum(above.values()) / 3_600, 2),
    }


def _by_platform(found: Comparison, one: Tried, holds: set[str]) -> list[Document]:
    breaches = Counter(breach.platform for breach in one.breaches)
    names = sorted({name for of_rider in found.platforms.values() for name in of_rider} | set(breaches))
    rows: list[Document] = []
    for name in names:
        own = {rider for rider, platforms in found.platforms.items() if name in platforms}
        rows.append(
            {
                "platform": name,
                "riders": len(own),
                "riders_held": len(own & holds),
                "minutes_on_hold": _minutes(sum(_seconds(one.on_hold.get(rider, [])) for rider in own)),
                "orders_accepted_in_holds": breaches[name],
            }
        )
    return rows


def _by_hour(one: Tried) -> list[Document]:
    zone = one.policy.zone
    on_hold = by_hour((span for spans in one.on_hold.values() for span in spans), zone)
    begun = _hours(one, [begin for held in one.holds.values() for spans in held.by_rider.values()
                         for begin, _ in spans])  # fmt: skip
    accepted = _hours(one, [breach.at_s for breach in one.breaches])
    return [
        {
            "hour": hour,
            "holds_begun": begun[hour],
            "minutes_on_hold": _minutes(on_hold[hour]),
            "orders_accepted_in_holds": accepted[hour],
        }
        for hour in range(24)
    ]


def _hours(one: Tried, instants: list[int]) -> Counter[int]:
    return Counter(datetime.fromtimestamp(at_s, one.policy.zone).hour for at_s in instants)


def _differences(found: Comparison) -> Document:
    refs = [one.policy.ref for one in found.tried]
    holds: list[Document] = [
        {"rider_id": rider, "from": utc(begin), "until": utc(end), "on_hold_by": [refs[at] for at in held_by],
         "not_by": [ref for at, ref in enumerate(refs) if at not in held_by]}
        for begin, end, rider, held_by in sorted(differences(found))
    ]  # fmt: skip
    reached: list[Document] = [
        {"rider_id": rider, "at": utc(at_s), "policy": refs[place], "limit": limit}
        for at_s, rider, place, limit in reached_alone(found)
    ]
    riders = {one["rider_id"] for one in (*holds, *reached)}
    return {"riders": len(riders), "holds": holds, "reached": reached}


def _seconds(spans: list[tuple[int, int]]) -> int:
    return sum(end - begin for begin, end in spans)


def _minutes(seconds: int) -> float:
    return round(seconds / 60, 1)


def text(result: Document) -> str:
    """What a person reads on a terminal."""
    policies = result["policies"]
    width = max(24, *(len(one["policy"]) + 2 for one in policies))
    lines = [f"{result['events']} events of {result['riders']} riders; now {result['now']}", REGARDLESS, ""]

    def row(label: str, cells: list[str]) -> str:
        return (f"{label:28}" + "".join(cell.rjust(width) for cell in cells)).rstrip()

    lines.append(row("", [one["policy"] for one in policies]))
    for label, key in ROWS:
        lines.append(row(label, [f"{one[key]:,}" for one in policies]))
    for one in policies:
        lines += ["", f"{one['policy']}, by limit"]
        for limit in one["limits"]:
            lines.append(
                f"  {limit['limit']:20} reached {limit['reached']:,} times by "
                f"{limit['riders_reached']:,} riders, "
                f"{limit['holds']:,} holds, {limit['hours_above']:,} h of {limit['clock']} time above"
            )
        for each in one["by_platform"]:
            lines.append(
                f"  {each['platform']:20} {each['riders_held']:,} of {each['riders']:,} riders held, "
                f"{each['orders_accepted_in_holds']:,} orders accepted in holds"
            )
    return "\n".join([*lines, *_text_of_models(result), *_text_of_differences(result["differences"])])


def _text_of_models(result: Document) -> list[str]:
    if "models" not in result:
        return []
    lines = ["", *text_of_models(result["models"])]
    for one in result["policies"]:
        for place, words in (("in_holds", "in its holds"), ("outside_holds", "outside its holds")):
            found = text_of_models(one["models"][place])[1:]
            lines += [f"{one['policy']}, {words}", *(f"  {line}" for line in found)]
    return lines


ROWS = (
    ("riders who reach a limit", "riders_reached"),
    ("riders held", "riders_held"),
    ("holds", "holds"),
    ("minutes on hold", "minutes_on_hold"),
    ("orders accepted in holds", "orders_accepted_in_holds"),
)


def _text_of_differences(found: Document) -> list[str]:
    holds = [
        f"  {one['rider_id']}  {one['from']} to {one['until']}: on hold by {', '.join(one['on_hold_by'])}, "
        f"not {', '.join(one['not_by'])}"
        for one in found["holds"][:_SHOWN]
    ]
    reached = [
        f"  {one['rider_id']}  {one['at']}: only {one['policy']} reaches {one['limit']}"
        for one in found["reached"][:_SHOWN]
    ]
    head = f"they differ for {found['riders']:,} riders; --json has all instants"
    return ["", head, *holds, *reached]
