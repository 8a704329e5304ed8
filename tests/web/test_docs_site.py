"""The documentation's site, as mkdocs builds it: complete, readable on a phone, and loading nothing from elsewhere."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

import emnist_cli
from tests.conftest import REPOSITORY
from tests.web.hosting import hosted

pytestmark = pytest.mark.slow

DOCS = REPOSITORY / "docs"
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


class Loads(HTMLParser):
    """What a page loads when it is opened, and where it links to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.links.append(given.get("href") or "")
        elif (name := LOADS.get(tag)) and given.get("rel") not in ("canonical", "prev", "next"):
            self.loaded.append(given.get(name) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as CI builds it: a warning, as for a link that leads nowhere, is a failure."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def pages(site: Path) -> Iterator[Path]:
    return site.rglob("*.html")


def test_every_page_is_in_the_navigation(site: Path) -> None:
    links = Loads(site / "index.html").links
    for page in DOCS.rglob("*.md"):
        address = page.relative_to(DOCS).with_suffix("").as_posix() + "/"
        assert ("." if address == "index/" else address) in links, page


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loaded = [(page.name, address) for page in pages(site) for address in Loads(page).loaded]
    assert len(loaded) > 100
    assert [(page, address) for page, address in loaded if re.match("[a-z]+:|//", address)] == []
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert styles
    assert [found for style in styles for found in re.findall(r"url\(\"?(?!data:)[a-z]*:?//|@import", style)] == []


def test_the_api_page_has_every_name_with_its_signature(site: Path) -> None:
    page = (site / "api" / "index.html").read_text(encoding="utf-8")
    names = set(emnist_cli.__all__) - {"__version__"}
    assert names == set(re.findall(r'<h2 id="emnist_cli\.(\w+)"', page))
    for name in names - {"Alternative", "EmnistError"}:  # whose constructors are a named tuple's and Exception's
        section = page.split(f'<h2 id="emnist_cli.{name}"')[1].split("<h2")[0]
        signature = re.sub("<[^>]*>", "", section.split("doc-signature")[1].split("</code></pre>")[0])
        for parameter in inspect.signature(getattr(emnist_cli, name)).parameters:
            assert re.search(rf"\b{parameter}:", signature), (name, parameter)


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with hosted(site) as address:
        yield address


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_and_follow_the_systems_colours(
    address: str, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    with browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=scheme) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for name in ("", "benchmark/", "model/starter/", "troubleshooting/", "api/"):
            page.goto(address + name, wait_until="networkidle")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            assert (page.evaluate("getComputedStyle(document.body).colorScheme") == "dark") == (scheme == "dark")
        assert [url for url in asked if not url.startswith((address, "data:"))] == []


def test_the_button_copies_commands_without_prompts_and_output(address: str, browser: Browser) -> None:
    with browser.new_context(permissions=["clipboard-read", "clipboard-write"]) as context:
        page = context.new_page()
        page.goto(address + "predicting/")
        page.locator(".highlight", has_text="missing.png").first.get_by_role("button").click()
        copied = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert copied[-1] == "emnist predict examples/scan-5.tiff blank.png missing.png"
    assert len(copied) == 2
