"""Policies of tests that cannot wait for hours: as texts, for processes read them from files."""

from __future__ import annotations

_HEAD = """
name = "%s"
version = 1
time_zone = "Asia/Shanghai"
valid_from = 2026-01-01
modality = "agreement"
title = { zh = "名", en = "name" }
source = "a test"
"""


def policy_text(name: str, *limits: str) -> str:
    """A policy of these limits, each the lines of its table."""
    return _HEAD % name + "".join(f"[[limit]]\n{lines.strip()}\n" for lines in limits)


def online_policy(name: str, seconds: int) -> str:
    """A hold after so many seconds online, from which only an hour's rest releases."""
    return policy_text(
        name,
        f"""
name = "online-{seconds}s"
kind = "continuous"
clock = "online"
limit = "{seconds}s"
reset = "1h"
effect = "hold"
message = {{ zh = "休息", en = "rest" }}
""",
    )
