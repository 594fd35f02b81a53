"""Every command that the manual names is one, with options that it has; every block says if it is run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from docs.pages.commands import commands, option_names
from tests.docs.blocks import DOCS, ROOT, Block, blocks, pages

BLOCKS = [block for page in pages() for block in blocks(page)]
COMMANDS = dict(commands())
GOALS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
_INLINE = re.compile(r"`((?:respite|make) [^`]+)`")
_SHELL = re.compile(r"&&|\|\||[|;&()]|\$\(")
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
