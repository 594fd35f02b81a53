"""The command ``respite import``."""

from __future__ import annotations

import sys
from typing import Annotated, Any, NamedTuple

import typer

from stream.cli.exit_status import DONE, REJECTED, fail, refuse, settings_from
from stream.cli.options import CONNECTION, Options, takes

_KAFKA = "kafka"


class _Wish(NamedTuple):
    to: str
    key: str
    map_name: str
    answers: Any
    all_errors: bool


@takes(*CONNECTION, "prefix", "source", "watermark", "dead_letter", "clock", "lateness")
def import_(
    options: Options,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            help="CSV, TSV, JSON, NDJSON, Parquet; gzip, zstd, ZIP; folders; - is standard input."
        ),
    ] = None,
    map_name: Annotated[
        str | None, typer.Option("--map", help="Name or .toml file: which columns are what.")
    ] = None,
    to: Annotated[
        str,
        typer.Option(help="A file of events (.gz and .zst are compressed), - or kafka, the source topic."),
    ] = "-",
    zone: Annotated[str | None, typer.Option(help="Of times without an offset, like Europe/Paris.")] = None,
    year: Annotated[int | None, typer.Option(help="Of times that have none.")] = None,
    rider: Annotated[str | None, typer.Option(help="Id of the rider of all rows, like me.")] = None,
    platform: Annotated[str | None, typer.Option(help="The platform of all rows.")] = None,
    time_format: Annotated[
        str | None, typer.Option(help='iso, epoch_s, epoch_ms or like "%d.%m.%Y %H:%M" [the map\'s].')
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of text, like gb18030 [UTF-8].")] = None,
    key: Annotated[
        str, typer.Option(help="File of the key that ids are made with; made where there is none.")
    ] = "respite-import.key",
    all_errors: Annotated[
        bool, typer.Option("--all-errors", help="Show every dropped row, not the first ten of each reason.")
    ] = False,
    list_maps: Annotated[bool, typer.Option("--list", help="The maps that come with Respite.")] = False,
    show: Annotated[str | None, typer.Option(help="Print a map, to make one's own of it.")] = None,
) -> None:
    """Make events of tables: exports of platforms, shifts, trips."""
    from stream.importing.importer import Answers

    if list_maps or show is not None:
        _print_maps(show)
        return
    if not files or map_name is None:
        raise refuse("import: FILE... and --map NAME are needed; respite import --list names the maps")
    answers = Answers(zone, year, rider, platform, time_format, encoding)
    raise typer.Exit(_run(files, options, _Wish(to, key, map_name, answers, all_errors)))


def _print_maps(show: str | None) -> None:
    from schemas.import_map import InvalidMap
    from stream.importing.map_files import builtin_maps, find_map, map_text

    try:
        if show is not None:
            sys.stdout.write(map_text(show))
            return
        for name in builtin_maps():
            one = find_map(name)
            sys.stdout.write(f"{name}\t{one.title.en}\t{one.title.zh}\n")
    except InvalidMap as error:
        raise refuse(error) from error


def _run(names: list[str], options: Options, wish: _Wish) -> int:
    from stream.importing.convert import Converter
    from stream.importing.importer import import_files, report, spooled
    from stream.importing.times import TimeReader
    from stream.offline.bad_lines import BadLines
    from stream.offline.compressed import InputFault
    from stream.offline.outputs import written_packed

    files, chosen, pseudonyms = _prepare(names, wish)
    times = TimeReader(chosen.times)
    converter = Converter(chosen, pseudonyms, times)
    bad = BadLines(all_errors=wish.all_errors)
    status = DONE
    try:
        if wish.to == _KAFKA:
            with spooled() as (out, place):
                done = import_files(files, chosen, converter, wish.answers.encoding, out, bad)
                out.flush()
                status = _feed(options, place)
        else:
            with written_packed(wish.to) as out:
                done = import_files(files, chosen, converter, wish.answers.encoding, out, bad)
    except LookupError as error:
        raise refuse(f"--encoding: {error}") from error
    except InputFault as error:
        bad.report()
        raise fail(f"{error}. Nothing has been written") from error
    bad.report()
    for line in report(done, bad, converter, times):
        sys.stderr.write(line + "\n")
    return REJECTED if bad and status == DONE else status


def _prepare(names: list[str], wish: _Wish) -> tuple[list[str], Any, Any]:
    """The files, the map with its answers, the pseudonyms; or exit status 2 with every fault."""
    from schemas.import_map import InvalidMap
    from stream.importing.importer import MapRefused, answered
    from stream.importing.map_files import find_map
    from stream.importing.pseudonyms import KeyRefused, Pseudonyms, read_key
    from stream.offline.inputs import NoInput, named_inputs
    from stream.offline.outputs import OutputRefused, check_outputs

    try:
        chosen = answered(find_map(wish.map_name), wish.answers)
        files = named_inputs(names)
        read = [*files, wish.key, *([wish.map_name] if wish.map_name.endswith(".toml") else [])]
        if wish.to != _KAFKA:
            check_outputs({"--to": wish.to}, read)
        pseudonyms = Pseudonyms(read_key(wish.key)) if chosen.needs_key else None
    except (InvalidMap, MapRefused, KeyRefused, NoInput, OutputRefused) as error:
        raise refuse(error) from error
    return files, chosen, pseudonyms


def _feed(options: Options, place: str) -> int:
    from stream.offline import feed

    return feed.run(settings_from(**options), [place])
