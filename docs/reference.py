"""``python -m docs.reference [--check]``: the manual's reference pages, made from what they describe.

Commands come from the command line itself, settings, messages and files from their models, metrics from the
registries that serve them, alerts from their rules, the API from its OpenAPI document.
"""

from __future__ import annotations

import sys
from pathlib import Path

from deploy.generated import write
from docs.pages import alerts, api, commands, messages, metrics

FOLDER = Path(__file__).resolve().parent / "en" / "reference"
_NOTE = "<!-- Made by python -m docs.reference: change what it describes. -->\n\n"


def pages() -> dict[Path, str]:
    """Every reference page, and the OpenAPI document beside them."""
    made = {
        "commands.md": commands.commands_page(),
        "settings.md": commands.settings_page(),
        "messages.md": messages.messages_page(),
        "policy-file.md": messages.policy_page(),
        "webhooks-file.md": messages.webhooks_page(),
        "rest-stops-file.md": messages.rest_stops_page(),
        "metrics.md": metrics.page(),
        "alerts.md": alerts.page(),
        "api.md": api.page(),
    }
    texts = {FOLDER / name: _NOTE + text.rstrip() + "\n" for name, text in made.items()}
    return {**texts, FOLDER / "openapi.json": api.document_text()}


if __name__ == "__main__":
    sys.exit(write(pages(), "docs.reference", sys.argv[1:]))
