"""The manual's command blocks: what they type, what they say is printed, and whether a test runs them.

Before every ``console`` block stands a comment that says so::

    <!-- run: why, exit 3 -->                    run; the last command ends with that status, else 0
    <!-- run on: until URL answers 200 -->       started, waited for, and stopped when the page is over
    <!-- not run: the reason -->
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"(?:^<!-- ([^\n]*) -->\n)?^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"(run on|run|not run): (.+)")
_EXIT = re.compile(r"exit (\d+)$")
_UNTIL = re.compile(r"until (\S+) answers 200$")
_CUT = re.compile(r"\.\.\.|…")


@dataclass(frozen=True, slots=True)
class Block:
    """One ``console`` block.

    Parameters
    ----------
    mark, about
        ``run``, ``run on`` or ``not run``, and what stands behind it; both empty without a comment.
    """

    page: Path
    line: int
    mark: str
    about: str
    commands: tuple[str, ...]
    printed: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def status(self) -> int:
        found = _EXIT.search(self.about)
        return int(found[1]) if found else 0

    @property
    def until(self) -> str:
        found = _UNTIL.fullmatch(self.about)
        assert found, f"{self.place}: until when? {self.about}"
        return found[1]

    def missing(self, output: str) -> list[str]:
        """Lines that the block says are printed and were not; what `...` stands for may be anything."""
        seen = [" ".join(line.split()) for line in output.splitlines()]
        return [line for line in self.printed if not any(_fits(line, one) for one in seen)]


def _fits(line: str, seen: str) -> bool:
    at = 0
    for piece in _CUT.split(line):
        wanted = " ".join(piece.split())
        at = seen.find(wanted, at)
        if at < 0:
            return False
        at += len(wanted)
    return True


def pages() -> list[Path]:
    """README and every page of the manual."""
    return [*sorted(ROOT.glob("README*.md")), *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """The page's ``console`` blocks in order."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        comment, language, body = found.groups()
        if language == "console":
            mark = _MARK.fullmatch(comment or "")
            commands, printed = _read(body)
            line = text.count("\n", 0, found.start()) + 1
            yield Block(page, line, mark[1] if mark else "", mark[2] if mark else "", commands, printed)


def bodies_of_others(text: str) -> list[str]:
    """What stands in the blocks of a page that are not ``console``."""
    return [found[3] for found in _BLOCK.finditer(text) if found[2] != "console"]


def _read(body: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    commands: list[str] = []
    printed: list[str] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            commands.append(line[2:])
        elif line.startswith("> ") or line == ">":
            commands[-1] += "\n" + line[2:]
        elif commands and not printed and commands[-1].endswith("\\"):
            commands[-1] += "\n" + line
        elif line.strip():
            printed.append(line)
    return tuple(commands), tuple(printed)
