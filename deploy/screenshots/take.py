"""Takes the manual's pictures of the console anew, from a demonstration that it starts and stops."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURES = ROOT / "docs" / "en" / "assets"
_DEMO = ("demo", "--riders", "1500", "--seconds", "240", "--no-stay")
_READY_S = 900
_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")


def _address(log: Path, demo: subprocess.Popen[bytes]) -> str:
    deadline_s = time.monotonic() + _READY_S
    while time.monotonic() < deadline_s and demo.poll() is None:
        said = log.read_text(encoding="utf-8", errors="replace")
        found = re.search(r"Console\s+(http://\S+?)/\s", said)
        if found and "a day in" in said:
            return found[1]
        time.sleep(0.2)
    sys.exit(f"the demo does not start; see {log}")


def _page(browser: Browser, address: str, width: int, theme: Literal["light", "dark"], locale: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900 if width > 500 else 740}, color_scheme=theme, locale=locale
    )
    page = context.new_page()
    page.set_default_timeout(300_000)
    page.goto(f"{address}/")
    return page


def _take(browser: Browser, address: str) -> None:
    now = _page(browser, address, 1280, "light", "en-US")
    phone = _page(browser, address, 390, "light", "zh-CN")
    rider = _page(browser, address, 1280, "dark", "en-US")
    # A city in which dozens are on hold says more than the first one.
    held = now.locator("#count-on_hold .value")
    # Not by `wait_for_function`, which the console's policy of content forbids.
    while not re.fullmatch(r"[2-9]\d|\d{3}", held.inner_text()):
        now.wait_for_timeout(200)
    now.wait_for_timeout(2000)
    now.screenshot(path=PICTURES / "now.png")
    place = now.locator("#latest a").get_attribute("href") or "#/"
    rider.goto(f"{address}/{place}")
    rider.wait_for_selector("#why dl")
    rider.screenshot(path=PICTURES / "rider.png")
    phone.goto(f"{address}/{place}")
    phone.wait_for_selector("#why dl")
    phone.screenshot(path=PICTURES / "phone.png")


def main() -> None:
    """Start, take, stop."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no chromium here: deploy/bootstrap.sh browser installs Debian's (as root)")
    log = ROOT / ".respite" / "screenshots.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as out:
        demo = subprocess.Popen(
            [sys.executable, "-m", "stream", *_DEMO], stdout=out, stderr=subprocess.STDOUT, cwd=ROOT
        )
    try:
        address = _address(log, demo)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(_ARGUMENTS))
            _take(browser, address)
            browser.close()
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait()


if __name__ == "__main__":
    main()
