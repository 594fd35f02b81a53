"""A headless Chromium and a page of it, whose errors are collected."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

#: As root Chromium has no sandbox; without a screen and a network of its own it needs nothing else.
_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
_AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


class NoChromium(RuntimeError):
    """There is no Chromium; the message says how to get one."""


def executable() -> str:
    """Debian's Chromium.

    Raises
    ------
    NoChromium
        When it is not installed.
    """
    found = shutil.which("chromium")
    if found is None:
        raise NoChromium("no chromium here: deploy/bootstrap.sh browser installs Debian's (as root)")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium with a profile of its own, gone in the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """A page of the console as a person sees it; what its console says is kept."""

    def __init__(
        self,
        browser: Browser,
        address: str,
        *,
        width: int = 1280,
        height: int = 900,
        theme: Literal["light", "dark"] = "light",
        locale: str = "en-US",
    ) -> None:
        self.address = address
        self.said: list[str] = []
        self._context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, locale=locale
        )
        self.page: Page = self._context.new_page()
        # The API's first answer may wait for kernels to be compiled.
        self.page.set_default_timeout(120_000)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(f"{message.type}: {message.text}")

    def open(self, place: str = "/") -> None:
        """Go to a page of the console."""
        self.page.goto(f"{self.address}/#{place}")
        self.page.wait_for_selector("h1")

    def violations(self) -> list[str]:
        """What axe finds."""
        # Of this package only axe itself is used.
        self.page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
        options = {"runOnly": {"type": "tag", "values": list(_AXE_TAGS)}}
        found = self.page.evaluate("(options) => axe.run(document, options)", options)["violations"]
        return [f"{one['id']}: {[node['html'] for node in one['nodes']][:3]}" for one in found]

    def fits(self) -> bool:
        """Whether nothing makes the page scroll sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))

    def close(self) -> None:
        """Leave."""
        self._context.close()
