"""What ``respite demo`` shows on the terminal: alerts as they come, and a live line below them."""

from __future__ import annotations

import time
from collections import Counter

import msgspec
from rich.console import Console
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

    def alert(self, document: dict[str, object]) -> None:
        """Show an alert; of a burst only some, the rest are counted."""
        kind = str(document["kind"])
        self.alerts[kind] += 1
        if time.monotonic() - self._shown_s < 0.05 and kind not in ("limit_reached", "hold_breached"):
            self.skipped += 1
            return
        self._shown_s = time.monotonic()
        minutes = int(str(document["counted_s"])) // 60
        line = (
            f"{str(document['event_time'])[5:16].replace('T', ' ')}  {document['rider_id']:<10} "
            f"{_WORDS[kind]}  {document['limit']}  {minutes // 60} h {minutes % 60:02d} min"
        )
        if document["platform"]:
            line += f"  {document['platform']}"
        message = document["message"]
        if isinstance(message, dict):
            line += f"\n             {message['zh']} {message['en']}"
        self.console.print(Text(line, style=_COLOURS[kind]))

    def line(self) -> Text:
        """The live line."""
        held = sum(1 for status in self.statuses.values() if status == "hold")
        rate = sum(self.alerts.values()) / max(1.0, time.monotonic() - self._began_s)
        return Text(
            f"now {self.clock}   riders {len(self.statuses)}   on hold {held}   "
            f"alerts {sum(self.alerts.values())} ({rate:.0f}/s)   refused messages {self.refused}",
            style="reverse",
        )

    def summary(self) -> str:
        """What the day came to."""
        held = sum(1 for status in self.statuses.values() if status == "hold")
        told = ", ".join(f"{_WORDS[kind]} {count}" for kind, count in self.alerts.most_common())
        return (
            f"{len(self.statuses)} riders, {held} of them on hold at the end; {told or 'no alerts'}; "
            f"{self.refused} refused messages in the dead letters ({self.skipped} alerts counted, not shown)"
        )


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
