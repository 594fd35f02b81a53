"""Policies that appear or change in a folder while the worker runs (RULEBOOK 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from schemas.policy import Policy
from stream.policies.directory import LOOK_EVERY_S, PolicyDirectory

log = structlog.get_logger()


async def take_up(
    directory: PolicyDirectory, go_on_with: Callable[[Sequence[Policy]], Awaitable[None]]
) -> None:
    """Look at the folder for good; have the worker go on with the policies in force when they are others."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        if not await asyncio.to_thread(directory.settled):
            continue
        before = directory.policies
        await asyncio.to_thread(directory.read)
        say_refused(directory)
        policies = directory.policies
        if policies != before:
            await go_on_with(policies)
            log.info("policies taken up", policies=[one.ref for one in policies])


def say_refused(directory: PolicyDirectory) -> None:
    """Log which files are refused."""
    for reason in directory.refused:
        log.error("policy refused, what was in force stays", why=reason)
