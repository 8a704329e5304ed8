"""A running server and a browser."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.web.browser import Open, Pad, find_browser, launch, open_page
from tests.web.proxy import Proxy, between
from tests.web.running import running


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a running server, which must end cleanly and have had nothing to complain about."""
    with running() as started:
        yield started.address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not find_browser():
        reason = "no Chromium or Chrome is installed; the page cannot be tested without one"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with launch() as running:
        yield running


@pytest.fixture
def open_pad(browser: Browser) -> Iterator[Open]:
    """Open the page at an address; at the end, no page may have complained."""
    pads: list[Pad] = []

    def open_(url: str, **how: Any) -> Pad:
        pads.append(open_page(browser, url, **how))
        return pads[-1]

    try:
        yield open_
        for pad in pads:
            pad.check()
    finally:
        for pad in pads:
            pad.page.context.close()


@pytest.fixture
def pad(open_pad: Open, server: str) -> Pad:
    """The page, straight from the server."""
    return open_pad(server)


@pytest.fixture
def proxy(server: str) -> Iterator[Proxy]:
    with between(server) as standing:
        yield standing
