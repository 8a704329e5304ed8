"""Downloads arrive whole or not at all, from a real server that cuts, stalls, lies and forgets."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from emnist_cli.core.data.cache import sha256_of
from emnist_cli.core.data.download import Patience, download_file
from emnist_cli.core.errors import DataError, UsageError
from tests import archives
from tests.loopback import Loopback, closed_port, serve

NOISE = np.random.default_rng(0).bytes(200_000)
BODY = archives.zip_of_one("gzip/emnist-letters-train-images-idx3-ubyte.gz", NOISE)
SHA256 = hashlib.sha256(BODY).hexdigest()
OTHER = archives.zip_of_one("other", NOISE[::-1])
CUT = 100_000
QUICK = Patience(connect=2, read=0.2, retries=3, pause=0.001)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serve(BODY) as plan:
        yield plan


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data" / "gzip.zip"


def get(server: Loopback, target: Path, sha256: str | None = SHA256) -> None:
    download_file(server.url, target, sha256=sha256, patience=QUICK)


def left(target: Path) -> set[str]:
    return {path.name for path in target.parent.iterdir()} - {".gzip.zip.lock"}


def interrupt(server: Loopback, target: Path, sha256: str | None = SHA256) -> None:
    """Make a download end in the middle, its part kept."""
    server.cut_always = CUT
    with pytest.raises(DataError, match="interrupted after"):
        download_file(server.url, target, sha256=sha256, patience=QUICK._replace(retries=0))
    server.cut_always = None
    server.requests.clear()
    assert left(target) == {"gzip.zip.part", "gzip.zip.part.json"}


@pytest.mark.parametrize(("sha256", "redirect"), [(SHA256, ""), (None, "/elsewhere.zip")], ids=["known", "redirect"])
def test_it_arrives(server: Loopback, target: Path, sha256: str | None, redirect: str) -> None:
    server.location = redirect
    seen: list[tuple[int, int | None]] = []
    download_file(server.url, target, sha256=sha256, on_progress=lambda *at: seen.append(at), patience=QUICK)
    assert target.read_bytes() == BODY
    assert left(target) == {"gzip.zip"}
    assert seen == sorted(seen) and (seen[0], seen[-1]) == ((0, len(BODY)), (len(BODY), len(BODY)))
    assert sha256_of(target) == SHA256


def test_what_is_there_is_not_fetched_again(server: Loopback, target: Path) -> None:
    get(server, target)
    get(server, target)
    assert len(server.requests) == 1
    target.write_bytes(b"damaged since")
    get(server, target)
    assert target.read_bytes() == BODY


def test_a_cut_is_resumed(server: Loopback, target: Path) -> None:
    server.cuts = [CUT, 50_000]
    get(server, target)
    assert target.read_bytes() == BODY
    whole, second, third = server.asked()
    assert (whole, server.requests[1]["if-range"]) == ("", '"1"')
    assert 0 < int(second[6:-1]) <= CUT < int(third[6:-1])


def test_a_stall_is_a_cut(server: Loopback, target: Path) -> None:
    server.cuts = [CUT, -1]
    with pytest.raises(DataError, match=r"interrupted after [\d,]+ of 200,\d+ bytes .*timed out"):
        get(server, target)
    get(server, target)
    assert target.read_bytes() == BODY


def test_a_server_that_says_nothing(server: Loopback, target: Path) -> None:
    server.cuts = [-1]
    with pytest.raises(DataError, match=r"nothing came from 127\.0\.0\.1 .*--url"):
        get(server, target)


def test_cut_every_time_it_gives_up_and_goes_on_later(server: Loopback, target: Path) -> None:
    server.cut_always = 20_000
    with pytest.raises(DataError, match="run the same command again to go on") as error:
        get(server, target)
    assert len(server.requests) == 4
    size = (target.parent / "gzip.zip.part").stat().st_size
    assert f"after {size:,} of {len(BODY):,} bytes" in str(error.value)
    server.cut_always = None
    get(server, target)
    assert server.asked()[-1] == f"bytes={size}-"
    assert target.read_bytes() == BODY


def test_two_runs_at_once_end_with_one_right_file(server: Loopback, target: Path) -> None:
    begun, waiting = threading.Event(), threading.Event()
    notes: list[str] = []

    def hold(done: int, total: int | None) -> None:
        if done > CUT and not begun.is_set():
            begun.set()
            assert waiting.wait(20), "the second run does not wait"

    def note(text: str) -> None:
        notes.append(text)
        waiting.set()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(download_file, server.url, target, sha256=SHA256, on_progress=hold, patience=QUICK)
        assert begun.wait(20)
        second = pool.submit(download_file, server.url, target, sha256=SHA256, on_note=note, patience=QUICK)
        first.result(40)
        second.result(40)
    assert target.read_bytes() == BODY
    assert left(target) == {"gzip.zip"}
    assert notes == [f"another run is downloading {target}; waiting for it to end"]
    assert len(server.requests) == 1, "what the first run got is good for the second one too"


def test_a_run_takes_over_where_the_one_it_waited_for_was_cut(server: Loopback, target: Path) -> None:
    """The first run dies in the middle; the second one goes on from its bytes."""
    begun, waiting = threading.Event(), threading.Event()

    def die(done: int, total: int | None) -> None:
        if done > CUT:
            begun.set()
            assert waiting.wait(20)
            raise RuntimeError("killed")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(download_file, server.url, target, sha256=SHA256, on_progress=die, patience=QUICK)
        assert begun.wait(20)
        second = pool.submit(
            download_file, server.url, target, sha256=SHA256, on_note=lambda text: waiting.set(), patience=QUICK
        )
        assert isinstance(first.exception(40), RuntimeError)
        second.result(40)
    assert target.read_bytes() == BODY
    assert server.asked()[1] > "bytes=1"


@pytest.mark.parametrize("sha256", [SHA256, None], ids=["known", "unknown"])
def test_bytes_that_changed_on_the_disk_are_seen(server: Loopback, target: Path, sha256: str | None) -> None:
    part = target.parent / "gzip.zip.part"

    def spoil(done: int, total: int | None) -> None:
        if done == total:  # all has come, and was right
            with part.open("r+b") as file:
                file.seek(len(BODY) - 300 if sha256 is None else 50_000)
                file.write(bytes(300))

    with pytest.raises(DataError, match=r"Received: .*; it was removed, the next attempt starts afresh"):
        download_file(server.url, target, sha256=sha256, on_progress=spoil, patience=QUICK)
    assert left(target) == set()
    get(server, target, sha256)
    assert target.read_bytes() == BODY


def test_interrupted_by_the_user_it_goes_on_later(server: Loopback, target: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        if done > CUT:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download_file(server.url, target, sha256=SHA256, on_progress=stop, patience=QUICK)
    get(server, target)
    assert server.asked()[1] > "bytes=1"
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("sha256", [SHA256, None], ids=["known", "unknown"])
@pytest.mark.parametrize("how", ["no ranges", "changed", "changed, If-Range ignored", "shifted", "shorter"])
def test_what_does_not_fit_starts_over(server: Loopback, target: Path, how: str, sha256: str | None) -> None:
    server.body = {"shorter": BODY + NOISE}.get(how, OTHER if how.startswith("changed") else BODY)
    interrupt(server, target, sha256)
    if how == "shorter":
        (target.parent / "gzip.zip.part").write_bytes(server.body[: len(BODY) + 5])
    server.ranges = how != "no ranges"
    server.heed_if_range = "ignored" not in how
    server.etag = '"2"' if how.startswith("changed") else '"1"'
    server.shift = -1 if how == "shifted" else 0
    server.body = BODY
    get(server, target, sha256)
    assert target.read_bytes() == BODY
    assert server.asked()[0].startswith("bytes=")


def test_another_address_starts_over(server: Loopback, target: Path) -> None:
    interrupt(server, target)
    server.url += "?mirror"
    get(server, target)
    assert (server.asked(), target.read_bytes()) == ([""], BODY)


@pytest.mark.parametrize(("etag", "modified"), [("", ""), ('W/"1"', ""), ('W/"1"', "Mon, 02 Jan 2023 00:00:00 GMT")])
def test_versions_without_a_strong_name(server: Loopback, target: Path, etag: str, modified: str) -> None:
    server.etag, server.modified = etag, modified
    interrupt(server, target)
    get(server, target)
    assert server.requests[0].get("if-range", "") == modified
    assert server.asked()[0].startswith("bytes=")
    target.unlink()
    interrupt(server, target, None)
    get(server, target, None)  # with neither checksum nor name, bytes of two files might be joined
    assert server.asked()[0].startswith("bytes=") == bool(modified)
    assert target.read_bytes() == BODY


def test_whole_but_not_yet_renamed(server: Loopback, target: Path) -> None:
    interrupt(server, target)
    (target.parent / "gzip.zip.part").write_bytes(BODY)
    get(server, target)
    assert (server.requests, target.read_bytes()) == ([], BODY)


def test_a_wrong_checksum(server: Loopback, target: Path) -> None:
    server.body = OTHER
    with pytest.raises(DataError, match=f"sha256 {SHA256}. Received: {hashlib.sha256(OTHER).hexdigest()}"):
        get(server, target)
    assert left(target) == set()


@pytest.mark.parametrize("body", [b"neither", b"", BODY[:-30]])
def test_no_zip(server: Loopback, target: Path, body: bytes) -> None:
    server.body = body
    with pytest.raises(
        DataError, match=r"expected a zip archive\. Received: (a text file|an empty|a zip archive cut short)"
    ):
        get(server, target, None)
    assert left(target) == set()


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/zip", ""])
def test_a_page_instead(server: Loopback, target: Path, content_type: str) -> None:
    interrupt(server, target)
    server.ranges, server.content_type = False, content_type
    server.body = b"\r\n<!DOCTYPE html><html><head><title>Sign in\n to the network</title></head></html>"
    with pytest.raises(DataError, match="Received: an HTML page titled 'Sign in to the network'"):
        get(server, target)
    assert (target.parent / "gzip.zip.part").stat().st_size > 0  # still good for going on
    if content_type.startswith("text/html"):
        server.body = b"moved"
        with pytest.raises(DataError, match="Received: an HTML page;"):
            get(server, target)


@pytest.mark.parametrize(
    ("status", "reason"), [(404, "Not Found"), (403, "Forbidden"), (500, "Internal"), (206, "Part")]
)
def test_errors_of_the_server(server: Loopback, target: Path, status: int, reason: str) -> None:
    server.status = status
    with pytest.raises(DataError, match=f"{server.url}: the server answered {status} {reason}.*--url"):
        get(server, target)
    assert left(target) == set()


def test_a_proxy_is_used(server: Loopback, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url.removesuffix("/gzip.zip"))
    download_file("http://emnist.invalid/gzip.zip", target, sha256=SHA256, patience=QUICK)
    assert server.requests[0]["path"] == "http://emnist.invalid/gzip.zip"
    monkeypatch.setenv("http_proxy", f"127.0.0.1:{closed_port()}")
    with pytest.raises(DataError, match=r"cannot reach emnist\.invalid by way of the proxy 127.0.0.1"):
        download_file("http://emnist.invalid/gzip.zip", target, sha256=None, patience=QUICK)


def test_unreachable(target: Path) -> None:
    with pytest.raises(DataError, match=r"cannot reach 127.0.0.1 \(Connection refused\).*--url.*emnist data import"):
        download_file(f"http://127.0.0.1:{closed_port()}/gzip.zip", target, patience=QUICK)
    with pytest.raises(DataError, match=r"cannot reach emnist.invalid"):
        download_file("https://emnist.invalid/gzip.zip", target, patience=QUICK)


@pytest.mark.parametrize(
    "url", ["file:///gzip.zip", "gzip.zip", "", "http://", "http://[::1", "http://h:x/", "ftp://h/"]
)
def test_addresses_that_are_none(target: Path, url: str) -> None:
    with pytest.raises(UsageError, match=r"--url: expected an address that starts with http:// or https://"):
        download_file(url, target)


def test_too_little_space(server: Loopback, target: Path) -> None:
    server.claims = 10**18
    with pytest.raises(DataError, match=r"too little space\. Expected: 1,000,000,000,000,000,000 bytes free"):
        get(server, target)
    assert left(target) == set()


def test_a_place_that_cannot_be_written(server: Loopback, target: Path, tmp_path: Path) -> None:
    (target.parent / "gzip.zip.part").mkdir(parents=True)
    with pytest.raises(DataError, match=r"gzip\.zip\.part: cannot be written \("):
        get(server, target)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be written"):
        get(server, tmp_path / "file" / "gzip.zip")
    with pytest.raises(DataError, match="cannot be read"):
        sha256_of(tmp_path / "none")


# A device that is always full, where the system has one.
@pytest.mark.parametrize("full", [path for path in [Path("/dev/full")] if path.exists()])
def test_a_full_disk(server: Loopback, target: Path, full: Path) -> None:
    target.parent.mkdir()
    (target.parent / "gzip.zip.part").symlink_to(full)
    with pytest.raises(DataError, match=r"gzip\.zip\.part: cannot be written \(No space left"):
        get(server, target)
