"""Models of a history: a person's values by the file that asks for them, sums for everybody else."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from detectors.models.parameters import PaceParameters
from schemas.instants import parse_instant
from stream.offline.model_choice import choose
from stream.offline.models import Models, Sums, Values
from stream.offline.paces import deliveries
from stream.offline.replay import Replay, read_file
from stream.policies.loader import load_all
from stream.settings import Settings
from tests.detectors.models import naive
from tests.stream.offline.test_replay import EXAMPLE, respite

ZONE = ZoneInfo("Asia/Shanghai")
USUAL = PaceParameters()
AS_OF = "2026-11-23T19:17:03+08:00"
Doc = dict[str, Any]


def test_a_value_of_models_is_names_or_a_file() -> None:
    def of(*values: str) -> tuple[tuple[str, ...], str | None]:
        found = choose(values, (), USUAL, files=True)
        return found.names, found.out

    assert of() == ((), None)
    assert of("pace,risk") == (("risk", "pace"), None)
    assert of("OUT.ndjson") == (("risk", "alertness", "pace"), "OUT.ndjson")
    assert of("risk", "folder/out") == (("risk",), "folder/out")
    assert of("-") == (("risk", "alertness", "pace"), "-")
    assert choose(["x.ndjson"], ("risk",), USUAL, files=True).names == ("risk",)


@pytest.mark.parametrize(
    ("values", "files", "words"),
    [
        (["alertnes"], True, '"alertnes" is no model: there are risk, alertness, pace; a file'),
        (["risk,foo.ndjson"], True, '"foo.ndjson" is no model'),
        (["a.ndjson", "b.ndjson"], True, "a person's values go to one place"),
        (["OUT.ndjson"], False, '"OUT.ndjson" is no model: there are risk, alertness, pace'),
    ],
)
def test_what_is_neither_is_refused(values: list[str], files: bool, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        choose(values, (), USUAL, files=files)


def test_a_persons_values_have_the_fields_and_instants_of_his_duty(tmp_path: Path) -> None:
    out = tmp_path / "values.ndjson"
    # Later than any event, so that what ends at *now* is still open.
    now_s = parse_instant(AS_OF)
    done = respite("replay", str(EXAMPLE), "--models", str(out), "--as-of", AS_OF)
    assert done.returncode == 3, done.stderr
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    values = [one for one in lines if one["model"] == "alertness"]
    assert {tuple(one) for one in values} == {
        ("rider_id", "at", "model", "s", "c", "u", "w", "kss", "warm_up")
    }
    assert all(one["warm_up"] for one in values)
    assert not {"rider_id", "at"} & {key for one in lines if one["model"] == "pace" for key in one}
    for rider in sorted({one["rider_id"] for one in values}):
        own = [one for one in values if one["rider_id"] == rider]
        risks = [one for one in lines if one["model"] == "risk" and one["rider_id"] == rider]
        assert [one["at"] for one in own] == [one["at"] for one in risks]
        instants = [parse_instant(one["at"]) for one in own]
        spans = spans_of(rider, now_s)
        assert instants == naive.hours_and_ends(spans, ZONE, now_s, open_end=spans[-1][1] == now_s)
        for one, expected in zip(own, naive.alertness(spans, ZONE, instants), strict=True):
            found = [one[name] for name in ("s", "c", "u", "w", "kss")]
            assert found == pytest.approx(list(expected), abs=1e-9)
        for one in risks:
            product = math.prod(factor["factor"] for factor in one["factors"].values())
            assert one["relative"] == pytest.approx(product, abs=1e-9)
            assert all(factor["source"] for factor in one["factors"].values())


def spans_of(rider: str, now_s: int) -> list[tuple[int, int]]:
    """When the duty clock ran, as a comparison sees it."""
    from stream.offline.compare import _spans, spans_policy

    run = Replay([spans_policy(["duty"])], Settings().store(0), now_s, regardless_of_dates=True)
    read_file(run, str(EXAMPLE))
    return _spans(run)["duty"][rider]


def test_sums_name_no_one_and_tell_nothing_of_fewer_than_ten_riders() -> None:
    done = respite("replay", str(EXAMPLE), "--models", "risk,alertness,pace")
    assert "risk: not told, or nothing to tell: of fewer than 10 riders" in done.stdout.decode()
    assert "average run length 465.4 and 499.6 orders" in done.stdout.decode()
    done = respite("replay", str(EXAMPLE), "--models", "pace", "--pace-h", "4")
    assert "average run length 167.7 and" in done.stdout.decode()


def test_compare_tells_sums_inside_and_outside_of_holds(tmp_path: Path) -> None:
    city = tmp_path / "city.ndjson"
    lines = []
    for rider in range(12):
        for at, kind in ((9, "online"), (9 + 12, "offline")):
            lines.append(event(f"r{rider}", f"2026-03-02T{at:02d}:00:00+08:00", kind))
    city.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    policies = ("--policy", "uber-12h", "--policy", "uber-uk-10h")
    out = tmp_path / "out.json"
    done = respite("compare", str(city), "--models", "risk", *policies, "--json", str(out))
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text(encoding="utf-8"))
    (whole,) = found["models"]
    # Every whole hour from nine to nine, for each of the twelve: in nobody's hold yet at twelve hours.
    assert (whole["riders"], whole["instants"]) == (12, 12 * 13)
    for policy in found["policies"]:
        inside, outside = (policy["models"][place][0] for place in ("in_holds", "outside_holds"))
        counts = [one["instants"] for one in (inside, outside)]
        assert sum(count or 0 for count in counts) == 12 * 13
    assert "r1" not in json.dumps(found["models"])
    refused = respite("compare", str(city), "--models", "OUT.ndjson", *policies)
    assert (refused.returncode, b"is no model" in refused.stderr) == (2, True)


def test_what_is_hidden_inside_of_holds_does_not_follow_from_what_is_shown_outside() -> None:
    few, many = Sums(), Sums()
    for number in range(12):
        values = Values(
            f"r{number}", np.array([0]), np.array([True]), np.array([False]), None, np.full((1, 9), 1.5)
        )
        many.add(values, np.array([True]))
        few.add(values, np.array([number < 9]))
    for one, rest in ((few, many), (many, few)):
        (told,) = one.documents(("risk",), rest)
        assert {told[name] for name in ("riders", "instants", "mean", "median", "p90")} == {None}
    (alone,) = many.documents(("risk",), Sums())
    assert (alone["riders"], alone["mean"]) == (12, 1.5)


def event(rider: str, at: str, kind: str, **more: Any) -> Doc:
    return {
        "schema": "work-state/1", "event_id": f"{rider}-{at[:13]}-{kind}", "rider_id": rider, "platform": "A",
        "event_time": at, "type": kind, **more,
    }  # fmt: skip


def test_what_is_taken_back_was_not_delivered(tmp_path: Path) -> None:
    history = tmp_path / "orders.ndjson"
    at = "2026-03-02T1{}:00:00+08:00"
    events = [
        event("r", at.format(0), "order_accepted", order_id="a", zone="z1"),
        event("r", at.format(1), "order_delivered", order_id="a", zone="z2"),
        event("r", at.format(1), "order_delivered", order_id="b"),
        event("r", at.format(2), "order_accepted", order_id="c"),
        event("r", at.format(3), "order_delivered", order_id="c"),
        event("r", at.format(3), "order_delivered", order_id="c", void=True),
        event("q", at.format(2), "order_accepted", order_id="c"),
        event("q", at.format(3), "order_cancelled", order_id="c"),
    ]
    history.write_text("".join(json.dumps(one) + "\n" for one in events), encoding="utf-8")
    models = Models(choose(["pace"], (), USUAL, files=True), ZONE)
    run = Replay(load_all(("cn-gbt-2025",)), Settings().store(0), None, models=models)
    read_file(run, str(history))
    assert models.events is not None
    found = deliveries(models.events.standing(), 10_800)
    assert found.took_s.tolist() == [3600.0]
    assert [*models.events.zones.known][int(found.zone[0])] == b"z2"
