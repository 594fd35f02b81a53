"""Commands and settings, from the command line and from the settings' model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from docs.pages.tables import code, described, table
from schemas.durations import write_duration
from stream.cli.main import app
from stream.settings import Settings


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its full name, in the order of the help."""
    yield from _below("respite", typer.main.get_command(app))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - click's, which typer hides
    inner = getattr(command, "commands", None)
    if inner is None or command.invoke_without_command:
        yield name, command
    for step, one in (inner or {}).items():
        yield from _below(f"{name} {step}", one)


def _settings_of(command: Any) -> list[Any]:  # noqa: ANN401 - click's
    """The options of a command that are settings; `--alerts` of replay is a file, not a topic."""
    told = {
        one.name: one.help for name, other in commands() if name in ("respite worker", "respite api")
        for one in other.params
    }  # fmt: skip
    return [
        one
        for one in command.params
        if one.name in Settings.model_fields and told.get(one.name) == getattr(one, "help", None)
    ]


def option_names(command: Any) -> dict[str, Any]:  # noqa: ANN401 - click's
    """Every spelling of every option of a command."""
    return {
        spelling: one
        for one in command.params
        if one.param_type_name == "option"
        for spelling in (*one.opts, *one.secondary_opts)
    }


def commands_page() -> str:
    """All commands with what they alone take; settings have a page of their own."""
    parts = [
        (
            "# Commands\n\n`respite COMMAND --help` prints the same. Every [setting](settings.md) that a command "
            "takes is an option, an environment variable, or left at its default.\n\n"
            "Exit status: 0 done, 2 wrong usage or settings, 3 finished but some input was rejected, 1 anything "
            "else. A command that was interrupted ends with 130.\n"
        )
    ]
    for name, command in commands():
        parts.append(f"\n## {name}\n\n{described(command.help or '')}\n\n{_usage(name, command)}\n")
        settings = _settings_of(command)
        own = [one for one in command.params if one not in settings]
        rows = [[_spelled(one), _default(one), described(getattr(one, "help", None) or "")] for one in own]
        if rows:
            parts.append(table(["argument or option", "default", "about"], rows) + "\n")
        if settings:
            spelled = [one.opts[0] for one in settings]
            linked = ", ".join(f"[`{opt}`](settings.md#{opt.strip('-')})" for opt in spelled)
            parts.append(f"Settings: {linked}\n")
    return "".join(parts)


def _usage(name: str, command: Any) -> str:  # noqa: ANN401 - click's
    words = []
    for one in command.params:
        if one.param_type_name == "argument":
            words.append(f"{one.name.upper()}{'…' if one.nargs == -1 else ''}")
        elif one.required:
            words.append(f"{one.opts[0]} {one.name.upper()}")
    return f"```text\n{' '.join([name, *words])}\n```\n"


def _spelled(one: Any) -> str:  # noqa: ANN401 - click's
    if one.param_type_name == "argument":
        return code(one.name.upper())
    spelled = " / ".join(code(opt) for opt in (*one.opts, *one.secondary_opts))
    return f"{spelled}, needed" if one.required else spelled


def _default(one: Any) -> str:  # noqa: ANN401 - click's
    if one.default is None or one.default is False or one.required or callable(one.default):
        return ""
    return code(str(one.default))


def settings_page() -> str:
    """Every setting: option, variable, default, meaning, and who takes it."""
    takers: dict[str, list[str]] = {name: [] for name in Settings.model_fields}
    for name, command in commands():
        for one in _settings_of(command):
            takers[one.name].append(name.removeprefix("respite "))
    parts = [
        (
            "# Settings\n\nAn option comes before the environment variable, the variable before the default. "
            "Durations are written like `90s`, `20min`, `1h30min` or `15d`. All faults are told at once, and a "
            "process that is given any ends with status 2.\n"
        )
    ]
    for name, field in Settings.model_fields.items():
        option = name.replace("_", "-")
        parts.append(f"\n## {option}\n\n{described(field.description or '')}\n\n")
        by = ", ".join(f"[{one}](commands.md#respite-{one.replace(' ', '-')})" for one in takers[name])
        rows = [["option", code(f"--{option}")], ["variable", code(f"RESPITE_{name.upper()}")],
                ["default", _written(name, field.default)], ["taken by", by]]  # fmt: skip
        parts.append(table(["", ""], rows))
    return "".join(parts)


def _written(name: str, value: object) -> str:
    if value in (None, "", ()):
        return "none"
    if isinstance(value, tuple):
        return code(",".join(value))
    if isinstance(value, int) and name not in ("metrics_port", "api_port", "zone_digits"):
        days, rest = divmod(value, 86_400)
        return code(f"{days}d" if days > 1 and not rest else write_duration(value))
    return code(str(value))
