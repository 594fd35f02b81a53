"""What ``respite demo`` shows on the terminal: alerts as they come, and a live line below them."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream.settings import Settings

_COLOURS = {
    "approaching": "yellow",
    "limit_reached": "bold red",
    "reminder": "magenta",
    "hold_released": "green",
    "hold_breached": "bold white on red",
    "retracted": "dim",
}
_WORDS = {
    "approaching": "接近上限 approaching",
    "limit_reached": "到达上限 limit reached",
    "reminder": "再次提醒 reminder",
    "hold_released": "可以接单 hold released",
    "hold_breached": "违规派单 hold breached",
    "retracted": "已撤回 retracted",
}


#: Of alerts that come closer together than this only those that end an assignment are shown.
_AT_MOST_EVERY_S = 0.05
_ALWAYS_SHOWN = frozenset({"limit_reached", "hold_breached"})
_INDENT = " " * 13


class DemoTerminal:
    """What scrolls, and the live line below it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._shown_s = 0.0
        self._began_s = time.monotonic()
        self.alerts: Counter[str] = Counter()
        self.statuses: dict[str, str] = {}
        self.refused = 0
        self.clock = "-"
        self.skipped = 0
        self.console_at = ""
        self.over = False
        self.breaches: Counter[str] = Counter()
        self._explained: set[tuple[str, str]] = set()

    def alert(self, document: dict[str, Any]) -> None:
        """Show an alert on a line; of a burst only some, the rest are counted.

        What the rule says to the rider stands below the first alert of each kind and limit alone.
        """
        kind = str(document["kind"])
        self.alerts[kind] += 1
        if kind == "hold_breached":
            self.breaches[str(document["platform"])] += 1
        if time.monotonic() - self._shown_s < _AT_MOST_EVERY_S and kind not in _ALWAYS_SHOWN:
            self.skipped += 1
            return
        self._shown_s = time.monotonic()
        self.console.print(Text(_one_line(document), style=_COLOURS[kind]), overflow="ellipsis", no_wrap=True)
        limit, message = f"{document['policy']}/{document['limit']}", document["message"]
        if isinstance(message, dict) and (kind, limit) not in self._explained:
            self._explained.add((kind, limit))
            for language in ("zh", "en"):
                self.console.print(Text(f"{_INDENT}{message[language]}", style="italic"))

    def line(self) -> Text:
        """The live line; when the day is over, what is left to do."""
        if self.over:
            return Text(f"The day is over; {self.console_at} stays until Ctrl-C.", style="reverse")
        held = sum(1 for status in self.statuses.values() if status == "hold")
        rate = sum(self.alerts.values()) / max(1.0, time.monotonic() - self._began_s)
        return Text(
            f"now {self.clock}   riders {len(self.statuses)}   on hold {held}   "
            f"alerts {sum(self.alerts.values())} ({rate:.0f}/s)   refused messages {self.refused}",
            style="reverse",
        )

    def summary(self) -> Table:
        """What the day came to."""
        held = sum(1 for status in self.statuses.values() if status == "hold")
        table = Table("", "", title=f"The day, until {self.clock}", show_header=False, title_justify="left")
        table.columns[1].justify = "right"
        table.add_row("骑手 riders", str(len(self.statuses)))
        table.add_row("最后仍应休息 on hold at the end", str(held), end_section=True)
        for kind, count in self.alerts.most_common():
            table.add_row(Text(_WORDS[kind], style=_COLOURS[kind]), str(count))
        for platform, count in sorted(self.breaches.items()):
            table.add_row(f"{_INDENT}{platform}", str(count))
        table.add_section()
        table.add_row("拒收消息 refused messages, in the dead letters", str(self.refused))
        table.add_row("未逐条显示 alerts counted, not shown", str(self.skipped))
        return table


def _one_line(document: dict[str, Any]) -> str:
    """When, who, what, by which limit and how much."""
    minutes = int(document["counted_s"]) // 60
    at = str(document["event_time"])[5:16].replace("T", " ")
    line = (
        f"{at}  {document['rider_id']:<10} {_WORDS[str(document['kind'])]}  {document['limit']}  "
        f"{minutes // 60} h {minutes % 60:02d} min"
    )
    return f"{line}  {document['platform']}" if document["platform"] else line


def take(settings: Settings, board: DemoTerminal, topic: str, value: bytes | None) -> None:
    """Take one record of one of the topics."""
    if value is None or topic == settings.dead_letter_topic:
        board.refused += topic == settings.dead_letter_topic
        return
    document = msgspec.json.decode(value)
    if topic == settings.alerts_topic:
        board.alert(document)
    elif topic == settings.status_topic:
        board.statuses[document["rider_id"]] = document["status"]
    else:
        board.clock = max(board.clock, str(document["now"] or "-"))
