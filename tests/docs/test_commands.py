"""Every command that the manual names is one, with options that it has; every block says if it is run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

import pytest

from docs.pages.commands import commands, option_names
from tests.docs.blocks import DOCS, ROOT, Block, blocks, bodies_of_others, pages

BLOCKS = [block for page in pages() for block in blocks(page)]
COMMANDS = dict(commands())
GOALS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
_INLINE = re.compile(r"`((?:respite|make) [^`]+)`")
_SHELL = re.compile(r"&&|\|\||[|;&()]|\$\(")
_TYPED = re.compile(r"(\$ )?(respite|make|curl|docker|kubectl|python|pip) ")
_ELSEWHERE = re.compile(r"(docs/\S+\.md) runs it")
ELSEWHERE = [block for block in BLOCKS if _ELSEWHERE.search(block.about)]
_WORD = re.compile(r"[a-z][a-z-]*")


def words_of(line: str) -> list[list[str]]:
    """The simple commands of a line, without assignments and comments."""
    simple = []
    for part in _SHELL.split(line):
        words = shlex.split(part, comments=True) if part.count("'") % 2 == part.count('"') % 2 == 0 else []
        while words and ("=" in words[0] or words[0] in ("export", "nice", "-n", "5")):
            words.pop(0)
        if words:
            simple.append([words[0].removeprefix(".venv/bin/"), *words[1:]])
    return simple


def faults(words: list[str]) -> list[str]:
    """What of a command line there is not."""
    if words[0] == "make":
        return [f"no goal {word}" for word in words[1:] if _WORD.fullmatch(word) and word not in GOALS]
    if words[0] != "respite":
        return []
    steps = 1
    while steps < len(words) and any(
        name == " ".join(words[: steps + 1]) or name.startswith(" ".join(words[: steps + 1]) + " ")
        for name in COMMANDS
    ):
        steps += 1
    command = COMMANDS.get(" ".join(words[:steps]))
    if command is None or (steps == 1 and _WORD.fullmatch("".join(words[1:2]))):
        plain = [word for word in words[steps:] if _WORD.fullmatch(word)]
        return [f"no command {' '.join(words)}"] if plain or steps == 1 else []
    known = {"--help", *option_names(command)}
    return [
        f"{' '.join(words[:steps])} has no option {word}"
        for word in (one.partition("=")[0] for one in words[steps:])
        if word.startswith("--") and word not in known
    ]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_every_command_of_a_block_is_one(block: Block) -> None:
    assert block.commands, "a console block types something"
    lines = [command.replace("\\\n", " ").split("\n")[0] for command in block.commands]
    assert not [fault for line in lines for words in words_of(line) for fault in faults(words)]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_within_a_sentence_is_one(page: Path) -> None:
    if page.parent == DOCS / "en" / "reference":
        return
    text = page.read_text(encoding="utf-8")
    lines = [found[1].replace("…", "") for found in _INLINE.finditer(text)]
    assert not [fault for line in lines for words in words_of(line) for fault in faults(words)]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_every_block_says_whether_it_is_run_and_why_not(block: Block) -> None:
    assert block.mark in ("run", "run on", "not run"), f"{block.place} has no comment"
    if block.mark == "run on":
        assert block.until
        assert len(block.commands) == 1


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_no_command_hides_in_a_block_of_another_kind(page: Path) -> None:
    if page.parent == DOCS / "en" / "reference":
        return
    assert hidden(page.read_text(encoding="utf-8")) == []


def hidden(text: str) -> list[str]:
    """Lines that are typed, in blocks that no test looks at."""
    return [line for body in bodies_of_others(text) for line in body.splitlines() if _TYPED.match(line)]


@pytest.mark.parametrize(
    "block", [one for one in BLOCKS if _ELSEWHERE.search(one.about)], ids=lambda one: one.place
)
def test_what_another_page_runs_is_on_that_page_and_run(block: Block) -> None:
    assert not_run(block, blocks(ROOT / _ELSEWHERE.findall(block.about)[0])) == []


def not_run(block: Block, there: Iterable[Block]) -> list[str]:
    """Commands of a block that no block run elsewhere has, with the same options or more."""
    run = [words for one in there if one.mark.startswith("run") for words in typed(one)]
    return [
        " ".join(words)
        for words in typed(block)
        if words[0] in ("respite", "curl") and not any(_same(words, other) for other in run)
    ]


def typed(block: Block) -> list[list[str]]:
    lines = [command.replace("\\\n", " ").split("\n")[0] for command in block.commands]
    return [words for line in lines for words in words_of(line)]


def _same(words: list[str], other: list[str]) -> bool:
    named = words[1] if words[0] == "respite" else ""
    # In whatever language it answers, the command is the same.
    options = {word for word in words if word.startswith("--")} - {"--lang"}
    return words[0] == other[0] and (not named or other[1] == named) and options <= set(other)


def test_a_hidden_command_and_one_that_is_not_run_are_found() -> None:
    assert hidden("```text\nrespite api --x\n```\n```json\n{}\n```\n") == ["respite api --x"]
    assert hidden("```text\nthe respite\n```\n") == []
    here = Block(DOCS, 1, "not run", "x", ("respite worker --policy x", "respite feed y"), ())
    there = Block(DOCS, 1, "run", "x", ("respite worker",), ())
    assert not_run(here, [there]) == ["respite worker --policy x", "respite feed y"]
    more = Block(DOCS, 1, "run", "x", ("respite worker --policy z --clock wall", "respite feed q"), ())
    assert not_run(here, [there, more]) == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("respite wrok", "no command respite wrok"),
        ("respite worker --polcy x", "respite worker has no option --polcy"),
        ("export A=1; respite keys ad", "no command respite keys ad"),
        ("make tset", "no goal tset"),
    ],
)
def test_what_there_is_not_is_found(line: str, fault: str) -> None:
    assert [found for words in words_of(line) for found in faults(words)] == [fault]


def test_a_line_that_was_not_printed_is_found() -> None:
    block = Block(DOCS, 1, "run", "x", ("c",), ("a ... c", "else"))
    assert block.missing("a  big   c\n") == ["else"]
    assert block.missing("c a\nelse\n") == ["a ... c"]
