"""The command ``respite compare``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any

import typer

from stream.cli.exit_status import DONE, REJECTED, fail, refuse, settings_from
from stream.cli.options import JUDGING, PACE, Options, takes
from stream.cli.policy import Language
from stream.cli.replay import CONDITIONS, FILES, models_from


@takes("policy", *(name for name in JUDGING if name != "breach_grace"), *PACE)
def compare(
    options: Options,
    files: Annotated[list[str], typer.Argument(help=FILES)],
    as_of: Annotated[
        str | None, typer.Option(help="now, like 2026-11-23T12:00:00+08:00 [latest event].")
    ] = None,
    conditions: Annotated[list[str] | None, typer.Option(help=CONDITIONS)] = None,
    html: Annotated[
        str | None, typer.Option(help="Where a page with plots goes; - is standard output.")
    ] = None,
    json: Annotated[
        str | None, typer.Option(help="Where everything goes as JSON; - is standard output.")
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(help="Models of which the sums are told: risk, alertness, pace, with commas [none]."),
    ] = None,
    lang: Language = "en",
) -> None:
    """Try policies on the same history, each for itself and whatever its dates, and say how they differ."""
    from schemas.instants import parse_instant

    settings = settings_from(**options)
    policies = _policies(settings.policies)
    try:
        as_of_s = parse_instant(as_of) if as_of is not None else None
    except ValueError as error:
        raise refuse(f"--as-of: {error}") from error
    chosen = models_from(models, settings, files=False)
    asked = settings, policies, as_of_s, chosen, tuple(conditions or ())
    raise typer.Exit(_run(files, asked, {"--html": html, "--json": json}, lang))


def _policies(names: Any) -> list[Any]:  # noqa: ANN401 - settings are imported late
    """Each by itself: versions whose dates overlap are just what is compared."""
    from schemas.policy import InvalidPolicy
    from stream.policies.loader import load

    policies, faults = [], []
    for name in names:
        try:
            policies.append(load(name))
        except InvalidPolicy as error:
            faults.append(str(error))
    refs = [one.ref for one in policies]
    faults += [
        f"{ref}: named twice, name each version once" for ref in sorted({*refs}) if refs.count(ref) > 1
    ]
    if len(names) < 2:
        faults.append("compare needs two policies or more: --policy A --policy B")
    if faults:
        raise refuse("\n".join(faults))
    return policies


def _run(
    names: list[str],
    asked: tuple[Any, Any, int | None, Any, tuple[str, ...]],
    outputs: dict[str, str | None],
    lang: Language,
) -> int:
    from stream.offline.bad_lines import BadLines
    from stream.offline.compare import compare as compared
    from stream.offline.compressed import DamagedInput
    from stream.offline.conditions import OfConditions
    from stream.offline.inputs import NoInput, named_inputs
    from stream.offline.models import Models
    from stream.offline.outputs import OutputRefused, check_outputs

    settings, policies, as_of_s, choice, told = asked
    models = Models(choice, policies[0].zone) if choice.names else None
    try:
        files, conditions = named_inputs(names), [OfConditions(name) for name in named_inputs(told)]
        check_outputs(
            outputs, [*files, *conditions, *(name for name in settings.policies if name.endswith(".toml"))]
        )
    except (NoInput, OutputRefused) as error:
        raise refuse(error) from error
    bad = BadLines(all_errors=False)
    try:
        with _kept(files) as kept:
            found = compared([*kept, *conditions], policies, settings.store(0), as_of_s, bad, models)
    except DamagedInput as damage:
        bad.report()
        raise fail(f"{damage}. Nothing has been judged or written") from damage
    bad.report()
    if found is None:
        raise refuse("no event in the input: nothing to compare")
    try:
        _write(found, outputs, lang)
    except OutputRefused as error:
        raise fail(error) from error
    return REJECTED if bad or bad.files else DONE


@contextmanager
def _kept(files: list[str]) -> Iterator[list[str]]:
    """The files, standard input kept in one: they are read once for each policy."""
    if "-" not in files:
        yield files
        return
    with tempfile.NamedTemporaryFile(prefix="respite-compare.") as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.flush()
        yield [kept.name if name == "-" else name for name in files]


def _write(found: Any, outputs: dict[str, str | None], lang: Language) -> None:  # noqa: ANN401 - imported late
    import msgspec

    from stream.offline.compare_page import page
    from stream.offline.compare_report import document, text
    from stream.offline.outputs import written

    result = document(found)
    with ExitStack() as stack:
        if outputs["--json"] is not None:
            stack.enter_context(written(outputs["--json"])).write(msgspec.json.encode(result) + b"\n")
        if outputs["--html"] is not None:
            stack.enter_context(written(outputs["--html"])).write(page(result, lang).encode())
    if "-" not in outputs.values():
        sys.stdout.write(text(result) + "\n")
