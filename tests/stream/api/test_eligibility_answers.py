"""A round's bytes: what the quick reader takes in and the quick writer sends out is what the models say."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from detectors.kernels.layout.values import NONE
from detectors.kernels.reading.columns import (
    A_AS_OF,
    A_KNOWN,
    A_LEFT,
    A_LIMIT,
    A_RESUME,
    A_STATUS,
    A_VERDICT,
    ANSWER_WORDS,
)
from detectors.limits import Limit
from schemas.decode.rounds import read_candidates
from schemas.eligibility import LONGEST_ORDER_MINUTES, MOST_CANDIDATES, Candidates
from stream.api.documents.batch import Batch
from stream.api.documents.eligibility_answers import (
    Answers,
    InvalidBatch,
    answers_of,
    read_batch,
    write_answers,
)

IDS = st.text("abzAZ019_.:-", min_size=1, max_size=64)
MINUTES = st.integers(1, LONGEST_ORDER_MINUTES)
SPACE = st.text(" \t\r\n", max_size=2)
LIMITS = [
    Limit("p@1", name, "continuous", "order", 60, "UTC", "hold", "rest", reset_s=60) for name in ("a", "b")
]


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, list[tuple[str, int]]]:
    """A body as a machine may write it, and what it says."""
    wanted = draw(st.lists(st.tuples(IDS, MINUTES), max_size=6))
    parts = []
    for rider, minutes in wanted:
        a, b, c, d, e = (draw(SPACE) for _ in range(5))
        fields = [f'"rider_id"{a}:{b}"{rider}"', f'"minutes"{b}:{a}{minutes}']
        if draw(st.booleans()):
            fields.reverse()
        parts.append(f"{c}{{{d}{f'{e},{a}'.join(fields)}{c}}}{d}")
    a, b = draw(SPACE), draw(SPACE)
    return f'{a}{{{b}"candidates"{a}:{b}[{",".join(parts) or a}]{b}}}{a}'.encode(), wanted


def read(body: bytes) -> list[tuple[str, int]] | None:
    found = read_candidates(body, MOST_CANDIDATES, LONGEST_ORDER_MINUTES)
    if found is None:
        return None
    batch = Batch.of_candidates(found)
    alike = Batch.of(batch.riders(), found.minutes.tolist())
    assert alike.asked.hash.tolist() == batch.asked.hash.tolist()
    assert alike.murmurs.tolist() == batch.murmurs.tolist()
    assert alike.asked.seconds.tolist() == batch.asked.seconds.tolist()
    return list(zip(batch.riders(), found.minutes.tolist(), strict=True))


@settings(deadline=None)
@given(bodies())
def test_what_machines_write_is_read_at_once(case: tuple[bytes, list[tuple[str, int]]]) -> None:
    body, wanted = case
    assert read(body) == wanted


@settings(max_examples=1500, deadline=None)
@given(bodies(), st.integers(0, 400), st.binary(max_size=2), st.integers(0, 3))
def test_what_is_read_at_once_is_what_the_model_reads(
    case: tuple[bytes, list[tuple[str, int]]], at: int, put: bytes, cut: int
) -> None:
    body = case[0][:at] + put + case[0][at + cut :]
    found = read(body)
    if found is not None:
        model = Candidates.model_validate_json(body)
        assert found == [(one.rider_id, one.minutes) for one in model.candidates]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b'{"candidates":[]', b'{"candidates":[]}x', b'{"candidates":[],"more":1}',
        b'{"candidates":[{"rider_id":"a","minutes":1},]}', b'{"candidates":[{"rider_id":"a"}]}',
        b'{"candidates":[{"rider_id":"a","rider_id":"b"}]}', b'{"candidates":[{"minutes":1,"minutes":1}]}',
        b'{"candidates":[{"rider_id":"a","minutes":01}]}', b'{"candidates":[{"rider_id":"a","minutes":0}]}',
        b'{"candidates":[{"rider_id":"a","minutes":1441}]}',
       b'{"candidates":[{"rider_id":"a","minutes":-1}]}',
        b'{"candidates":[{"rider_id":"","minutes":1}]}', b'{"candidates":[{"rider_id":"a b","minutes":1}]}',
        b'{"candidates":[{"rider_id":"' + b"a" * 65 + b'","minutes":1}]}', b'{"candidates":{"rider_id":"a"}}',
    ],
)  # fmt: skip
def test_what_is_no_round_is_refused_with_words(body: bytes) -> None:
    assert read(body) is None
    with pytest.raises(InvalidBatch, match=r"body: |rider_id "):
        read_batch(body)


def test_numbers_and_words_that_only_people_write_so_are_read_all_the_same() -> None:
    body = b'{"candidates":[{"rider_id":"\\u0061","minutes":25.0}]}'
    assert read(body) is None
    batch = read_batch(body)
    assert (batch.riders(), batch.asked.seconds.tolist()) == (["a"], [1500])


def test_one_candidate_too_many_is_refused() -> None:
    one = '{"rider_id":"a","minutes":1}'
    body = f'{{"candidates":[{",".join([one] * (MOST_CANDIDATES + 1))}]}}'.encode()
    assert read(body) is None
    with pytest.raises(InvalidBatch, match="at most 100000 entries"):
        read_batch(body)


INSTANTS = st.one_of(st.just(NONE), st.integers(1, 253_402_300_799))
LINES = st.tuples(
    st.sampled_from([0, 1]), st.sampled_from([NONE, 0, 1]), st.one_of(st.just(NONE), st.integers(0, 10**9)),
    INSTANTS, st.sampled_from([0, 1]), INSTANTS, st.sampled_from([0, 1, 2]),
)  # fmt: skip
COLUMNS = (A_VERDICT, A_LIMIT, A_LEFT, A_RESUME, A_KNOWN, A_AS_OF, A_STATUS)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(IDS, MINUTES, LINES), max_size=8),
    st.dictionaries(st.integers(0, 3), st.sampled_from(["stale", "elsewhere", "busy"])),
    st.sampled_from([4, 1]),
)
def test_answers_written_by_columns_are_those_written_one_by_one(
    lines: list[Any], unsure: dict[int, str], partitions: int
) -> None:
    batch = Batch.of([one[0] for one in lines], [one[1] for one in lines])
    for index, (_, _, words) in enumerate(lines):
        for column, word in zip(COLUMNS, words, strict=True):
            batch.asked.answers[index, column] = word
    written = write_answers(batch, LIMITS, unsure, partitions, "open")
    one_by_one = answers_of(batch, LIMITS, unsure, partitions, "open")
    assert written == msgspec.json.encode(Answers(one_by_one))
    assert len(json.loads(written)["answers"]) == len(lines)


def test_where_nobody_says_how_many_partitions_there_are_all_is_unknown() -> None:
    batch = Batch.of(["a", "b"], [1, 1440])
    assert batch.asked.answers.shape == (2, ANSWER_WORDS)
    unsure = {NONE: "elsewhere"}
    written = write_answers(batch, LIMITS, unsure, None, "closed")
    assert written == msgspec.json.encode(Answers(answers_of(batch, LIMITS, unsure, None, "closed")))
    assert {one["verdict"] for one in json.loads(written)["answers"]} == {"UNKNOWN"}
    assert np.unique(batch.asked.answers).tolist() == [0]
