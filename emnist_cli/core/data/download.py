"""Download EMNIST's archive for `emnist data`, completely or not at all, and resume an interrupted download.

The bytes go to `NAME.part`. `NAME.part.json` beside it says which version of which file they belong to. Once the file
is complete and verified, it is renamed to `NAME`.
"""

import re
import socket
import threading
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from emnist_cli.core.data.cache import sha256_of
from emnist_cli.core.data.containers import is_html, what_is
from emnist_cli.core.data.partial import OnBytes, PartialDownload, lock_download, writing
from emnist_cli.core.errors import DataError, UsageError

URL = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
SIZE = 561_753_746
SHA256 = "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"

ADVICE = "try a mirror: emnist data download --url URL, or files got another way: emnist data import PATH"

_BLOCK = 1 << 14
"""Bytes taken at once; what came of a block before a cut is lost."""


class Patience(NamedTuple):
    """How long to wait for a server.

    Attributes:
        connect: seconds until a host that does not answer counts as unreachable.
        read: seconds without a byte that count as a cut connection.
        retries: how often one call resumes by itself.
        pause: seconds before the first time; doubles each time.
    """

    connect: float = 5.0
    read: float = 30.0
    retries: int = 5
    pause: float = 1.0


PATIENCE = Patience()


class _Cut(Exception):
    """The connection broke; what came is kept."""


def download_file(
    url: str,
    target: Path,
    *,
    sha256: str | None = SHA256,
    on_progress: OnBytes = lambda done, total: None,
    on_note: Callable[[str], None] = lambda text: None,
    patience: Patience = PATIENCE,
) -> None:
    """Download a zip archive, going on where an earlier attempt ended.

    Of several runs that want the same file one downloads, and the others wait for it.

    Args:
        url: http or https.
        target: the file to make; one that has the right checksum already is left as it is.
        sha256: what the archive must have; None for another archive, which then must be a zip that can be read.
        on_progress: called with the bytes done and in all for every block.
        on_note: called with one line where another run is at it already, before waiting for that run.
        patience: how long to wait, and how often to resume.

    Raises:
        UsageError: `url` is not one of http or https.
        DataError: the archive cannot be had or is another one; the message says why and what to do.
    """
    _check_url(url)
    if _is_there(target, sha256):
        return
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with lock_download(target, on_note) as waited:
        if waited and _is_there(target, sha256):
            return
        part = PartialDownload(target, url, checked=sha256 is not None)
        if not part.whole:  # it is where the process ended just before the file got its name
            _check_reachable(url, patience.connect)
            _download(part, on_progress, patience)
        part.verify(sha256)
        part.finish(target)


def _is_there(target: Path, sha256: str | None) -> bool:
    return sha256 is not None and target.is_file() and sha256_of(target) == sha256


def _check_url(url: str) -> None:
    try:
        good = urlsplit(url).scheme in ("http", "https") and requests.Request("GET", url).prepare().url
    except ValueError:  # of which requests' errors about addresses are kinds
        good = None
    if not good:
        raise UsageError(f"--url: expected an address that starts with http:// or https://. Received: {url!r}")


def _check_reachable(url: str, seconds: float) -> None:
    """Raise DataError unless the host, or the proxy that the environment names for it, takes connections.

    Looking up a name may hang for much longer than any timeout, so a thread is waited for instead.
    """
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url, no_proxy=None))
    parts = urlsplit(url if not proxy else proxy if "//" in proxy else f"http://{proxy}")
    failure = [f"no answer within {seconds:g} s"]

    def connect() -> None:
        try:
            # Half, so that a second address of the host gets its turn.
            port = parts.port or (443 if parts.scheme == "https" else 80)
            socket.create_connection((parts.hostname, port), seconds / 2).close()
            failure.clear()
        except (OSError, ValueError) as error:
            failure[:] = [_reason(error)]

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(seconds)
    if failure:
        host = f"{urlsplit(url).hostname} by way of the proxy {parts.hostname}" if proxy else parts.hostname
        raise DataError(f"{url}: cannot reach {host} ({failure[0]}); {ADVICE}")


