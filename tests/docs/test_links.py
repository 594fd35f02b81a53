"""Every link within README and manual leads somewhere, in the sources and on the built site."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.blocks import DOCS, ROOT, pages

#: Said to readers, never fetched by a page.
_SAID = ("https://www.standardwebhooks.com",)


class Page(HTMLParser):
    """What a page links to, what it loads, and what can be linked to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        self.ids |= {of[name] for name in ("id", "name") if name in of}
        if tag == "a" and "href" in of:
            self.links.append(of["href"])
        elif tag == "link" and "href" in of:
            (
                self.links if of.get("rel") in ("prev", "next", "canonical", "alternate") else self.loads
            ).append(of["href"])
        elif "src" in of:
            self.loads.append(of["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manual as `make docs` builds it; strict: a warning of mkdocs fails."""
    folder = tmp_path_factory.mktemp("site")
    for config, where in (("mkdocs.yml", folder), ("mkdocs.zh.yml", folder / "zh")):
        done = subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet",
             "--config-file", str(DOCS / config), "--site-dir", str(where)],
            cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


def broken(site: Path) -> Iterator[str]:
    """Links within the site that lead nowhere, and whatever a page would load from elsewhere."""
    found = {path: Page(path) for path in site.rglob("*.html")}
    for path, page in found.items():
        if path.name == "404.html":
            continue
        for link in page.links + page.loads:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                if url.scheme not in ("data", "mailto") and link not in _SAID:
                    yield f"{path.relative_to(site)}: {link}"
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            if target.is_dir():
                target /= "index.html"
            if (
                not target.exists()
                or not target.is_relative_to(site)
                or (url.fragment and target in found and unquote(url.fragment) not in found[target].ids)
            ):
                yield f"{path.relative_to(site)}: {link}"
        yield from (f"{path.relative_to(site)}: loads {one}" for one in page.loads if "//" in one)


def test_every_link_of_the_site_leads_somewhere_and_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    assert len(list(site.rglob("*.html"))) > 60
    assert not list(broken(site))


def test_a_broken_link_is_found(site: Path) -> None:
    page = site / "wrong.html"
    page.write_text(
        '<a href="no.html"></a><a href="index.html#no"></a><script src="https://cdn.example/x.js"></script>'
    )
    try:
        assert {one.rpartition(" ")[2] for one in broken(site)} == {
            "no.html", "index.html#no", "https://cdn.example/x.js",
        }  # fmt: skip
    finally:
        page.unlink()


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda page: page.name)
def test_what_stands_at_the_root_links_to_files_that_there_are(page: Path) -> None:
    import re

    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    local = [unquote(link) for link in links if "://" not in link]
    assert not [link for link in local if not (ROOT / link).exists()]


def test_the_readmes_are_short() -> None:
    for page in ROOT.glob("README*.md"):
        assert len(page.read_text(encoding="utf-8").splitlines()) <= 150


def test_every_page_stands_in_the_navigation() -> None:
    for language, config in (("en", "mkdocs.yml"), ("zh", "mkdocs.zh.yml")):
        text = (DOCS / config).read_text(encoding="utf-8")
        folder = DOCS / language
        assert not [path for path in folder.rglob("*.md") if str(path.relative_to(folder)) not in text]
    assert pages()
