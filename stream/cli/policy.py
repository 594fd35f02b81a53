"""The commands ``respite policy``."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from stream.cli.exit_status import policies_from, refuse

policy_app = typer.Typer(no_args_is_help=True, help="Look at policies and check policy files.")


Language = Annotated[Literal["zh", "en"], typer.Option("--lang", help="zh or en.")]


@policy_app.command("list")
def policy_list(lang: Language = "en") -> None:
    """The policies that come with Respite: where they apply, how binding they are, in force from when."""
    from datetime import UTC, datetime

    from stream.policies.loader import builtin_names, load
    from stream.policies.page import in_force, say_words
    from stream.policies.words import modality

    today = datetime.now(UTC).date()
    for one in map(load, builtin_names()):
        where = say_words(one.jurisdiction, lang) or "-"
        cells = (one.ref, where, modality(one, lang), in_force(one, today, lang), one.title.en, one.title.zh)
        sys.stdout.write("\t".join(cells) + "\n")


@policy_app.command("show")
def policy_show(
    name: Annotated[str, typer.Argument(help="Name of a policy, or a .toml file.")],
    lang: Language = "en",
    html: Annotated[
        str | None, typer.Option(help="A file for the page as HTML, or - [text on standard output].")
    ] = None,
) -> None:
    """One policy as a page: what is counted, when it fires, what resets it, its source, its examples."""
    (one,) = policies_from([name])
    if html is None:
        from stream.policies.page import text_page

        sys.stdout.write(text_page(one, lang) + "\n")
        return
    from stream.offline.outputs import OutputRefused, check_outputs, written
    from stream.policies.html_page import html_page

    try:
        check_outputs({"--html": html}, [name] if name.endswith(".toml") else [])
        with written(html) as out:
            out.write(html_page(one, lang).encode())
    except OutputRefused as error:
        raise refuse(error) from error


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
