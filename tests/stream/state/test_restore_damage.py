"""State, source and outputs that are damaged, missing, cut off or made anew."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from schemas.checkpoint import MARKER_KEY, decode_marker, encode_marker, names_key
from schemas.checkpoint_page import page_key
from schemas.checkpoint_seal import unseal
from stream.kafka.transactional_producer import ProduceFailed
from stream.settings import Settings
from stream.state import checkpoint
from stream.state.restored import StateRefused
from tests.stream.partition_runs import (
    FailingProducer,
    Life,
    assert_as_replayed,
    at_once,
    comparable,
    configure,
    event,
    made,
    replayed,
    second_of,
    standing,
    state_of,
    told,
    write_state,
)
from tests.stream.state.damage import (
    BEGIN_S,
    HOURS,
    MANY,
    cut_before,
    lived,
    one_life,
    page_of,
    reread,
    work,
)

pytestmark = pytest.mark.kafka


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    return made(broker.bootstrap, prefix)


def flipped(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


# -- state -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["flipped", "missing", "stale", "foreign"])
def test_a_bad_page_is_built_anew_and_the_others_are_left_alone(settings: Settings, fault: str) -> None:
    rider = MANY[3]

    async def lives() -> None:
        early = await at_once(settings, work(MANY, orders=6))
        await one_life(settings, second_of(early[-1]) + 1)
        key = page_key(page_of(rider), 0)
        older = await state_of(settings)
        late = await at_once(settings, work(MANY, BEGIN_S + 6 * 2700, orders=5))
        end_s = second_of(late[-1]) + 60
        await one_life(settings, end_s)
        value = (await state_of(settings))[key]
        other = (await state_of(settings))[page_key(page_of(MANY[4]), 0)]
        bad = {"flipped": flipped(value), "missing": None, "stale": older[key], "foreign": other}[fault]
        await write_state(settings, {key: bad})
        again = await reread(settings, end_s)
        assert {one["rider_id"] for one in again} == {rider}
        assert not [one for one in again if one["kind"] == "retracted"]
        assert not [one for one in again if one["hold"] and not one["hold"]["told_at"]]
        expected = await assert_as_replayed(settings, [*early, *late], end_s)
        truly = {one["alert_id"]: one["estimated"] for one in expected.alerts}
        assert all(one["estimated"] == truly[one["alert_id"]] for one in again)
        assert await reread(settings, end_s) == [], "the page has been written again"

    asyncio.run(lives())


def test_only_riders_of_a_lost_page_are_estimated_when_the_source_lacks_their_beginning(
    settings: Settings,
) -> None:
    rider = MANY[3]

    async def lives() -> None:
        events, end_s = await lived(settings)
        expected = comparable(replayed(settings, events, end_s).alerts)
        cut_before(settings, settings.source_topic, len(events) // 3)
        assert await reread(settings, end_s) == [], "nothing is lost as long as the pages stand"
        await write_state(settings, {page_key(page_of(rider), 0): None})
        again = await reread(settings, end_s)
        assert {one["rider_id"] for one in again} == {rider}
        assert all(one["estimated"] for one in again)
        assert not [one for one in again if one["kind"] == "retracted"], "nothing late has come"
        stands = comparable(standing(await told(settings)).values())
        assert expected.items() <= stands.items()
        # The mark lasts over a restart.
        more = await at_once(settings, work(MANY, BEGIN_S + 10 * HOURS, orders=6))
        later = await reread(settings, second_of(more[-1]) + 60)
        marked = {one["rider_id"] for one in later if one["kind"] == "approaching" and one["estimated"]}
        assert marked == {rider}

    asyncio.run(lives())


@pytest.mark.parametrize(
    "records",
    [
        {MARKER_KEY: None},
        {MARKER_KEY: b"RS\x01m no marker"},
        {names_key("platforms", 0): None},
        {names_key("platforms", 0): b"RS"},
        {MARKER_KEY: None, b"page/x/y": b"what is this", b"\xff": b"", b"side": b"RS\x01s...."},
    ],
    ids=["no marker", "bad marker", "no names", "bad names", "foreign keys"],
)
def test_without_marker_or_names_everything_is_built_from_the_source(
    settings: Settings, records: Mapping[bytes, bytes | None]
) -> None:
    async def lives() -> None:
        events, end_s = await lived(settings)
        await write_state(settings, records)
        again = await reread(settings, end_s)
        assert not [one for one in again if one["kind"] == "retracted"]
        await assert_as_replayed(settings, events, end_s)
        assert await reread(settings, end_s) == []

    asyncio.run(lives())


def test_a_state_topic_that_was_cut_off_is_built_from_the_source(settings: Settings) -> None:
    async def lives() -> None:
        events, end_s = await lived(settings)
        configure(settings, settings.state_topic, {"cleanup.policy": "compact,delete"})
        cut_before(settings, settings.state_topic, 4)
        await reread(settings, end_s)
        await assert_as_replayed(settings, events, end_s)
        cut_before(settings, settings.state_topic, -1)
        await reread(settings, end_s)
        await assert_as_replayed(settings, events, end_s)

    asyncio.run(lives())


def test_pages_newer_than_the_marker_keep_the_names_they_were_written_with(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "STEP_BYTES", 1)

    async def lives() -> None:
        # The first marker knows no names; the next round gets as far as its first pages.
        await one_life(settings, BEGIN_S)
        events = await at_once(
            settings,
            [
                event(rider, BEGIN_S + n, "order_accepted", platform=platform, zone=f"z-{platform}")
                for n, (rider, platform) in enumerate(zip(MANY, "DCBADCBA", strict=True))
            ],
        )
        life = Life(settings, BEGIN_S + 10, producer=FailingProducer(settings, 0, 4, written=True))
        await life.begin()
        await life.go(BEGIN_S + 10)
        with pytest.raises(ProduceFailed):
            await life.checkpoint()
        await life.crash()
        more = await at_once(
            settings,
            [event(rider, BEGIN_S + 10_000 + n, "order_accepted", "o2", "A") for n, rider in enumerate(MANY)],
        )
        more += await at_once(
            settings,
            [event(rider, BEGIN_S + 10_100 + n, "order_accepted", "o3", "E") for n, rider in enumerate(MANY)],
        )
        end_s = BEGIN_S + 5 * HOURS
        await one_life(settings, end_s)
        expected = await assert_as_replayed(settings, [*events, *more], end_s)
        assert any(one["zone"] == "z-D" for one in expected.alerts)

    asyncio.run(lives())


def test_pages_and_names_of_a_state_that_never_got_its_marker_are_not_mixed_with_the_marked_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "STEP_BYTES", 1)

    async def lives() -> None:
        events, end_s = await lived(settings)
        other = Settings(**{**settings.model_dump(), "breach_grace": 30})
        for fail_at in (3, 4, 5):
            # Other settings: everything is built anew, and the round does not get to its marker.
            life = Life(other, end_s, producer=FailingProducer(other, 0, fail_at, written=True))
            await life.begin()
            with pytest.raises(ProduceFailed):
                await life.go(end_s, ticks=9)
            await life.crash()
        # Back to the settings of the marker that still stands.
        again = await reread(settings, end_s)
        assert not [one for one in again if one["kind"] == "retracted"]
        await assert_as_replayed(settings, events, end_s)

    asyncio.run(lives())


def test_a_state_of_another_partition_count_is_refused_with_the_way_out(settings: Settings) -> None:
    async def lives() -> None:
        _, end_s = await lived(settings)
        marker = decode_marker((await state_of(settings))[MARKER_KEY])
        assert unseal(b"m", encode_marker(marker))
        other = type(marker)(**{**{f: getattr(marker, f) for f in marker.__struct_fields__}, "partitions": 5})
        await write_state(settings, {MARKER_KEY: encode_marker(other)})
        life = Life(settings, end_s)
        with pytest.raises(StateRefused, match=r"written for 5 partitions.*have 2.*respite topics"):
            await life.begin()
        await life.crash()

    asyncio.run(lives())


# -- source ----------------------------------------------------------------------------------------


# -- outputs ---------------------------------------------------------------------------------------
