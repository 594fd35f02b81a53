"""The commands ``respite policy``."""

from __future__ import annotations

import sys

import typer

from stream.cli.exit_status import policies_from, refuse

policy_app = typer.Typer(no_args_is_help=True, help="Look at policies and check policy files.")


@policy_app.command("list")
def policy_list() -> None:
    """The policies that come with Respite."""
    from stream.policies.loader import builtin_names, load

    for name in builtin_names():
        one = load(name)
        sys.stdout.write(f"{one.ref}\t{one.title.en}\t{one.title.zh}\n")


@policy_app.command("show")
def policy_show(name: str) -> None:
    """One policy in words."""
    from stream.cli.policy_text import describe

    (one,) = policies_from([name])
    sys.stdout.write(describe(one) + "\n")


@policy_app.command("check")
def policy_check(files: list[str]) -> None:
    """Check policy files, and all below folders: every fault with its place, every example by the engine."""
    from datetime import UTC, datetime

    from schemas.policy import InvalidPolicy
    from stream.policies.loader import load, policy_files
    from stream.policies.traps import traps

    faults = []
    today = datetime.now(UTC).date()
    for name in (file for one in files for file in policy_files(one)):
        try:
            one = load(name)
        except InvalidPolicy as error:
            faults.append(str(error))
            continue
        for text in traps(one, today):
            sys.stderr.write(f"{name}: warning: {text}\n")
        failed = _failed_examples(one)
        if failed:
            number = f"{len(failed)} of {len(one.examples)} examples"
            faults.append("\n".join([f"{name}: {one.ref}: {number} do not hold", *failed]))
        else:
            examples = f", {len(one.examples)} examples hold" if one.examples else ""
            sys.stdout.write(f"{name}: {one.ref} is good, {len(one.limits)} limits{examples}\n")
    if faults:
        raise refuse("\n".join(faults))


def _failed_examples(policy: object) -> list[str]:
    from schemas.policy import Policy

    assert isinstance(policy, Policy)
    if not policy.examples:
        # Without the engine, whose start takes seconds.
        return []
    from stream.offline.policy_examples import judge_examples, report

    return [report(policy, one) for one in judge_examples(policy) if not one.holds]
