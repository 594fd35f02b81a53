"""The command ``respite secure``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stream.cli.exit_status import refuse, settings_from
from stream.cli.options import CONNECTION, Options, takes


@takes(*CONNECTION, "prefix", "group")
def secure(
    options: Options,
    users: Annotated[Path, typer.Option(help="TOML file of users, roles and password variables.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Take away rights beyond the roles.")] = False,
    set_passwords: Annotated[bool, typer.Option("--set-passwords", help="Also of users that exist.")] = False,
) -> None:
    """Give Kafka's users passwords and the least rights of their roles."""
    from stream.kafka.topics.users_file import InvalidUsers, load_users

    settings = settings_from(**options)
    try:
        chosen = load_users(users)
    except InvalidUsers as error:
        raise refuse(error) from error
    from stream.kafka.topics.apply_acls import Wish, run

    raise typer.Exit(run(settings, chosen, Wish(dry_run, prune, set_passwords)))
