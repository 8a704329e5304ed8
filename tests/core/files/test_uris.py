"""Archives and a loopback server that speaks as much of S3 as reading takes."""

import re
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from emnist_cli.core.errors import ImageError, MissingError
from emnist_cli.core.files import uri_search, uris
from emnist_cli.core.files.discovery import ImageRef, find_pictures
from tests.loopback import closed_port

pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")

FILES = {
    name: name.encode()
    for name in (
        "b.png", "a.JPG", "é.tif", "%20#&.png", "notes.txt", ".hidden.png", "B.png",
        "sub/c.png", "sub/.git/d.png", "sub/deep/e.png", "sub/deep/f.csv", "sub-2/g.png", "empty/x.txt",
    )
}  # fmt: skip


class Bucket(BaseHTTPRequestHandler):
    """One bucket, "scans", with FILES in the folder "in" and the empty objects that stand for folders."""

    protocol_version = "HTTP/1.1"
    objects = {f"in/{name}": data for name, data in FILES.items()} | {"in/": b"", "in/nothing.png": b""}

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        if bucket != "scans":
            self.answer(403, b"<Error><Code>AccessDenied</Code><Message>not yours</Message></Error>")
        elif not key:
            self.answer(200, self.listing({k: v[0] for k, v in parse_qs(parts.query).items()}).encode())
        elif key not in self.objects:
            self.answer(404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")
        else:
            data, span = self.objects[key], re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            self.answer(206 if span else 200, data[int(span[1]) : int(span[2]) + 1] if span else data)

    def listing(self, query: dict[str, str]) -> str:
        prefix = query.get("prefix", "")
        below = [key[len(prefix) :] for key in sorted(self.objects) if key.startswith(prefix)]
        folders = sorted({name.split("/")[0] for name in below if "/" in name})
        files = [name for name in below if "/" not in name]
        return (
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>scans</Name>'
            f"<Prefix>{prefix}</Prefix><KeyCount>{len(folders) + len(files)}</KeyCount><IsTruncated>false</IsTruncated>"
            + "".join(f"<Contents><Key>{escape(prefix + name)}</Key><Size>9</Size></Contents>" for name in files)
            + "".join(f"<CommonPrefixes><Prefix>{prefix}{name}/</Prefix></CommonPrefixes>" for name in folders)
            + "</ListBucketResult>"
        )

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/xml", "Content-Length": len(body), "ETag": '"1"'}.items():
            self.send_header(name, str(value))
        self.send_header("Last-Modified", "Wed, 21 Oct 2026 07:28:00 GMT")
        self.send_header("x-amz-bucket-region", "us-east-1")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Bucket) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        server.daemon_threads = True  # the client keeps its connections
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield "s3://scans"
        server.shutdown()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("local")
    for name, data in FILES.items():
        (folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "in" / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module", params=["s3", "zip", "file"])
def root(request: pytest.FixtureRequest, local: Path) -> tuple[str, str]:
    """What stands before and behind the path in a URI."""
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket')}/", ""
    if request.param == "file":
        return f"{local.as_uri()}/", ""
    with zipfile.ZipFile(local / "scans.zip", "w") as archive:
        for name, data in FILES.items():
            archive.writestr(f"in/{name}", data)
    return "zip://", f"::{local / 'scans.zip'}"


@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize(
    "path",
    [
        "in", "in/", "in/sub", "in/*.png", "in/s*", "in/*/*.png", "in/**/*.png", "in/**", "in/sub/**/e.png", "*/b.png",
        "in/.h*", "in/[bB].png", "in/none*.png", "in/empty", "in/notes.txt",
    ],
)  # fmt: skip
def test_found_as_on_the_disk(root: tuple[str, str], local: Path, path: str, recursive: bool) -> None:
    before, behind = root
    expected, left_out, skipped = [], [], []
    for found in find_pictures([str(local / path)], recursive, left_out.append):
        expected.append((Path(found.path).relative_to(local).as_posix(), str(found.problem)))
    found_here = list(uri_search.find_uris(f"{before}{path}{behind}", recursive, skipped.append))
    for found in found_here:
        assert found.path.startswith(before) and found.path.endswith(behind)
    inner = [
        (found.path.removeprefix(before).removesuffix(behind).rstrip("/"), str(found.problem)) for found in found_here
    ]
    assert [item for item in inner if item[0] != "in/nothing.png"] == expected
    assert [s.removeprefix(before).removesuffix(behind) for s in skipped] == [
        Path(path).relative_to(local).as_posix() for path in left_out
    ]
    for found in uris.fetch_all(found_here):
        if found.problem is None:
            assert found.data == FILES.get(found.path.removeprefix(f"{before}in/").removesuffix(behind), b"")


def test_what_cannot_be_read_says_why(bucket: str, local: Path) -> None:
    reasons = {
        f"{bucket}/in/missing.png": "no such file or folder",
        "s3://others/7.png": "cannot be read: .*ACCESS_DENIED",
        f"zip://7.png::{local / 'none.zip'}": "no such file or folder",
        f"zip://7.png::{local / 'in' / 'notes.txt'}": "cannot be read: File is not a zip file",
        f"ftp://127.0.0.1:{closed_port()}/7.png": "cannot be read: Connection refused",
        "nothing://7.png": "cannot be read: Protocol not known: nothing",
        "dropbox://7.png": "cannot be read: .*dropbox",
        (local / "in").as_uri(): "cannot be read",
        (local / "in" / "missing.png").as_uri(): "no such file or folder",
    }
    found = uris.fetch_all([ImageRef(uri) for uri in reasons])
    assert [item.path for item in found] == [*reasons]
    for item, why in zip(found, reasons.values(), strict=True):
        assert item.data is None
        assert re.fullmatch(why + "[^\n]*", str(item.problem))


def test_only_what_is_still_to_be_read_is(bucket: str, local: Path) -> None:
    read = [
        ImageRef("7.png"),
        ImageRef("s3://x/7.png", ImageError("bad")),
        ImageRef(f"{bucket}/in/b.png", None, b"had"),
    ]
    assert uris.fetch_all(read) == read
    found = uris.fetch_all([*read, ImageRef(f"{bucket}/in/nothing.png"), ImageRef(f"{bucket}/in/b.png")])
    assert found == [
        *read,
        ImageRef(f"{bucket}/in/nothing.png", None, b""),
        ImageRef(f"{bucket}/in/b.png", None, b"b.png"),
    ]


def test_what_cannot_be_listed_is_found_as_a_problem(local: Path) -> None:
    for uri in (f"zip://*::{local / 'in' / 'notes.txt'}", "s3://others/in", "nothing://7.png"):
        found = list(uri_search.find_uris(uri, True, lambda path: None))
        assert [item.path for item in found] == [uri]
        assert "cannot be read" in str(found[0].problem)


def test_a_file_that_is_too_large(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uris, "MAX_BYTES", 2**20)
    with zipfile.ZipFile(local / "large.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large.png", bytes(2**20 + 1))
        archive.writestr("fits.png", bytes(2**20))
    archive_uri = f"::{local / 'large.zip'}"
    large, fits = uris.fetch_all([ImageRef(f"zip://large.png{archive_uri}"), ImageRef(f"zip://fits.png{archive_uri}")])
    assert str(large.problem) == "more than 1 MiB, which no picture that is read here has"
    assert len(fits.data or b"") == 2**20


def test_a_missing_package_is_named() -> None:
    with pytest.raises(MissingError, match="dropbox://x/7"):
        list(uri_search.find_uris("dropbox://x/7.png", False, lambda path: None))


def test_what_is_a_uri() -> None:
    for uri in ("s3://b/7.png", "zip://7.png::x.zip", "simplecache::s3://b/7.png", "file:///7.png", "s3://b/\n.png"):
        assert uris.is_uri(uri)
    for path in ("7.png", "a::b.png", "C:/7.png", r"C:\7.png", "s3:/b/7.png", "a/s3://7.png", "-", "://7.png", ""):
        assert not uris.is_uri(path)
