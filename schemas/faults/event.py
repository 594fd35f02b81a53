"""Why a message is no event, in words: the field, its value, the form and an example."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from math import isfinite

from schemas.faults.meant import OF_IDS, meant, name_fault, name_form, plain
from schemas.instants import parse_instant, written_epoch
from schemas.names import is_id

_EXAMPLES = {
    "event_id": "m-20261123-000001",
    "rider_id": "r_7f3a09",
    "platform": "meituan",
    "order_id": "o-991",
    "zone": "310105",
}
_TIME_EXAMPLE = '"2026-11-23T12:00:00+08:00"'
_LONGEST_ID = 64
_SHOWN = 60
_MISSING = object()
_KNOWN = frozenset((*_EXAMPLES, "schema", "event_time", "type", "duty", "confirmed", "void"))
#: How many of an event's own fields are looked through for one that is missing.
_LOOKED_THROUGH = 50
#: What fields are called elsewhere, as `plain` writes it.
_OTHER_FIELDS = {
    "schema": ("schemaversion", "version"),
    "event_id": ("id", "uuid", "eventuuid", "messageid", "msgid"),
    "rider_id": ("rider", "riderno", "courier", "courierid", "driver", "driverid", "workerid", "userid"),
    "platform": ("platformid", "platformname", "app", "company", "source"),
    "event_time": ("timestamp", "time", "ts", "datetime", "eventtimestamp", "occurredat", "happenedat"),
    "type": ("eventtype", "event", "eventname", "kind", "action"),
    "order_id": ("order", "orderno", "ordernumber", "waybillid", "waybillno", "tripid", "jobid"),
    "duty": ("dutystatus", "status"),
}
_OTHER_CHOICES = {
    **dict.fromkeys(("accept", "accepted", "assigned", "orderassigned", "接单"), "order_accepted"),
    **dict.fromkeys(("pickup", "pickedup", "collected", "ordercollected", "取餐", "取货"), "order_picked_up"),
    **dict.fromkeys(
        ("delivered", "dropoff", "completed", "ordercompleted", "finished", "orderfinished", "送达"),
        "order_delivered",
    ),
    **dict.fromkeys(("cancel", "cancelled", "canceled", "取消"), "order_cancelled"),
    **dict.fromkeys(("login", "logon", "signin", "shiftstarted", "上线"), "online"),
    **dict.fromkeys(("logout", "logoff", "signout", "shiftended", "下线"), "offline"),
    **dict.fromkeys(("pause", "paused", "break", "reststarted"), "break_started"),
    **dict.fromkeys(("resume", "resumed", "unpaused", "restended"), "break_ended"),
    **dict.fromkeys(("ping", "alive", "keepalive"), "heartbeat"),
    **dict.fromkeys(("duty", "dutychanged"), "duty_status"),
    **dict.fromkeys(("work", "working", "available"), "on_duty"),
    **dict.fromkeys(("rest", "resting", "offduty"), "off"),
    **dict.fromkeys(("sleeperberth", "sleep"), "sleeper"),
}


def kind_of(value: object) -> str:
    """What a value of JSON is called."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds = ((str, "a text"), (int | float, "a number"), (list, "an array"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "an object")


def shown(value: object) -> str:
    """A value as JSON writes it, not long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def faults_of(
    names: Iterable[str], tree: Mapping[str, object], types: tuple[str, ...], duties: tuple[str, ...]
) -> str:
    """What is wrong with the fields of these names, one after the other."""
    wrong = list(dict.fromkeys(names))
    kind = tree.get("type")
    ordered = isinstance(kind, str) and kind in types and kind.startswith("order_")
    if ordered and not is_id(tree.get("order_id")) and "order_id" not in wrong:
        wrong.append("order_id")
    if kind == "duty_status" and tree.get("duty") not in duties and "duty" not in wrong:
        wrong.append("duty")
    return "; ".join(_fault(name, tree, duties if name == "duty" else types) for name in wrong)


def _fault(name: str, tree: Mapping[str, object], types: tuple[str, ...]) -> str:
    value = tree.get(name, _MISSING)
    if value is _MISSING or value is None:
        return _missing(name, tree, is_null=value is None)
    if name in ("type", "duty"):
        return _choice(name, value, types)
    if name == "event_time":
        return _event_time(value)
    if name in ("confirmed", "void"):
        return f"{name} = {shown(value)}: must be true or false, without quotation marks, or left out"
    if name == "schema":
        return f'schema = {shown(value)}: must be "work-state/1"'
    return _id(name, value)


def _missing(name: str, tree: Mapping[str, object], *, is_null: bool) -> str:
    examples = {
        "schema": '"work-state/1"',
        "event_time": _TIME_EXAMPLE,
        "type": '"order_accepted"',
        "duty": '"driving"',
    }
    example = examples.get(name) or f'"{_EXAMPLES.get(name, "x")}"'
    who = f"{tree['type']} needs it" if name in ("order_id", "duty") else "every event needs it"
    text = f'{name} is {"null" if is_null else "missing"}: {who}, like "{name}": {example}'
    like = _instead(name, tree)
    return text + (f'; there is "{like}", which is not looked at: is that it?' if like else "")


def _instead(name: str, tree: Mapping[str, object]) -> str | None:
    """A field that nothing looks at and that may be the missing one under another name."""
    others = [one for one in tree if one not in _KNOWN][:_LOOKED_THROUGH]
    names = dict.fromkeys((plain(name), *_OTHER_FIELDS.get(name, ())))
    exact = next((one for wanted in names for one in others if plain(one) == wanted), None)
    return exact or meant(name, others, near=0.75)


def _choice(name: str, value: object, types: tuple[str, ...]) -> str:
    near = meant(value, types, _OTHER_CHOICES)
    guess = f'; did you mean "{near}"?' if near else ""
    return f"{name} = {shown(value)}: must be one of {', '.join(types)}{guess}"


def _event_time(value: object) -> str:
    if isinstance(value, str):
        try:
            parse_instant(value)
        except ValueError as error:
            return f"event_time: {error}"
    text = f"event_time = {shown(value)}: is {kind_of(value)}, must be a text like {_TIME_EXAMPLE}"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    unix = written_epoch(_digits(value)) if is_number else None
    return f"{text}; {unix}" if unix else text


def _digits(value: object) -> str:
    """A number without an exponent, as far as it has digits."""
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) and isfinite(value) else str(value)


def _id(name: str, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and is_id(str(value)):
        form = name_form(OF_IDS, _LONGEST_ID)
        return f'{name} = {shown(value)}: is a number, must be a text of {form}: write "{value}"'
    return f"{name} = {shown(value)}: {id_fault(value, _EXAMPLES.get(name, 'x'))}"


def id_fault(value: object, example: str) -> str:
    """Why a value of JSON is no id."""
    if isinstance(value, str):
        return name_fault(value, OF_IDS, _LONGEST_ID, example=example)
    return f'is {kind_of(value)}, must be a text of {name_form(OF_IDS, _LONGEST_ID)}, for example "{example}"'
