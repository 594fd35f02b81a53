"""The command ``respite replay``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Annotated, Any, NamedTuple

import typer

from stream.cli.exit_status import DONE, REJECTED, fail, policies_from, refuse, settings_from
from stream.cli.options import JUDGING, PACE, Options, takes

FILES = (
    "Lines of WorkStateEvents; - is standard input, of a folder all files in it; gzip and zstd are read as "
    "they are."
)


CONDITIONS = "Lines of ZoneConditions as they were announced; may be repeated [none]."


class _Wish(NamedTuple):
    as_of_s: int | None
    alerts: str | None
    status: str | None
    all_errors: bool
    regardless_of_dates: bool = False
    rest_stops: Any = None
    orders: Any = ()
    models: Any = None
    conditions: tuple[str, ...] = ()


@takes("policy", *JUDGING, *PACE)
def replay(
    options: Options,
    files: Annotated[list[str], typer.Argument(help=FILES)],
    as_of: Annotated[
        str | None, typer.Option(help="now, like 2026-11-23T12:00:00+08:00 [latest event].")
    ] = None,
    alerts: Annotated[
        str | None, typer.Option(help="Where the standing alerts go as NDJSON; - is standard output.")
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="Where the statuses go as NDJSON; - is standard output.")
    ] = None,
    conditions: Annotated[list[str] | None, typer.Option(help=CONDITIONS)] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            help="Models of which the sums are told: risk, alertness, pace, with commas; or a file, where a "
            "person's values go as NDJSON; both, when given twice [none]."
        ),
    ] = None,
    rest_stops: Annotated[
        str | None,
        typer.Option(help="File of rest stops: the summary names those of a hold that are open [none]."),
    ] = None,
    orders: Annotated[
        str | None,
        typer.Option(help="File of an operator's orders to lift holds, with their arrival [none]."),
    ] = None,
    all_errors: Annotated[
        bool, typer.Option("--all-errors", help="Show every bad line, not the first ten of each reason.")
    ] = False,
    regardless_of_dates: Annotated[
        bool,
        typer.Option(
            "--regardless-of-dates", help="Judge by every policy throughout, whatever its dates in force."
        ),
    ] = False,
) -> None:
    """Judge files with the same engine, without a broker."""
    from schemas.instants import parse_instant

    settings = settings_from(**options)
    chosen = policies_from(settings.policies)
    try:
        as_of_s = parse_instant(as_of) if as_of is not None else None
    except ValueError as error:
        raise refuse(f"--as-of: {error}") from error
    stops = _rest_stops_of(rest_stops, chosen)
    chosen_models = models_from(models, settings, files=True)
    told = tuple(conditions or ())
    wish = _Wish(
        as_of_s,
        alerts,
        status,
        all_errors,
        regardless_of_dates,
        stops,
        _orders_of(orders),
        chosen_models,
        told,
    )
    raise typer.Exit(_run(files, settings, chosen, wish))


def models_from(values: list[str] | None, settings: Any, *, files: bool) -> Any:  # noqa: ANN401 - imported late
    """The choice of models, or exit status 2."""
    from stream.offline.model_choice import choose

    try:
        return choose(values or [], settings.models, settings.pace, files=files)
    except ValueError as error:
        raise refuse(f"--models: {error}") from error


def _orders_of(name: str | None) -> Any:  # noqa: ANN401 - imported late
    if name is None:
        return ()
    from stream.offline.orders import InvalidOrders, read_orders

    try:
        return read_orders(name)
    except InvalidOrders as error:
        raise refuse(f"--orders: {error}") from error


def _rest_stops_of(name: str | None, policies: Any) -> Any:  # noqa: ANN401 - imported late
    if name is None:
        return None
    from schemas.rest_stops_file import InvalidRestStops
    from stream.rest_stops.directory import RestStopsDirectory
    from stream.rest_stops.file import load_rest_stops

    try:
        return RestStopsDirectory(load_rest_stops(name), policies[0].time_zone)
    except InvalidRestStops as error:
        raise refuse(f"--rest-stops: {error}") from error


def _tell_sums(models: Any, result: Any) -> None:  # noqa: ANN401 - imported late
    from stream.offline.models import sums, text

    if result.store is not None:
        sys.stdout.write("\n".join(text(sums(models, result.store, result.store.now_s))) + "\n")


def _run(names: list[str], settings: Any, policies: Any, wish: _Wish) -> int:  # noqa: ANN401 - imported late
    from stream.offline.bad_lines import BadLines
    from stream.offline.compressed import DamagedInput
    from stream.offline.conditions import OfConditions
    from stream.offline.inputs import NoInput, named_inputs
    from stream.offline.models import Models, lines
    from stream.offline.outputs import STANDARD_OUTPUT, OutputRefused, check_outputs
    from stream.offline.replay import replay
    from stream.offline.summary import summary

    outputs = {"--alerts": wish.alerts, "--status": wish.status, "--models": wish.models.out}
    models = Models(wish.models, policies[0].zone) if wish.models.names else None
    try:
        files = named_inputs(names)
        conditions = [OfConditions(name) for name in named_inputs(wish.conditions)]
        check_outputs(
            outputs, [*files, *conditions, *(name for name in settings.policies if name.endswith(".toml"))]
        )
    except (NoInput, OutputRefused) as error:
        raise refuse(error) from error
    bad = BadLines(all_errors=wish.all_errors)
    try:
        result, _ = replay(
            [*files, *conditions],
            policies,
            settings.store(0),
            wish.as_of_s,
            bad,
            regardless_of_dates=wish.regardless_of_dates,
            orders=wish.orders,
            models=models,
        )
        documents: dict[str, Any] = {"--alerts": result.alerts, "--status": result.statuses}
        if models is not None and result.store is not None:
            documents["--models"] = lines(models, result.store, result.store.now_s)
        _write(outputs, documents)
    except DamagedInput as damage:
        bad.report()
        raise fail(f"{damage}. Nothing has been judged or written") from damage
    except OutputRefused as error:
        bad.report()
        raise fail(error) from error
    bad.report()
    if not any(outputs.values()):
        sys.stdout.write(summary(result, policies, wish.rest_stops) + "\n")
    if models is not None and STANDARD_OUTPUT not in outputs.values() and wish.models.out is None:
        _tell_sums(models, result)
    return REJECTED if bad or bad.files else DONE


def _write(outputs: Mapping[str, Any], documents: Mapping[str, Any]) -> None:
    """Put the documents of each option where it says; all files are whole, or none is there."""
    from stream.offline.outputs import written
    from stream.offline.replay import put_lines

    with ExitStack() as stack:
        places = {
            option: stack.enter_context(written(name)) for option, name in outputs.items() if name is not None
        }
        for option, place in places.items():
            put_lines(place, documents.get(option, ()))
