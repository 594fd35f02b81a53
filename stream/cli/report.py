"""The command ``respite report``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stream.cli.exit_status import fail, refuse, settings_from
from stream.cli.options import Options, takes

_READERS = ("regulator", "platform")


@takes("ledger", "lateness", "breach_grace")
def report(
    options: Options,
    name: Annotated[str | None, typer.Argument(help="With --for platform: its name.")] = None,
    week: Annotated[str, typer.Option(help="Like 2026-W48, from Monday to Sunday.")] = "",
    reader: Annotated[
        str | None, typer.Option("--for", help="regulator, or platform and its name [the operator].")
    ] = None,
    receipt: Annotated[
        Path | None, typer.Option(help="A platform's receipt in place of the ledger's folder.")
    ] = None,
    prometheus: Annotated[
        str | None, typer.Option(help="Address of a Prometheus that knows late and refused evidence [none].")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="The page [report-WEEK.html].")] = None,
    csv: Annotated[Path | None, typer.Option(help="The figures as a table [report-WEEK.csv].")] = None,
) -> None:
    """What was asked of platforms in a week and what they honoured: a page that prints, and CSV."""
    from stream.report.make import NoReport, make
    from stream.report.output import as_csv, as_page
    from stream.report.prometheus import PrometheusSilent
    from stream.report.week import InvalidWeek, Week

    if reader not in (None, *_READERS) or (reader == "platform") != (name is not None):
        raise refuse(
            "--for: regulator, or platform and its name, as in --for platform alpha; or leave it out"
        )
    settings = settings_from(**options)
    place = receipt or Path(settings.ledger)
    try:
        chosen = Week.named(week)
        made = make(
            place, chosen, name or reader or "operator",
            grace_s=settings.breach_grace, lateness_s=settings.lateness, prometheus=prometheus,
        )  # fmt: skip
        pages = {
            html or Path(f"report-{chosen.name}.html"): as_page(made),
            csv or Path(f"report-{chosen.name}.csv"): as_csv(made),
        }
        for path, text in pages.items():
            path.write_text(text, encoding="utf-8")
    except (InvalidWeek, NoReport) as error:
        raise refuse(error) from error
    except PrometheusSilent as error:
        raise fail(error) from error
    except OSError as error:
        raise fail(f"{error.filename}: {error.strerror}") from error
    sys.stdout.write("".join(f"{path}\n" for path in pages))
