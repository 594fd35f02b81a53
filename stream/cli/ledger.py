"""The command ``respite ledger``: the record of holds, its keys, its checks and the platforms' receipts."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from stream.cli.exit_status import FAILED, REJECTED, fail, refuse, settings_from
from stream.cli.options import CONNECTION, Options, takes

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Write the record of holds beside the workers; check it, and give platforms their receipts.",
)
keys_app = typer.Typer(no_args_is_help=True, help="Make, list and rotate the keys that sign it.")
app.add_typer(keys_app, name="keys")
_SHOWN_AFTER_S = 2.0
_AGAIN_S = 0.2


@app.callback(invoke_without_command=True)
@takes(
    *CONNECTION, "prefix", "alerts", "control", "outlets", "ledger", "ledger_key", "metrics_host",
    "metrics_port", "log_format",
)  # fmt: skip
def ledger(options: Options, context: typer.Context) -> None:
    """Write the record of holds until stopped: everybody's, and that of each platform of --outlets."""
    if context.invoked_subcommand is not None:
        return
    import asyncio

    from stream.ledger.chain import ChainDamaged
    from stream.ledger.keys import LedgerKeyFile, LedgerKeysRefused
    from stream.ledger.ledger import LedgerInUse
    from stream.ledger.process import run
    from stream.logs import set_up

    settings = settings_from(**options)
    set_up(settings.log_format)
    try:
        keys = LedgerKeyFile(Path(settings.ledger_key)).signing()
        asyncio.run(run(settings, Path(settings.ledger), keys))
    except (LedgerKeysRefused, ChainDamaged, LedgerInUse) as error:
        raise refuse(error) from error
    except OSError as error:
        raise fail(error) from error


@app.command()
@takes("ledger")
def verify(
    options: Options,
    place: Annotated[
        Path | None, typer.Argument(help="Folder of a ledger, or a receipt [the ledger's folder].")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Public key that it must begin with, known from elsewhere [any].")
    ] = None,
) -> None:
    """Check hashes, signatures and numbers offline; exit status 1 where it breaks, 3 where Kafka had gaps."""
    from stream.ledger import verify as checks
    from stream.ledger.keys import public_key

    where = place or Path(settings_from(**options).ledger)
    if key is not None and not public_key(key):
        raise refuse(
            f"--key {key}: is no public key of 64 hexadecimal digits; `respite ledger keys list` says it"
        )
    if not where.exists():
        raise refuse(f"{where}: there is no such folder or file")
    with _progress(where) as progress:
        found = (
            checks.check_folder(where, progress)
            if where.is_dir()
            else [checks.check_receipt(where, None, progress)]
        )
    faults = [fault for one in found for fault in one.faults]
    faults += checks.unpinned(found, key) if key is not None else []
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    for one in found:
        sys.stdout.write(_said(one))
    if faults:
        raise typer.Exit(FAILED)
    if any(one.gaps for one in found):
        raise typer.Exit(REJECTED)


def _said(one: Any) -> str:  # noqa: ANN401 - a chain that was checked
    state = "BROKEN" if one.faults else "whole"
    told = f"{one.entries} holds and limits told in {one.n} lines, last seal {one.sealed_at or '-'}"
    gaps = [
        f"{gap['topic']}/{gap['partition']} offsets {gap['from']} to {gap['to']} ({gap['reason']}) were gone"
        for gap in one.gaps
    ]
    lines = [f"{one.chain}: {state}, {told}", f"  head {one.n}:{one.hash}"]
    lines += [f"  key {key}" for key in one.keys] + [f"  gap: {gap}" for gap in gaps]
    return "\n".join(lines) + "\n"


@app.command()
@takes("ledger")
def receipt(
    options: Options,
    platform: Annotated[str, typer.Option(help="The platform.")],
    to: Annotated[Path | None, typer.Option(help="The file [receipt-PLATFORM.ndjson].")] = None,
) -> None:
    """Give a platform the record of its own holds as one file, which `respite ledger verify` checks alone."""
    from schemas.names import is_id
    from stream.ledger.receipt import NoReceipt, write_receipt

    if not is_id(platform):
        raise refuse(
            f"--platform {platform}: is no platform's name: 1 to 64 characters of A-Z a-z 0-9 _ . : -"
        )
    path = to or Path(f"receipt-{platform}.ndjson")
    folder = Path(settings_from(**options).ledger)
    waiting = path.with_name(path.name + ".new")
    try:
        with waiting.open("wb") as out:
            checked = write_receipt(folder, platform, out)
        waiting.replace(path)
    except NoReceipt as error:
        waiting.unlink(missing_ok=True)
        raise refuse(error) from error
    except OSError as error:
        raise fail(f"{path}: {error.strerror}") from error
    sys.stdout.write(f"{path}: {checked.entries} holds and limits told, head {checked.n}:{checked.hash}\n")


@contextmanager
def _key_file(options: Options) -> Iterator[Any]:
    from stream.ledger.keys import LedgerKeyFile, LedgerKeysRefused

    try:
        yield LedgerKeyFile(Path(settings_from(**options).ledger_key))
    except LedgerKeysRefused as error:
        raise refuse(error) from error


@keys_app.command("add")
@takes("ledger_key")
def keys_add(options: Options) -> None:
    """Make the first key, and print its public half: give it to those who are to check."""
    with _key_file(options) as file:
        sys.stdout.write(file.add().public + "\n")


@keys_app.command("list")
@takes("ledger_key")
def keys_list(options: Options) -> None:
    """All keys: id, public half and when it was made; the last one signs."""
    with _key_file(options) as file:
        for one in file.read():
            sys.stdout.write(f"{one.id}\t{one.public}\t{one.made}\n")


@keys_app.command("rotate")
@takes("ledger_key")
def keys_rotate(options: Options) -> None:
    """Add a key that follows the last; at its next start `respite ledger` lets that one hand over to it."""
    with _key_file(options) as file:
        sys.stdout.write(file.add(rotate=True).public + "\n")


@contextmanager
def _progress(where: Path) -> Iterator[Callable[[int], None] | None]:
    """A line that is written over on a terminal, from two seconds on."""
    if not sys.stderr.isatty():
        yield None
        return
    files = [where] if where.is_file() else [path for path in where.rglob("*") if path.is_file()]
    total = max(1, sum(path.stat().st_size for path in files))
    began_s = shown_s = time.monotonic()
    done = 0

    def show(count: int) -> None:
        nonlocal done, shown_s
        done += count
        now_s = time.monotonic()
        if now_s - began_s > _SHOWN_AFTER_S and now_s - shown_s > _AGAIN_S:
            shown_s = now_s
            sys.stderr.write(f"\r{100 * done // total} %")

    try:
        yield show
    finally:
        if shown_s > began_s:
            sys.stderr.write("\r")
