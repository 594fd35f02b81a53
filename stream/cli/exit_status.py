"""How commands end: 0 done, 2 wrong usage or settings, 3 finished with rejected input, 1 anything else."""

from __future__ import annotations

import sys
from typing import Any

import typer

DONE, FAILED, WRONG, REJECTED = 0, 1, 2, 3


def refuse(error: object) -> typer.Exit:
    """Say what is wrong on standard error; exit status 2."""
    sys.stderr.write(f"respite: {error}\n")
    return typer.Exit(WRONG)


def fail(error: object) -> typer.Exit:
    """Say what failed on standard error; exit status 1."""
    sys.stderr.write(f"respite: {error}\n")
    return typer.Exit(FAILED)


def settings_from(**options: Any) -> Any:  # noqa: ANN401 - settings are imported where they are needed
    """Settings, or exit status 2 with every fault."""
    from stream.cli.unusual_settings import doubts
    from stream.settings import InvalidSettings, load_settings

    try:
        settings = load_settings(**options)
    except InvalidSettings as error:
        raise refuse(error) from error
    for doubt in doubts(settings):
        sys.stderr.write(f"respite: warning: {doubt}\n")
    return settings


def policies_from(names: Any, shadow_names: Any = ()) -> Any:  # noqa: ANN401 - the same
    """Policies, or exit status 2 with every fault."""
    from schemas.policy import InvalidPolicy
    from stream.policies.shadow import all_policies

    try:
        return all_policies(names, shadow_names)
    except InvalidPolicy as error:
        raise refuse(error) from error
