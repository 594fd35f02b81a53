"""What `deploy.house_rules` finds: each rule broken once."""

from __future__ import annotations

import pytest

from deploy.house_rules import faults_of, folders

LONG = "\n".join(f"    x{number} = {number}" for number in range(41))
MANY = ", ".join(f"p{number}" for number in range(9))
FILE = "\n".join(["x = 1"] * 301)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("stream/a.py", FILE, "301 lines, at most 300"),
        ("detectors/kernels/a.py", FILE, "301 lines, at most 300"),
        ("stream/a.py", f"def f():\n{LONG}", "f has 41 lines, at most 40"),
        ("tests/a.py", f"class A:\n  async def f():\n{LONG}", "f has 41 lines, at most 40"),
        ("stream/a.py", f"def f({MANY}): ...", "9 parameters, at most 8"),
        ("tests/a.py", "import time\ntime.sleep(0.1)", "sleeps outside a loop"),
    ],
)
def test_a_broken_rule_is_named(name: str, text: str, says: str) -> None:
    (fault,) = faults_of(name, text)
    assert says in fault
    assert fault.startswith(name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("stream/a.py", f'"""Table.\n\nLonger than others, and longer because it is one."""\n{FILE}'),
        ("stream/a.py", f'def f():\n    """Longer because it is a table: longer because."""\n{LONG}'),
        ("detectors/kernels/a.py", f"def f({MANY}):\n{LONG}"),
        ("stream/cli/a.py", f"def f({MANY}): ..."),
        ("tests/a.py", "while x:\n    time.sleep(0.1)"),
        ("tests/a.py", "time.sleep(5)  # waits: the process under test is to be slow"),
        ("tests/a.py", "await asyncio.sleep(0)"),
    ],
)
def test_what_says_why_and_what_is_allowed_is_left_alone(name: str, text: str) -> None:
    assert list(faults_of(name, text)) == []


def test_a_crowded_folder_is_named() -> None:
    (fault,) = folders([f"stream/shelf/m{number}.py" for number in range(17)])
    assert fault.startswith("stream/shelf: 17 entries")
    assert list(folders([f"stream/shelf/m{number}.toml" for number in range(17)])) == []
