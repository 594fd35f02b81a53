"""The kernels' alerts and statuses beside the renderer's: byte for byte the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from hypothesis import given, settings, strategies as st

from detectors.calendar import segments
from detectors.limits import Limit
from detectors.verdicts import STATUSES, Status, Verdict
from schemas.encode import Destinations, Encoder
from schemas.encode.columns import Alerts, Names, Offsets, Statuses
from schemas.encode.fragments import KINDS
from schemas.platform_view import alert_view, concerns
from schemas.policy import load_policy
from stream.output.alert_json import Renderer
from stream.output.encoding import limit_texts

ZONES = ("Asia/Shanghai", "America/St_Johns", "Africa/Monrovia", "Europe/Amsterdam", "Australia/Lord_Howe")
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
BEGIN_S, END_S = int(FIRST.timestamp()), int(LAST.timestamp())
FINALITY_S = 90_000
_json = msgspec.json.Encoder()
PLATFORMS, RIDERS, PLACES = ("p", "A" * 64, "other:one"), ("r", "x" * 64), ("310105", "z" * 64)
#: The topic of a platform's alerts and statuses; the last platform has none.
ALERTS_OF, STATUSES_OF = (2, 3, -1), (4, 5, -1)

_words = st.text(max_size=40)
_instant = st.integers(BEGIN_S, END_S - 1)
_policy = st.builds(
    lambda zone, texts, release, source: (zone, texts, release, source),
    st.sampled_from(ZONES),
    st.one_of(st.none(), st.tuples(_words, _words)),
    st.sampled_from(("rest", "elapsed", "window", "confirm")),
    _words,
)


def offsets() -> Offsets:
    found = [segments(ZoneInfo(name), FIRST, LAST) for name in ZONES]
    rows = np.array([row for part in found for row in part], np.int64)
    return Offsets(np.cumsum([0, *map(len, found)], dtype=np.int64), *map(np.ascontiguousarray, rows.T))


def table_of(texts: tuple[str, ...]) -> tuple[Any, Any]:
    table = np.zeros((len(texts), 64), np.uint8)
    for row, text in enumerate(texts):
        table[row, : len(text)] = list(text.encode())
    return table, np.array([len(text) for text in texts], np.uint8)


OFFSETS = offsets()
NAMES = Names(*table_of(RIDERS), *table_of(PLATFORMS), *table_of(PLACES))
NO_ALERTS = Alerts(*(np.zeros(0, np.int64) for _ in Alerts._fields))
NO_STATUSES = Statuses(*(np.zeros(0, np.int64) for _ in Statuses._fields))


class Case:
    """Policies of one limit each, the renderer and the encoder of their limits."""

    def __init__(self, policies: list[Any]) -> None:
        loaded, limits = [], []
        for number, (zone, texts, release, source) in enumerate(policies):
            message = f"\nmessage = {{ zh = {_toml(texts[0])}, en = {_toml(texts[1])} }}" if texts else ""
            effect = "confirm" if release == "confirm" else "hold"
            hold_for = '\nhold_for = "20min"' if release == "elapsed" else ""
            kind = "day" if release == "window" else "continuous"
            reset = "" if kind == "day" else '\nreset = "20min"'
            policy = load_policy(
                f'name = "p{number}"\nversion = {number + 1}\ntime_zone = "{zone}"\nvalid_from = 2025-12-04\n'
                f'modality = "standard"\ntitle = {{ zh = "t", en = "t" }}\nsource = {_toml(source or "s")}\n'
                f'[[limit]]\nname = "l{number}"\nkind = "{kind}"\nclock = "order"\nlimit = "4h"{reset}\n'
                f'effect = "{effect}"\nrelease = "{release}"{hold_for}'
                + (message or '\nmessage = { zh = "a", en = "b" }'),
                "case",
            )
            loaded.append(policy)
            limits.append(Limit(policy.ref, f"l{number}", kind, "order", 14_400, zone, effect, release))
        self.renderer = Renderer(limits, loaded, FINALITY_S)
        zone_of = np.array([ZONES.index(one.time_zone) for one in limits], np.int64)
        self.encoder = Encoder(limit_texts(limits, loaded), zone_of, OFFSETS, FINALITY_S)


def _toml(text: str) -> str:
    return '"' + "".join(f"\\U{ord(c):08X}" for c in (text or "x") if not 0xD800 <= ord(c) < 0xE000) + '"'


@st.composite
def verdicts(draw: Any, limits: int) -> Verdict:
    # -1 is none in the columns: no event is of 1969.
    optional = st.one_of(st.none(), _instant.filter(lambda at: at != -1))
    hold = draw(optional)
    bounds = sorted(draw(st.lists(_instant, max_size=100)))
    spans = tuple(zip(bounds[::2], bounds[1::2], strict=False))
    if draw(st.booleans()):
        begin = draw(st.integers(BEGIN_S, END_S - 90_000))
        spans = tuple((begin + 900 * n, begin + 900 * n + 600) for n in range(50))
    return Verdict(
        row=draw(st.integers(0, 1)),
        retracted=draw(st.booleans()),
        event_time_s=draw(_instant),
        kind=draw(st.sampled_from(KINDS)),
        limit=draw(st.integers(0, limits - 1)),
        platform=draw(st.one_of(st.none(), st.integers(0, 2))),
        counted_s=draw(st.integers(0, 10**7)),
        window_start_s=draw(_instant),
        window_end_s=draw(_instant),
        hold_from_s=hold,
        hold_until_s=draw(optional) if hold is not None else None,
        told_at_s=draw(optional) if hold is not None else None,
        zone=draw(st.integers(-1, 1)),
        estimated=draw(st.booleans()),
        spans=spans,
    )


def columns_of(case: Case, found: list[Verdict], members: list[list[int]]) -> tuple[Alerts, Any, Any]:
    words = [word for one in found for span in one.spans for word in span]
    lengths = np.array([len(one.spans) for one in found], np.int64)
    counts = np.array([len(one) for one in members], np.int64)

    def column(of: Any) -> Any:
        return np.array([-1 if of(one) is None else int(of(one)) for one in found], np.int64)

    alerts = Alerts(
        column(lambda one: one.row), column(lambda one: KINDS.index(one.kind)),
        column(lambda one: one.retracted), column(lambda one: one.limit), column(lambda one: one.platform),
        column(lambda one: one.event_time_s), column(lambda one: one.counted_s),
        column(case.renderer.amount_s),
        column(lambda one: one.window_start_s), column(lambda one: one.window_end_s),
        column(lambda one: one.hold_from_s), column(lambda one: one.hold_until_s),
        column(lambda one: one.told_at_s), column(lambda one: one.zone), column(lambda one: one.estimated),
        2 * (np.cumsum(lengths) - lengths), lengths, np.cumsum(counts) - counts, counts,
    )  # fmt: skip
    return alerts, np.array(words, np.int64), np.array([n for one in members for n in one], np.int64)


def texts_of(written: Any) -> list[tuple[int, int, bytes]]:
    messages = written.messages
    return [
        (int(messages.topic[n]), int(messages.row[n]),
         bytes(written.arena[messages.off[n] : messages.off[n] + messages.length[n]]))
        for n in range(written.count)
    ]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_alerts_and_what_platforms_get_of_them_are_the_renderers_bytes(data: Any) -> None:
    policies = data.draw(st.lists(_policy, min_size=1, max_size=3))
    case = Case(policies)
    found = data.draw(st.lists(verdicts(len(policies)), min_size=1, max_size=5))
    members = [data.draw(st.lists(st.integers(0, 2), unique=True)) for _ in found]
    now_s, wall_s = data.draw(_instant), data.draw(_instant)
    expected = []
    for one, own in zip(found, members, strict=True):
        document = case.renderer.alert(
            one,
            rider=RIDERS[one.row],
            platform=None if one.platform is None else PLATFORMS[one.platform],
            zone=None if one.zone < 0 else PLACES[one.zone],
            now_s=now_s,
            detected_at=datetime.fromtimestamp(wall_s, tz=UTC),
        )
        expected.append((0, one.row, _json.encode(document)))
        view = _json.encode(alert_view(document))
        expected += [
            (ALERTS_OF[n], one.row, view)
            for n in own
            if ALERTS_OF[n] >= 0 and concerns(PLATFORMS[n], document)
        ]
    alerts, words, numbers = columns_of(case, found, members)
    assert case.encoder.reaches(alerts, words, wall_s)
    to = Destinations(1, np.array(ALERTS_OF, np.int64), np.array(STATUSES_OF, np.int64))
    written = case.encoder.write(alerts, NO_STATUSES, words, numbers, NAMES, to, now_s, wall_s)
    assert texts_of(written) == expected
    assert [int(one) for one in written.ids] == [
        int.from_bytes(bytes.fromhex(_verdict_id(value))[:8], "little")
        for topic, _, value in expected if topic == 0
    ]  # fmt: skip


def _verdict_id(value: bytes) -> str:
    document = msgspec.json.decode(value)
    return str(document["supersedes"] or document["alert_id"])


@settings(deadline=None)
@given(st.data())
def test_statuses_are_the_renderers_bytes(data: Any) -> None:
    case = Case([(ZONES[0], None, "rest", "s"), (ZONES[1], None, "window", "s")])
    # -1 is none in the columns: no event is of 1969.
    optional = st.one_of(st.none(), _instant.filter(lambda at: at != -1))
    found = data.draw(
        st.lists(
            st.builds(
                Status, st.integers(0, 1), st.sampled_from(STATUSES), optional,
                st.one_of(st.none(), st.integers(0, 1)), st.one_of(st.none(), st.integers(0, 10**6)),
                _instant,
                st.booleans(),
            ),
            min_size=1, max_size=6,
        )
    )  # fmt: skip
    members = [data.draw(st.lists(st.integers(0, 2), unique=True)) for _ in found]
    counts = np.array([len(one) for one in members], np.int64)

    def column(of: Any) -> Any:
        return np.array([-1 if of(one) is None else int(of(one)) for one in found], np.int64)

    statuses = Statuses(
        column(lambda one: one.row), column(lambda one: STATUSES.index(one.status)),
        column(lambda one: one.hold_until_s), column(lambda one: one.limit),
        column(lambda one: one.remaining_s), column(lambda one: one.as_of_s),
        column(lambda one: one.only_joined), np.cumsum(counts) - counts, counts,
    )  # fmt: skip
    numbers = np.array([n for one in members for n in one], np.int64)
    to = Destinations(1, np.array(ALERTS_OF, np.int64), np.array(STATUSES_OF, np.int64))
    written = case.encoder.write(NO_ALERTS, statuses, numbers[:0], numbers, NAMES, to, 0, 0)
    expected = []
    for one, own in zip(found, members, strict=True):
        value = _json.encode(case.renderer.status(one, RIDERS[one.row]))
        if not one.only_joined:
            expected.append((1, one.row, value))
        expected += [(STATUSES_OF[n], one.row, value) for n in own if STATUSES_OF[n] >= 0]
    assert texts_of(written) == expected


def test_an_instant_beyond_the_tables_is_left_to_the_renderer() -> None:
    case = Case([(ZONES[0], None, "rest", "s")])
    nothing = {name: np.zeros(1, np.int64) for name in Alerts._fields}
    for name in ("instant", "start", "end", "hold_from", "hold_until", "told_at"):
        for beyond_s in (BEGIN_S - 1, END_S):
            assert case.encoder.reaches(Alerts(**nothing), np.zeros(0, np.int64), 0)
            changed = {**nothing, name: np.full(1, beyond_s, np.int64)}
            assert not case.encoder.reaches(Alerts(**changed), np.zeros(0, np.int64), 0), name
    spans = {**nothing, "spans_n": np.ones(1, np.int64)}
    assert not case.encoder.reaches(Alerts(**spans), np.array([0, END_S], np.int64), 0)
    assert not case.encoder.reaches(Alerts(**nothing), np.zeros(0, np.int64), END_S)
