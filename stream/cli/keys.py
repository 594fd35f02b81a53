"""``respite keys``: the API's keys."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from stream.cli.options import Options, takes

keys_app = typer.Typer(no_args_is_help=True, help="Make, list, revoke and rotate the API's keys.")
Identity = Annotated[str, typer.Argument(help="The key's id: what stands before the point.")]


@contextmanager
def _file(options: Options) -> Iterator[Any]:
    """The file of keys; what is refused ends with exit status 2."""
    from stream.api.access.keys import KeyFile, KeysRefused
    from stream.settings import InvalidSettings, load_settings

    try:
        yield KeyFile(Path(load_settings(**options).keys))
    except (KeysRefused, InvalidSettings) as error:
        sys.stderr.write(f"respite: {error}\n")
        raise typer.Exit(2) from error


@keys_app.command("add")
@takes("keys")
def keys_add(
    options: Options,
    role: Annotated[str, typer.Option(help="platform, rider, dispatcher, regulator or operator.")],
    platform: Annotated[str | None, typer.Option(help="The platform whose key it is.")] = None,
    rider: Annotated[str | None, typer.Option(help="The id of the rider whose key it is.")] = None,
    if_unknown: Annotated[
        str, typer.Option(help="What its holder does on UNKNOWN: closed (not dispatch) or open.")
    ] = "closed",
    per_second: Annotated[float, typer.Option(help="Requests per second.")] = 50.0,
) -> None:
    """Make a key and print it, this once."""
    with _file(options) as file:
        sys.stdout.write(file.add(role, platform, if_unknown, per_second, rider) + "\n")


@keys_app.command("list")
@takes("keys")
def keys_list(options: Options) -> None:
    """All keys, without their secrets."""
    with _file(options) as file:
        for key in file.read():
            place = key.platform or key.rider or "-"
            sys.stdout.write(f"{key.id}\t{key.role}\t{place}\t{key.if_unknown}\t{key.made}\n")


@keys_app.command("revoke")
@takes("keys")
def keys_revoke(options: Options, identity: Identity) -> None:
    """Take a key away; the API refuses it from here on."""
    with _file(options) as file:
        file.revoke(identity)


@keys_app.command("rotate")
@takes("keys")
def keys_rotate(options: Options, identity: Identity) -> None:
    """Print a new secret for a key; the old one is refused from here on."""
    with _file(options) as file:
        sys.stdout.write(file.rotate(identity) + "\n")
