"""Worked examples inside a policy: spans of a clock's evidence, and the limits that they reach."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from schemas.names import ID_PATTERN, is_id
from schemas.policy_calendar import OnlyDate
from schemas.policy_timeline import (
    CONDITION,
    INSTANT,
    REACHED,
    SPAN,
    WORDS,
    Announced,
    LocalDay,
    Reached,
    Span,
    announced_of,
    instant_of,
    reached_of,
    timeline_of,
    write_local,
)
from schemas.policy_words import Said, Text
from schemas.zone_condition import checked_zone

_BETWEEN = ("spans", "until", "reached")
_DUTIES = ("driving", "on_duty")
_FIRST, _LAST = dt.date(2000, 1, 2), dt.date(2097, 1, 1)
_NO_WORDS = {
    "duty": 'write "on_duty" or "driving"',
    "off": "rest is what lies between the spans: leave it out",
    "rest": "rest is what lies between the spans: leave it out",
    "break": "rest is what lies between the spans: leave it out",
    "sleeper": "rest is what lies between the spans: leave it out",
}


def _checked_span(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = SPAN.fullmatch(value)
    if match is None:
        raise ValueError(
            'is no span: write it like "08:00-09:00 driving", "D3 22:00-02:00 order @uber" or '
            '"10:00-12:00 online #310105", hours to 23'
        )
    word, platform, zone = match[4], match[5], match[6]
    if word not in WORDS:
        near = difflib.get_close_matches(word, WORDS, 1)
        more = _NO_WORDS.get(word) or (f'did you mean "{near[0]}"?' if near else "others are not shown here")
        raise ValueError(f'"{value[:60]}": "{word}" is no word of a span ({", ".join(WORDS)}); {more}')
    if platform is not None and not re.fullmatch(ID_PATTERN.replace(r"\z", ""), platform, re.ASCII):
        raise ValueError(f'"{value[:60]}": a platform is 1 to 64 characters of A-Z a-z 0-9 _ . : -')
    if zone is not None and not is_id(zone):
        raise ValueError(f'"{value[:60]}": a zone is 1 to 64 characters of A-Z a-z 0-9 _ . : -')
    if zone is not None and word in _DUTIES:
        raise ValueError(f'"{value[:60]}": a duty says no zone: name it on an order, loaded or online')
    if match[2] == match[3]:
        raise ValueError(f'"{value[:60]}" ends when it begins: an empty span counts nothing')
    return value


def _checked_instant(value: object) -> object:
    if isinstance(value, str) and not INSTANT.fullmatch(value):
        raise ValueError('is no instant of an example: write it like "17:00" or "D2 00:00", hours to 23')
    return value


def _checked_reached(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str):
        return value
    match = REACHED.fullmatch(value)
    if match is None:
        raise ValueError(
            'is no limit with an instant: write it like "break-4h30 16:15" or "day-8h D2 01:00:30"'
        )
    limits = _around(info, "limits")
    if limits is not None and match[1] not in limits:
        near = difflib.get_close_matches(match[1], limits, 1)
        more = f'did you mean "{near[0]}"?' if near else f"they are {', '.join(sorted(limits))}"
        raise ValueError(f'"{value[:60]}": the policy has no limit "{match[1]}"; {more}')
    return value


def _checked_condition(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str):
        return value
    match = CONDITION.fullmatch(value)
    if match is None:
        raise ValueError(
            'is no condition of an example: write it like "heat-37 310105 11:00-17:00 announced 10:30"'
        )
    for zone in match[2].split(","):
        checked_zone(zone)
    known = _around(info, "conditions")
    if known is not None and match[1] not in known:
        near = difflib.get_close_matches(match[1], known, 1)
        names = ", ".join(sorted(known))
        more = f'did you mean "{near[0]}"?' if near else f"they are {names}" if names else "they name none"
        raise ValueError(f'"{value[:60]}": no limit looks at a condition "{match[1]}"; {more}')
    return value


def _around(info: ValidationInfo, name: str) -> Any:  # noqa: ANN401 - a zone or names
    """What an example is checked against; None where the policy is itself wrong there, or not known."""
    return info.context.get(name) if isinstance(info.context, dict) else None


def _checked_date(value: dt.date) -> dt.date:
    if not _FIRST <= value <= _LAST:
        raise ValueError(f"{value} must be from {_FIRST} to {_LAST}")
    return value


class Example(BaseModel):
    """A timeline and the limits of the policy that it reaches, in order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Said
    source: Annotated[Text, Field(description="Where it was published; `ours` where it was not.")]
    date: Annotated[
        OnlyDate, AfterValidator(_checked_date), Field(description="Day 1, in the policy's time zone.")
    ]
    spans: Annotated[
        tuple[Annotated[str, BeforeValidator(_checked_span)], ...],
        Field(min_length=1, max_length=2_000, description='Like "08:00-09:00 driving".'),
    ]
    conditions: Annotated[
        tuple[Annotated[str, BeforeValidator(_checked_condition)], ...],
        Field(max_length=200, description='Like "heat-37 310105 11:00-17:00 announced 10:30".'),
    ] = ()
    until: Annotated[
        Annotated[str, BeforeValidator(_checked_instant)] | None,
        Field(description="Silence is judged up to here [the end of the last span]."),
    ] = None
    reached: Annotated[
        tuple[Annotated[str, BeforeValidator(_checked_reached)], ...],
        Field(description='Like "break-4h30 16:15"; [] for none.'),
    ]

    @property
    def timeline(self) -> tuple[Span, ...]:
        """The spans in local seconds; a time before the former one's is on the next day."""
        return tuple(timeline_of(self.spans))

    @property
    def until_s(self) -> int:
        """Up to where it is judged, in local seconds."""
        if self.until is None:
            return max(span.end_s for span in self.timeline)
        return instant_of(self.until)

    @property
    def announced(self) -> tuple[Announced, ...]:
        """The conditions, in local seconds."""
        return tuple(announced_of(text) for text in self.conditions)

    @property
    def expected(self) -> tuple[Reached, ...]:
        """What is to be reached."""
        return tuple(reached_of(text) for text in self.reached)

    @model_validator(mode="after")
    def _agrees_with_itself(self, info: ValidationInfo) -> Self:
        faults = [
            *_order_faults(self.reached),
            *_until_faults(self),
            *_platform_faults(self.timeline),
            *_clock_faults(self, _around(info, "zone")),
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self


def faults_beside(errors: Sequence[Mapping[str, Any]], examples: object) -> Iterator[tuple[int, str]]:
    """Contradictions of those examples that the model has left at another fault, by their index."""
    for index, tree in enumerate(examples if isinstance(examples, list) else []):
        wrong = {
            str(one["loc"][2]) for one in errors if one["loc"][:2] == ("example", index) and one["loc"][2:]
        }
        if not wrong:
            continue
        spans, until, reached = (tree.get(key) if key not in wrong else None for key in _BETWEEN)
        faults = _order_faults(reached or ())
        if spans:
            sound = Example.model_construct(
                title="", source="", date=_FIRST, spans=tuple(spans), until=until,
                reached=tuple(reached or ()) if "until" not in wrong else (),
            )  # fmt: skip
            faults += [*_until_faults(sound), *_platform_faults(sound.timeline)]
        yield from ((index, text) for text in faults)


def _order_faults(reached: Sequence[str]) -> list[str]:
    at = [reached_of(text).at_s for text in reached]
    return [
        f'`reached` "{text}" stands after a later one: write them in the order of time'
        for text, former_s, at_s in zip(reached[1:], at, at[1:], strict=False)
        if at_s < former_s
    ]


def _until_faults(one: Example) -> Iterator[str]:
    last = max(one.timeline, key=lambda span: span.end_s)
    if one.until_s < last.end_s:
        yield (
            f'`until` "{one.until}" lies before span {last.place} ends, at {write_local(last.end_s)}: '
            'name the day, like "D2 00:00"'
        )
        return
    for text, (_, at_s) in zip(one.reached, one.expected, strict=True):
        if at_s > one.until_s:
            yield (
                f'`reached` "{text}" lies after {write_local(one.until_s)}, up to which it is judged: '
                "write a later `until`"
            )


def _clock_faults(one: Example, zone: ZoneInfo | None) -> Iterator[str]:
    if zone is None:
        return
    day = LocalDay(one.date, zone)
    times = [(f"span {span.place}", at) for span in one.timeline for at in (span.begin_s, span.end_s)]
    times += [
        (f"condition {number}", at)
        for number, of in enumerate(one.announced, start=1)
        for at in (of.begin_s, of.end_s, of.announced_s)
    ]
    times += [("`until`", one.until_s), *(("`reached`", at_s) for _, at_s in one.expected)]
    yield from dict.fromkeys(
        f"{what}: {write_local(at)} does not exist in {zone.key}, clocks go forward over it"
        for what, at in times
        if not day.exists(at)
    )


def _platform_faults(spans: Sequence[Span]) -> Iterator[str]:
    """One platform has one session and one duty of a rider at a time."""
    for index, one in enumerate(spans):
        for other in spans[index + 1 :]:
            if one.platform is None or one.platform != other.platform:
                continue
            first, second = sorted((one, other), key=lambda span: (span.begin_s, span.end_s))
            if second.begin_s >= first.end_s:
                continue
            kinds = {"online" if span.word == "online" else span.word in _DUTIES for span in (one, other)}
            if False in kinds:
                continue
            session = one if one.word == "online" else other
            ends_inside = len(kinds) == 2 and any(
                span is not session and span.begin_s < session.end_s < span.end_s for span in (one, other)
            )
            if len(kinds) == 1 or ends_inside:
                yield (
                    f"spans {one.place} and {other.place} overlap on platform {one.platform}, where one ends "
                    "the other: name another platform for one of them"
                )