def _download(part: PartialDownload, on_progress: OnBytes, patience: Patience) -> None:
    """Fetch what is missing, resuming after cuts for as long as each attempt brings something."""
    with requests.Session() as session:
        session.headers["Accept-Encoding"] = "identity"  # lengths and ranges are to be the archive's own
        for attempt in range(patience.retries + 1):
            before = part.received
            try:
                _attempt(session, part, on_progress, patience)
                return
            except _Cut as cut:
                if part.received == before or attempt == patience.retries:
                    raise _interrupted(part, str(cut)) from None
            time.sleep(patience.pause * 2**attempt)


def _attempt(session: requests.Session, part: PartialDownload, on_progress: OnBytes, patience: Patience) -> None:
    """Ask for what is missing once, or for everything where the server no longer has the rest of that.

    Raises:
        DataError: the server's answer is not the archive.
        _Cut: it ended before the archive did.
    """
    headers = {"Range": f"bytes={part.size}-"} if part.size else {}
    if part.size and part.validator:
        headers["If-Range"] = part.validator
    try:
        with session.get(part.url, headers=headers, stream=True, timeout=(patience.connect, patience.read)) as response:
            fits = _receive(response, part, on_progress)
    except (requests.Timeout, requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        raise _Cut(_reason(error)) from None
    except requests.RequestException as error:
        raise DataError(f"{part.url}: cannot be fetched ({_reason(error)}); {ADVICE}") from None
    if not fits:
        part.discard()
        _attempt(session, part, on_progress, patience)
    elif part.total is not None and part.size < part.total:
        raise _Cut("the connection was closed")


def _receive(response: requests.Response, part: PartialDownload, on_progress: OnBytes) -> bool:
    """Write an answer to disk; False where it is not the rest of what is there."""
    if part.size and (response.status_code == 416 or (response.status_code == 206 and not _continues(response, part))):
        return False
    if response.status_code != 200 and not (part.size and response.status_code == 206):
        raise DataError(f"{response.url}: the server answered {response.status_code} {response.reason}; {ADVICE}")
    blocks = response.iter_content(_BLOCK)
    if response.status_code == 200:
        first = next(blocks, b"")
        # Before anything that is there is given up for it.
        if is_html(first) or response.headers.get("Content-Type", "").lower().startswith("text/html"):
            page = what_is(first) if is_html(first) else "an HTML page"
            raise DataError(f"{response.url}: expected a zip archive. Received: {page}; {ADVICE}")
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() and "Content-Encoding" not in response.headers else None
        part.restart(_validator(response), total)
        blocks = chain([first], blocks)
    part.append(blocks, on_progress)
    return True


def _continues(response: requests.Response, part: PartialDownload) -> bool:
    """Whether an answer 206 is what comes next, of the same version; not every server heeds `If-Range`."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    if not found or int(found[1]) != part.size or part.total not in (None, int(found[2])):
        return False
    part.total = int(found[2])
    return not part.validator or _validator(response) in (None, part.validator)


def _validator(response: requests.Response) -> str | None:
    """What `If-Range` may name this version by: a weak ETag may not be used there."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified")


def _interrupted(part: PartialDownload, reason: str) -> DataError:
    if not part.size:
        return DataError(f"{part.url}: nothing came from {urlsplit(part.url).hostname} ({reason}); {ADVICE}")
    total = f" of {part.total:,}" if part.total else ""
    return DataError(
        f"{part.url}: interrupted after {part.size:,}{total} bytes ({reason}); "
        "they are kept, run the same command again to go on from there"
    )


def _reason(error: BaseException) -> str:
    """Say what is at the bottom of requests' and urllib3's nested errors."""
    inner = [e for e in (getattr(error, "reason", None), *error.args) if isinstance(e, BaseException)]
    if inner:
        return _reason(inner[0])
    return (isinstance(error, OSError) and error.strerror) or str(error)
