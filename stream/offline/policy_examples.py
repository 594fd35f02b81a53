"""The examples inside a policy, judged: by the engine, in process, the way a replay of files is.

They are judged whatever the policy's dates, and by the default settings: a file means the same anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detectors.reading import Reader, shared_of
from detectors.settings import StoreSettings
from detectors.verdicts import Verdict
from schemas.durations import write_hours
from schemas.policy import Policy
from schemas.policy_examples import Example
from schemas.policy_timeline import LocalDay, Span, write_local
from schemas.policy_words import in_language
from schemas.work_state import SCHEMA
from schemas.zone_condition import SCHEMA as CONDITION_SCHEMA
from stream.asked_columns import asked_of
from stream.offline.replay import Replay
from stream.output.alert_json import utc

_SETTINGS = StoreSettings(seal_events=0)
_RIDER = "r"


@dataclass(frozen=True, slots=True)
class Found:
    """A limit that was reached, epoch seconds, and what was counted then."""

    at_s: int
    limit: str
    counted_s: int


@dataclass(frozen=True, slots=True)
class Judged:
    """An example, what it says that is reached and what was."""

    number: int
    example: Example
    expected: tuple[tuple[int, str], ...]
    found: tuple[Found, ...]

    @property
    def holds(self) -> bool:
        """Whether what is said is what was found; at one instant in any order."""
        return sorted(self.expected) == sorted((one.at_s, one.limit) for one in self.found)


def judge_examples(policy: Policy) -> list[Judged]:
    """Every example of a policy, judged."""
    return [_judge(policy, number, one) for number, one in enumerate(policy.examples, start=1)]


def _judge(policy: Policy, number: int, example: Example) -> Judged:
    day = LocalDay(example.date, policy.zone)
    run = _replay(policy, example, day.instant_s(example.until_s))
    limits = run.store.limits.limits
    found = tuple(
        Found(one.event_time_s, limits[one.limit].name, one.counted_s)
        for one in run.outcomes()
        if isinstance(one, Verdict) and one.kind == "limit_reached"
    )
    expected = tuple((day.instant_s(at_s), limit) for limit, at_s in example.expected)
    return Judged(number, example, expected, tuple(sorted(found, key=lambda one: (one.at_s, one.limit))))


def _replay(policy: Policy, example: Example, now_s: int) -> Replay:
    run = Replay([policy], _SETTINGS, now_s, regardless_of_dates=True)
    run.read_conditions("conditions", conditions_of(policy, example))
    run.read("example", [json.dumps(event).encode() + b"\n" for event in events_of(policy, example)])
    assert not run.bad, "an example's events are good"
    return run


def events_of(policy: Policy, example: Example) -> Iterator[dict[str, str]]:
    """The work-state events that an example's spans stand for."""
    day = LocalDay(example.date, policy.zone)
    timeline = example.timeline
    number = 0
    for span, platform in zip(timeline, platforms_of(timeline), strict=True):
        for at_s, kind, more in _ends(span):
            number += 1
            yield {
                "schema": SCHEMA, "event_id": f"e{number}", "rider_id": _RIDER, "platform": platform,
                "event_time": utc(day.instant_s(at_s)), "type": kind, **more,
                **({} if span.zone is None else {"zone": span.zone}),
            }  # fmt: skip


def conditions_of(policy: Policy, example: Example) -> Iterator[bytes]:
    """The messages that an example's conditions stand for."""
    day = LocalDay(example.date, policy.zone)
    for number, one in enumerate(example.announced, start=1):
        message = {
            "schema": CONDITION_SCHEMA,
            "condition_id": f"c{number}",
            "condition": one.condition,
            "zones": one.zones,
            "from": utc(day.instant_s(one.begin_s)),
            "until": utc(day.instant_s(one.end_s)),
            "announced_at": utc(day.instant_s(one.announced_s)),
        }
        yield json.dumps(message).encode() + b"\n"


def _ends(span: Span) -> Iterator[tuple[int, str, dict[str, str]]]:
    order = {"order_id": f"o{span.place}"}
    if span.word == "online":
        yield span.begin_s, "online", {}
        yield span.end_s, "offline", {}
    elif span.word in ("order", "loaded"):
        yield span.begin_s, "order_accepted", order
        if span.word == "loaded":
            yield span.begin_s, "order_picked_up", order
        yield span.end_s, "order_delivered", order
    else:
        yield span.begin_s, "duty_status", {"duty": span.word}
        yield span.end_s, "duty_status", {"duty": "off"}


def platforms_of(timeline: Sequence[Span]) -> list[str]:
    """The platform of each span: the one named, else one on which no other span lies at the time.

    So a span's end never ends another's session or duty.
    """
    free_s: list[int] = []
    found = [""] * len(timeline)
    for span in sorted(timeline, key=lambda one: (one.begin_s, one.place)):
        if span.platform is not None:
            found[span.place - 1] = span.platform
            continue
        lane = next((at for at, until_s in enumerate(free_s) if until_s <= span.begin_s), len(free_s))
        free_s[lane : lane + 1] = [span.end_s]
        found[span.place - 1] = f"example:{lane + 1}"
    return found


def report(policy: Policy, judged: Judged) -> str:
    """Of an example that fails, expected and found side by side, with the count at each."""
    day = LocalDay(judged.example.date, policy.zone)
    amounts = {one.name: write_hours(one.amount_s) for one in policy.limits}
    counted = {(one.at_s, one.limit): one.counted_s for one in judged.found}
    rows = [("expected", "count", "found", "count")]
    for at_s, limit in sorted({*judged.expected, *counted}):
        text = f"{limit} {write_local(day.local_s(at_s))}"
        there_s = counted.get((at_s, limit))
        count_s = _count_at(policy, judged.example, at_s, limit) if there_s is None else there_s
        count = f"{write_hours(count_s)} of {amounts[limit]}"
        expected = (text, count) if (at_s, limit) in judged.expected else ("-", "")
        rows.append((*expected, *((text, count) if there_s is not None else ("-", ""))))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "    " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([f'  example[{judged.number}] "{in_language(judged.example.title, "en")}"', *lines])


def _count_at(policy: Policy, example: Example, at_s: int, limit: str) -> int:
    """What a limit counts at an instant at which it was not reached."""
    run = _replay(policy, example, at_s)
    run.outcomes()
    asked, _ = asked_of([_RIDER])
    reader, memory = Reader(run.store.limits, _SETTINGS), run.store.memory
    reader.follow(run.store.packed_limits, memory.zones, memory.zone_lengths)
    view = reader.rider(shared_of(memory), at_s, asked)
    index = next(at for at, one in enumerate(run.store.limits.limits) if one.name == limit)
    return 0 if view is None else view.limits[index].counted_s
