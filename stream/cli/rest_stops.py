"""The command ``respite rest-stops``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from stream.cli.exit_status import refuse

rest_stops_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Look at files of rest stops and estates."
)


@rest_stops_app.callback()
def rest_stops() -> None:
    """Look at files of rest stops and estates."""


@rest_stops_app.command("check")
def check(
    files: Annotated[list[str], typer.Argument(help="CSV or GeoJSON, as for --rest-stops.")],
) -> None:
    """Check files; every fault with its place, and what is hardly meant."""
    from schemas.rest_stops_file import InvalidRestStops
    from stream.rest_stops.file import load_rest_stops

    faults = []
    for name in files:
        try:
            found = load_rest_stops(name)
        except InvalidRestStops as error:
            faults.append(str(error))
            continue
        zones = len({one.zone for one in found.stops} | {one.zone for one in found.estates})
        counts = f"{len(found.stops)} rest stops and {len(found.estates)} estates in {zones} zones"
        sys.stdout.write(f"{name}: good, {counts}\n")
        for doubt in found.doubts:
            sys.stderr.write(f"{name}: warning: {doubt}\n")
    if faults:
        raise refuse("\n".join(faults))
