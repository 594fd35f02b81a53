"""Records of the state: what was written is read, and nothing else is taken for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from schemas import checkpoint_seal
from schemas.checkpoint import (
    NAMES_PER_RECORD,
    Marker,
    decode_marker,
    decode_names,
    decode_side,
    encode_marker,
    encode_names,
    encode_side,
    names_key,
    pack_offsets,
)
from schemas.checkpoint_page import PART_BYTES, Page, decode_page, encode_page, page_key
from schemas.checkpoint_seal import MARKER, Damaged, seal, unseal

OURS, OTHER = b"a" * 16, b"b" * 16
I64 = st.integers(-(1 << 63), (1 << 63) - 1)
KINDS = st.sampled_from([b"p", b"n", b"m", b"s"])


def page_of(words: list[int], lineage: bytes = OURS, sequence: int = 7) -> Page:
    return Page(lineage, 4095, sequence, 123, -(1 << 60), np.array(words, dtype=np.int64))


def large(sequence: int, seed: int = 1) -> list[bytes]:
    """A page that takes three parts, since chance cannot be compressed."""
    words = np.random.default_rng(seed).integers(-(1 << 62), 1 << 62, 2 * PART_BYTES // 8 + 1000)
    return encode_page(Page(OURS, 4095, sequence, 123, 5, words))


def parts_of(values: list[bytes]) -> dict[int, bytes]:
    return dict(enumerate(values))


# -- seals -----------------------------------------------------------------------------------------


@given(KINDS, st.binary(max_size=200))
def test_what_was_sealed_is_read(kind: bytes, contents: bytes) -> None:
    assert unseal(kind, seal(kind, contents)) == contents


@given(KINDS, st.binary(max_size=200), st.data())
def test_a_flipped_bit_is_seen_wherever_it_lies(kind: bytes, contents: bytes, data: st.DataObject) -> None:
    value = bytearray(seal(kind, contents))
    bit = data.draw(st.integers(0, 8 * len(value) - 1))
    value[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Damaged):
        unseal(kind, bytes(value))


@given(KINDS, st.binary(min_size=1, max_size=200), st.data())
def test_a_record_cut_short_or_of_another_kind_is_seen(
    kind: bytes, contents: bytes, data: st.DataObject
) -> None:
    value = seal(kind, contents)
    with pytest.raises(Damaged, match=r"shorter|checksum"):
        unseal(kind, value[: data.draw(st.integers(0, len(value) - 1))])
    with pytest.raises(Damaged, match="not a record of the kind"):
        unseal(data.draw(KINDS.filter(lambda one: one != kind)), value)


def test_a_record_of_another_version_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_seal, "VERSION", 2)
    later = seal(MARKER, b"x")
    monkeypatch.undo()
    with pytest.raises(Damaged, match="written in version 2 of the format, this is version 1"):
        unseal(MARKER, later)


# -- pages -----------------------------------------------------------------------------------------


@given(st.lists(I64, max_size=300), st.integers(0, 1 << 62), I64)
def test_a_page_is_read_as_it_was_written(words: list[int], offset: int, now_s: int) -> None:
    page = Page(OURS, 17, 1 << 40, offset, now_s, np.array(words, dtype=np.int64))
    values = encode_page(page)
    assert len(values) == 1
    read = decode_page(OURS, 17, parts_of(values))
    assert read.words.tolist() == words
    assert read.words.flags.writeable
    same = (read.lineage, read.number, read.sequence, read.source_offset, read.now_s)
    assert same == (OURS, 17, 1 << 40, offset, now_s)


def test_a_page_of_several_parts_is_put_together_and_each_fits_a_batch() -> None:
    values = large(7)
    assert len(values) == 3
    assert max(map(len, values)) <= PART_BYTES + 100
    words = decode_page(OURS, 4095, parts_of(values)).words
    assert len(words) == 2 * PART_BYTES // 8 + 1000
    shrunk = {**parts_of(values), 0: encode_page(page_of([1], sequence=8))[0]}
    assert decode_page(OURS, 4095, shrunk).words.tolist() == [1], "parts left over are not looked at"


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({}, "first part is missing"),
        ({0: 0, 2: 2}, "part 1 of 3 is missing"),
        ({0: 0, 1: 1}, "part 2 of 3 is missing"),
        ({0: 0, 1: 2, 2: 2}, "part 1 is of another writing"),
        ({0: 1, 1: 1, 2: 2}, "holds page 4095, part 1|another writing"),
    ],
)
def test_parts_that_are_missing_or_misplaced_are_no_page(parts: dict[int, int], why: str) -> None:
    values = large(7)
    with pytest.raises(Damaged, match=why):
        decode_page(OURS, 4095, {at: values[of] for at, of in parts.items()})


def test_parts_of_two_writings_are_no_page() -> None:
    earlier, later = large(7), large(8, seed=2)
    with pytest.raises(Damaged, match="part 1 is of another writing"):
        decode_page(OURS, 4095, {0: later[0], 1: earlier[1], 2: later[2]})


def test_a_page_of_another_number_or_state_is_refused() -> None:
    values = parts_of(encode_page(page_of([1, 2, 3])))
    with pytest.raises(Damaged, match="holds page 4095, part 0"):
        decode_page(OURS, 4094, values)
    with pytest.raises(Damaged, match="another state than the marker's"):
        decode_page(OTHER, 4095, values)
    with pytest.raises(Damaged, match="shorter than the head"):
        decode_page(OURS, 4095, {0: seal(b"p", b"short")})


def test_keys_say_page_and_part() -> None:
    assert page_key(12, 3) == b"page/12/3"
    assert names_key("zones", 2) == b"names/zones/2"


# -- names -----------------------------------------------------------------------------------------


def names(count: int) -> list[str]:
    return [f"p{number}" for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, NAMES_PER_RECORD, NAMES_PER_RECORD + 1, 2 * NAMES_PER_RECORD])
def test_names_are_read_as_they_were_written(count: int) -> None:
    records = dict(encode_names(OURS, "zones", names(count), 0))
    assert len(records) == -(-count // NAMES_PER_RECORD)
    assert decode_names(OURS, "zones", records, count) == names(count)


@pytest.mark.parametrize("known", [0, 1, NAMES_PER_RECORD - 1, NAMES_PER_RECORD, NAMES_PER_RECORD + 5])
def test_names_that_came_later_are_added_to_the_earlier_ones(known: int) -> None:
    count = NAMES_PER_RECORD + 7
    records = dict(encode_names(OURS, "zones", names(known), 0))
    more = encode_names(OURS, "zones", names(count), known)
    assert len(more) == (1 if known >= NAMES_PER_RECORD else 2)
    assert decode_names(OURS, "zones", {**records, **dict(more)}, known) == names(count), (
        "a page newer than the marker may speak of more than the marker knows"
    )


def test_names_that_are_missing_or_of_another_state_are_seen() -> None:
    records = dict(encode_names(OURS, "zones", names(NAMES_PER_RECORD + 7), 0))
    first, second = names_key("zones", 0), names_key("zones", 1)
    assert decode_names(OURS, "zones", {first: records[first]}, 5) == names(NAMES_PER_RECORD)
    for damaged in ({first: records[first]}, {second: records[second]}, {}):
        with pytest.raises(Damaged, match=r"zones from number \d+ on are missing"):
            decode_names(OURS, "zones", damaged, NAMES_PER_RECORD + 7)
    other = dict(encode_names(OTHER, "zones", ["another"], 0))
    with pytest.raises(Damaged, match="zones from number 0 on are missing"):
        decode_names(OURS, "zones", other, 1)
    assert decode_names(OURS, "zones", other, 0) == []
    flipped = bytearray(records[second])
    flipped[-1] ^= 1
    with pytest.raises(Damaged, match="checksum"):
        decode_names(OURS, "zones", {first: records[first], second: bytes(flipped)}, 1)


# -- marker and side -------------------------------------------------------------------------------


@given(
    st.builds(
        Marker,
        definition=st.text(max_size=40),
        lineage=st.binary(min_size=16, max_size=16),
        partitions=st.integers(1, 1 << 31),
        since_s=st.dictionaries(st.text(max_size=10), I64, max_size=4),
        worker=st.text(max_size=20),
        source_offset=st.integers(0, 1 << 62),
        now_s=I64,
        read_s=I64,
        page_from=st.lists(I64, min_size=4, max_size=4).map(
            lambda found: pack_offsets(np.array(found, dtype=np.int64))
        ),
        outlets=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    )
)
def test_a_marker_is_read_as_it_was_written(marker: Marker) -> None:
    read = decode_marker(encode_marker(marker))
    assert read == marker
    assert len(read.page_offsets(4)) == 4
    with pytest.raises(Damaged, match="a marker of 4 pages, this version has 5"):
        read.page_offsets(5)


@given(st.lists(I64, max_size=50))
def test_offsets_of_pages_are_read_as_they_were_written(offsets: list[int]) -> None:
    marker = Marker("d", OURS, 1, {}, "w", page_from=pack_offsets(np.array(offsets, dtype=np.int64)))
    assert marker.page_offsets(len(offsets)).tolist() == offsets


def test_what_is_no_marker_of_this_version_is_damaged() -> None:
    with pytest.raises(Damaged, match="no marker"):
        decode_marker(seal(MARKER, b"\x81\xa1x\x01"))


@given(st.integers(0, 1 << 62))
def test_the_offset_of_side_outputs_is_read_as_it_was_written(offset: int) -> None:
    assert decode_side(encode_side(offset)) == offset
