"""No word of a record lies on another, and what two packages write down is the same in both."""

from __future__ import annotations

import importlib.util
import typing
from pathlib import Path
from types import ModuleType

import pytest

from detectors.kernels.layout import brief, codes, event, misc, open as opened, record, row, state
from detectors.kernels.layout.words import Words
from detectors.kernels.limits.dispatch import KINDS
from schemas import policy_limit, work_state
from schemas.decode import columns

MODULES = (row, state, event, opened, record, brief, misc)


def given_out(module: ModuleType) -> list[Words]:
    return [value for value in vars(module).values() if isinstance(value, Words)]


def made_anew(module: ModuleType, name: str) -> ModuleType:
    """The module's source once more, as of what it imports now."""
    spec = importlib.util.spec_from_file_location(name, Path(str(module.__file__)))
    assert spec is not None
    assert spec.loader is not None
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    return again


def words_of(words: Words) -> list[int]:
    return [first + word for first, count in words.given for word in range(count)]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_words_of_a_record_follow_one_another(module: ModuleType) -> None:
    assert given_out(module)
    for words in given_out(module):
        assert words_of(words) == list(range(words.size))


@pytest.mark.parametrize("clocks", [1, 3, 5, 8])
@pytest.mark.parametrize("module", [row, misc, state], ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_further_clock_moves_words_and_overlaps_none(
    module: ModuleType, clocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "CLOCK_COUNT", clocks)
    again = made_anew(module, f"anew_{clocks}")
    for words in given_out(again):
        assert words_of(words) == list(range(words.size))
    if module is row:
        assert again.SPANS + clocks == again.SPANS_CLASS
        assert again.SPANS_CLASS + clocks == again.TOLD
    elif module is misc:
        assert again.BY_MAXIMUM + clocks == again.BEFORE_RUN
        assert again.RUNS + clocks == again.BEFORE_AT
    else:
        assert again.CLOCKS + clocks * again.CLOCK_WORDS == again.LIMITS


def test_a_page_of_a_checkpoint_is_read_as_it_was_written_before() -> None:
    """Packed rows go to Kafka as they lie: other numbers need another `detectors.pages.FORMAT`."""
    assert (row.WORDS, row.HOLD_WORDS, row.MEMBER_WORDS) == (38, 2, 5)
    assert (row.SPANS, row.SPANS_CLASS, row.TOLD, row.ENDED, row.BASE_OPEN) == (4, 9, 14, 17, 20)
    assert (row.FLAGS, row.STATUS, row.LAST_EVENT, row.MEMBERS, row.PAGE) == (24, 25, 29, 30, 33)
    assert (row.HASH, row.FORGOTTEN_MS, row.ESTIMATED_UNTIL) == (35, 36, 37)
    assert (state.LIMITS, state.CLOCK_WORDS, state.LIMIT_WORDS, state.SPAN_WORDS) == (25, 4, 9, 3)
    assert (state.LIMIT_FLAGS, state.LIMIT_HOLD_FROM) == (3, 5)
    assert (event.WORDS, opened.ORDER_WORDS, opened.PLATFORM_WORDS) == (4, 4, 5)
    assert (record.WORDS, record.SPANS, record.TOLD_AT, record.META) == (11, 8, 9, 10)


def test_kernels_and_models_have_the_same_tables() -> None:
    """`detectors` and `schemas` may not import each other; the models are the source."""
    assert codes.EVENT_TYPES == work_state.EVENT_TYPES
    assert codes.DUTIES == work_state.DUTIES
    assert typing.get_args(policy_limit.Clock) == codes.CLOCKS
    assert {name.partition("/")[0] for name in KINDS} == set(typing.get_args(policy_limit.Kind))
    assert set(codes.EFFECTS) == set(typing.get_args(policy_limit.Effect))
    assert (codes.FLAG_CONFIRMED, codes.FLAG_VOID) == (columns.FLAG_CONFIRMED, columns.FLAG_VOID)


def test_sets_of_event_types_name_the_types_they_mean() -> None:
    def named(types: int) -> set[str]:
        return {name for code, name in enumerate(codes.EVENT_TYPES) if types >> code & 1}

    assert named(codes.OF_ORDERS) == {name for name in codes.EVENT_TYPES if name.startswith("order_")}
    assert named(codes.END_ORDERS) == {"order_delivered", "order_cancelled"}
    assert named(codes.END_BREAKS) == {"break_ended", "order_accepted", "offline"}
    assert named(codes.BEGIN_ON_PLATFORMS) == {"online", "break_started"}
    assert named(codes.GIVE_ZONE) == named(codes.OF_ORDERS) | {"online", "offline"}
