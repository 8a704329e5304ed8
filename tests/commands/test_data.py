"""`emnist data` as a user runs it: real archives, a real server, real folders."""

import contextlib
import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emnist_cli.commands.data import transfer
from emnist_cli.core.data import dataset, download
from emnist_cli.core.data.partial import lock_download
from emnist_cli.core.labels import SPLITS
from emnist_cli.output import formats
from tests import archives
from tests.conftest import Emnist, Result
from tests.loopback import Loopback, closed_port, serve
from tests.test_startup import HEAVY, run

pytestmark = pytest.mark.filterwarnings("ignore")  # tensorflow's and tensorflow-datasets' own

COMMANDS = ["download", "import", "info", "show", "verify", "export"]
HALVES = archives.small("letters", "digits")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "emnist_data"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with gzip.zip and, of what is in it, a data folder; not to be changed."""
    place = tmp_path_factory.mktemp("prepared")
    dataset.import_splits(archives.nist_zip(place / "gzip.zip", HALVES), [], place / "data")
    return place


@pytest.fixture
def server(prepared: Path) -> Iterator[Loopback]:
    with serve((prepared / "gzip.zip").read_bytes()) as plan:
        yield plan


def failed(result: Result, code: int, *told: str) -> None:
    """Assert that a command ended with nothing on stdout and one line on stderr."""
    assert (result.code, result.out) == (code, ""), result
    assert result.err.startswith("emnist: ") and result.err.count("\n") == 1 and result.err.endswith("\n"), result
    for text in told:
        assert text in result.err


def test_alone_it_prints_its_help(emnist: Emnist) -> None:
    result = emnist("data")
    assert (result.code, result.err) == (0, "")
    assert all(command in result.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_knows_where_data_is(emnist: Emnist, command: str) -> None:
    result = emnist("data", command, "--help")
    assert (result.code, result.err) == (0, "")
    assert "--data-dir" in result.out and "EMNIST_DATA" in result.out


# --- import


def test_import_tells_what_was_prepared(emnist: Emnist, prepared: Path, tmp_path: Path) -> None:
    result = emnist("data", "import", prepared / "gzip.zip", "--data-dir", tmp_path / "data")
    assert (result.code, result.out) == (0, "")
    assert result.err.splitlines() == [
        "emnist: letters: 5 training and 3 test pictures; the published EMNIST has other counts",
        "emnist: digits: 4 training and 2 test pictures; the published EMNIST has other counts",
        f"emnist: ready in {tmp_path / 'data'}; train with: emnist train --split letters",
    ]


def test_import_takes_only_the_splits_named(emnist: Emnist, prepared: Path, tmp_path: Path) -> None:
    place = tmp_path / "data"
    result = emnist("data", "import", prepared / "gzip.zip", "-s", "digits", "--data-dir", place, "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")
    assert [record.split for record in dataset.prepared(place)] == ["digits"]
    failed(
        emnist("data", "import", prepared / "gzip.zip", "-s", "mnist", "--data-dir", place), 5, "it has letters, digi"
    )
    failed(
        emnist("data", "import", prepared / "gzip.zip", "-s", "digit", "--data-dir", place), 2, "did you mean digits?"
    )


def test_the_data_folder_may_come_from_the_environment_or_be_the_users(
    emnist: Emnist, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = emnist("data", "import", prepared / "gzip.zip", "-s", "digits")
    assert (told.code, dataset.prepared(dataset.data_folder(None))[0].split) == (0, "digits")
    assert f"ready in {dataset.data_folder(None)};" in told.err
    monkeypatch.setenv("EMNIST_DATA", str(tmp_path / "other"))
    failed(emnist("data", "verify"), 5, f"nothing is in {tmp_path / 'other'}")
    assert emnist("data", "import", prepared / "gzip.zip", "-s", "digits").code == 0
    assert emnist("data", "verify").code == 0
    assert emnist("data", "verify", "--data-dir", prepared / "data").out.count("\n") == 2


@pytest.mark.parametrize("name", ["missing.zip", "page.zip", "empty", "photo.png"])
def test_import_says_what_something_is_instead(emnist: Emnist, tmp_path: Path, name: str) -> None:
    (tmp_path / "page.zip").write_bytes(b"<html><title>Sign in</title>")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "empty").mkdir()
    told = {
        "missing.zip": "No such file",
        "page.zip": "Received: an HTML page titled 'Sign in'",
        "photo.png": "Received: a PNG picture",
        "empty": "Received: an empty folder",
    }[name]
    failed(emnist("data", "import", tmp_path / name, "--data-dir", tmp_path / "data"), 5, told, "NIST's gzip.zip")
    assert not (tmp_path / "data").exists()


def test_a_data_folder_that_is_a_file_is_one_line(emnist: Emnist, prepared: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"")
    failed(emnist("data", "import", prepared / "gzip.zip", "--data-dir", tmp_path / "data"), 5, "cannot be written")


@pytest.mark.slow
def test_import_in_a_process_of_its_own_says_nothing_else(shell: Emnist, prepared: Path, tmp_path: Path) -> None:
    result = shell("data", "import", prepared / "gzip.zip", "-s", "digits", "--data-dir", tmp_path / "data")
    assert (result.code, result.out, len(result.err.splitlines())) == (0, "", 2), result
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"cache", "emnist_upright"}


# --- download


def test_download_prepares_what_it_got(emnist: Emnist, server: Loopback, tmp_path: Path) -> None:
    digest = hashlib.sha256(server.body).hexdigest()
    command = ["data", "download", "--url", server.url, "--data-dir", tmp_path]
    result = emnist(*command, "--sha256", digest.upper(), "--split", "digits")
    assert (result.code, result.out) == (0, "")
    assert result.err.splitlines()[0].startswith("emnist: digits: 4 training and 2 test pictures")
    assert [record.split for record in dataset.prepared(tmp_path)] == ["digits"]
    asked = len(server.requests)
    assert emnist(*command, "--sha256", digest, "--quiet").err == ""
    assert [record.split for record in dataset.prepared(tmp_path)] == ["letters", "digits"]
    assert len(server.requests) == asked, "what is there is not fetched again"
    assert emnist("data", "verify", "--data-dir", tmp_path).code == 0


@pytest.mark.slow
def test_a_download_that_was_cut_goes_on_with_the_same_command(
    emnist: Emnist, server: Loopback, tmp_path: Path
) -> None:
    files = archives.gzipped(HALVES, "gzip/") | {"noise": np.random.default_rng(0).bytes(200_000)}
    server.body = archives.write_zip(tmp_path / "large.zip", files).read_bytes()
    command = ["data", "download", "--url", server.url, "--sha256", "none", "--data-dir", tmp_path]
    server.cuts = [100_000, 0]  # it resumes by itself as long as that brings something
    failed(emnist(*command), 5, "interrupted after 98,304 of", "run the same command again")
    assert not dataset.archive_path(tmp_path).exists()
    server.requests.clear()
    assert emnist(*command, "--quiet").code == 0
    assert server.asked() == ["bytes=98304-"]
    assert dataset.archive_path(tmp_path).read_bytes() == server.body
    assert len(dataset.prepared(tmp_path)) == 2


def test_a_second_download_says_that_it_waits(
    emnist: Emnist, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = dataset.archive_path(tmp_path)
    archive.parent.mkdir(parents=True)
    held, told = threading.Event(), threading.Event()
    server.body = archives.zip_of_one("other", b"no split in it")

    def hold() -> None:
        with lock_download(archive, lambda text: None):
            held.set()
            told.wait(30)

    def tell(text: str) -> None:
        formats.notify(text)
        told.set()

    monkeypatch.setattr(transfer, "notify", tell)
    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(10)
    result = emnist("data", "download", "--url", server.url, "--sha256", "none", "--data-dir", tmp_path)
    told.set()
    other.join()
    first, second = result.err.splitlines()
    assert first == f"emnist: another run is downloading {archive}; waiting for it to end"
    assert (result.code, "not a whole split in it" in second) == (5, True), "it goes on when the other run has ended"


def test_a_page_instead_of_an_archive_is_called_that(emnist: Emnist, server: Loopback, tmp_path: Path) -> None:
    server.body, server.content_type = b"<!doctype html><title>Moved</title>", "text/html"
    result = emnist("data", "download", "--url", server.url, "--sha256", "none", "--data-dir", tmp_path)
    failed(result, 5, "Received: an HTML page titled 'Moved'", "--url", "emnist data import")


@pytest.mark.parametrize("options", [[], ["--sha256", "0" * 64]])
def test_another_archive_is_refused(emnist: Emnist, server: Loopback, tmp_path: Path, options: list[str]) -> None:
    result = emnist("data", "download", "--url", server.url, *options, "--data-dir", tmp_path)
    digest = hashlib.sha256(server.body).hexdigest()
    failed(result, 5, f"sha256 {options[1] if options else download.SHA256}", f"Received: {digest}")
    assert not dataset.archive_path(tmp_path).exists()


def test_an_unreachable_mirror_says_what_else_there_is(emnist: Emnist, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{closed_port()}/gzip.zip"
    failed(emnist("data", "download", "--url", url, "--data-dir", tmp_path), 5, url, "--url", "emnist data import PATH")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--url", "ftp://nist.gov/gzip.zip"], "--url: expected an address that starts with http"),
        (["--sha256", "abc"], "--sha256: expected 64 hexadecimal digits, or none. Received: 'abc'"),
        (["--split", "leters"], "did you mean letters?"),
        (["--nonsense"], "see: emnist data download --help"),
    ],
)
def test_download_refuses_what_makes_no_sense(emnist: Emnist, tmp_path: Path, options: list[str], told: str) -> None:
    failed(emnist("data", "download", *options, "--data-dir", tmp_path), 2, told)
    assert not list(tmp_path.iterdir())


# --- info


def test_info_in_every_format(emnist: Emnist, prepared: Path) -> None:
    command = ["data", "info", "--data-dir", prepared / "data"]
    rows = json.loads(emnist(*command, "--format", "json").out)
    assert [row["split"] for row in rows] == list(SPLITS)
    assert list(rows[0]) == ["split", "train", "test", "classes", "state", "checksum", "source"]
    assert [(row["train"], row["test"]) for row in rows if row["train"]] == [(5, 3), (4, 2)]
    assert [json.loads(line) for line in emnist(*command, "-f", "jsonl").out.splitlines()] == rows
    table = list(csv.DictReader(io.StringIO(emnist(*command, "-f", "csv").out)))
    assert [(row["split"], row["train"]) for row in table[3:5]] == [("letters", "5"), ("digits", "4")]
    plain = emnist(*command).out.splitlines()
    assert plain[0] == "byclass\t\t\tnot there" and plain[4] == "digits\t4\t2\tother counts than published"
    drawn = emnist(*command, "-f", "table")
    assert drawn.out.startswith(f"in {prepared / 'data'}") and str(prepared / "gzip.zip") in drawn.out
    assert drawn.err == ""


def test_info_of_one_split_counts_its_classes(emnist: Emnist, prepared: Path) -> None:
    command = ["data", "info", "-s", "letters", "--data-dir", prepared / "data"]
    rows = json.loads(emnist(*command, "-f", "json").out)
    assert rows[0] == {"id": 0, "label": "A", "characters": "Aa", "train": 1, "test": 1}
    assert (len(rows), sum(row["train"] for row in rows), sum(row["test"] for row in rows)) == (26, 5, 3)
    assert emnist(*command).out.splitlines()[25] == "Z\t1\t0"
    title = emnist(*command, "-f", "table").out.splitlines()[0]
    assert title == "letters of gzip.zip, which is not the published EMNIST"


def test_info_writes_to_a_file(emnist: Emnist, prepared: Path, tmp_path: Path) -> None:
    result = emnist("data", "info", "--data-dir", prepared / "data", "-o", tmp_path / "info.csv")
    assert (result.code, result.out) == (0, "")
    assert (tmp_path / "info.csv").read_text().startswith("split,train,test,classes,state,checksum,source\n")


def test_info_of_what_is_not_there(emnist: Emnist, tmp_path: Path) -> None:
    result = emnist("data", "info", "--data-dir", tmp_path / "nothing")
    assert (result.code, result.out.count("not there")) == (0, 6)
    told = "get it with: emnist data download --split mnist"
    failed(emnist("data", "info", "-s", "mnist", "--data-dir", tmp_path), 5, told, "emnist data import PATH")
    failed(emnist("data", "info", "-s", "mnits", "--data-dir", tmp_path), 2, "did you mean mnist?")


# --- verify


def test_verify_in_every_format(emnist: Emnist, prepared: Path) -> None:
    command = ["data", "verify", "--data-dir", prepared / "data"]
    rows = json.loads(emnist(*command, "-f", "json").out)
    assert [(row["split"], row["state"]) for row in rows] == [("letters", "ok"), ("digits", "ok")]
    assert list(rows[0]) == ["split", "checked", "state", "detail"]
    assert [json.loads(line) for line in emnist(*command, "-f", "jsonl").out.splitlines()] == rows
    assert emnist(*command, "-f", "csv").out.startswith("split,checked,state,detail\nletters,")
    assert emnist(*command).out.splitlines()[0] == "letters\t9 files, 0 MB\tok\t"
    assert emnist(*command, "-f", "table").out.startswith(f"in {prepared / 'data'}")


def test_verify_ends_with_5_where_something_is_damaged_and_its_advice_helps(
    emnist: Emnist, prepared: Path, tmp_path: Path
) -> None:
    place = Path(shutil.copytree(prepared / "data", tmp_path / "data"))
    (place / "cache" / "digits" / "train-labels.npy").unlink()
    result = emnist("data", "verify", "--data-dir", place)
    assert (result.code, result.err) == (5, "")
    split, _, state, detail = result.out.splitlines()[1].split("\t")
    assert (split, state) == ("digits", "damaged")
    advice = detail.split("get it again: emnist ")[1].split()
    assert emnist(*advice, "--data-dir", place).code == 0
    assert emnist("data", "verify", "--data-dir", place).code == 0
    failed(emnist("data", "verify", "--data-dir", tmp_path / "nothing"), 5, "emnist data download")


# --- show


def test_show_draws_a_sheet(emnist: Emnist, prepared: Path, tmp_path: Path) -> None:
    command = ["data", "show", "--split", "letters", "--data-dir", prepared / "data"]
    result = emnist(*command, "-o", tmp_path / "grid.png")
    assert (result.code, result.out, result.err) == (0, "", "")
    with Image.open(tmp_path / "grid.png") as sheet:
        assert sheet.size == (3 * 92 + 8, 2 * 112 + 8)
    assert emnist(*command, "--part", "test", "--count", 1, "--seed", 3, "-o", tmp_path / "one.png").code == 0
    with Image.open(tmp_path / "one.png") as sheet:
        assert sheet.size == (100, 120)


def test_show_draws_in_the_terminal(emnist: Emnist, prepared: Path) -> None:
    command = ["data", "show", "-s", "letters", "--data-dir", prepared / "data"]
    result = emnist(*command)
    assert (result.code, result.err) == (0, "")
    assert captions(result.out) == list("ABFGZ")
    assert "█" in result.out
    assert captions(emnist(*command, "--label", "f").out) == ["F"]
    assert captions(emnist(*command, "--count", 2).out) == ["A", "B"]


def captions(shown: str) -> list[str]:
    return re.findall("'(.)' upper", shown.splitlines()[0])


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["-s", "letters", "--label", "7"], 2, "--label: letters has no class '7'; expected one of: A, a, B, b"),
        (["-s", "letters", "--label", "C"], 5, "letters has no such picture in its train half"),
        (["-s", "leters"], 2, "did you mean letters?"),
        (["-s", "mnist"], 5, "get it with: emnist data download --split mnist"),
        (["-s", "letters", "--part", "both"], 2, "--part"),
        (["-s", "letters", "--count", "0"], 2, "--count"),
        (["-s", "letters", "--seed", "-1"], 2, "--seed"),
        (["-s", "letters", "-o", "grid.txt"], 2, "expected a picture such as grid.png. Received: grid.txt"),
        (["-s", "letters", "-o", "missing/grid.png"], 2, "expected a file in an existing folder"),
        ([], 2, "--split"),
    ],
)
def test_show_refuses_in_one_line(
    emnist: Emnist,
    prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    failed(emnist("data", "show", *options, "--data-dir", prepared / "data"), code, told)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_show_where_stdout_is_odd(prepared: Path) -> None:
    command = [sys.executable, "-m", "emnist_cli", "data", "show", "-s", "letters", "--data-dir", prepared / "data"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, b"emnist: stdout: cannot be written (No space left on device)\n")
    odd = ["env", "PYTHONIOENCODING=ascii", *command]
    assert "█" in subprocess.run(odd, capture_output=True, check=True, timeout=60).stdout.decode()


# --- export


@pytest.mark.parametrize("form", ["idx", "csv", "npz", "png"])
def test_export_writes_each_form(emnist: Emnist, prepared: Path, tmp_path: Path, form: str) -> None:
    command = ["data", "export", tmp_path / "out", "--split", "letters", "--as", form, "--data-dir", prepared / "data"]
    result = emnist(*command)
    assert (result.code, result.out, result.err) == (0, "", f"emnist: letters written to {tmp_path / 'out'}\n")
    failed(emnist(*command), 2, "is there already")
    shutil.rmtree(tmp_path / "out")
    result = emnist(*command, "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")
    assert list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["out", "--split", "mnist", "--as", "idx"], 5, "get it with: emnist data download --split mnist"),
        (["out", "--split", "mnits", "--as", "idx"], 2, "did you mean mnist?"),
        (["out", "--split", "letters", "--as", "hdf5"], 2, "--as"),
        (["out", "--split", "letters"], 2, "--as"),
        (["out", "--as", "idx"], 2, "--split"),
        (["--split", "letters", "--as", "idx"], 2, "DIR"),
        (["file/out", "--split", "letters", "--as", "idx"], 1, "cannot be written"),
    ],
)
def test_export_refuses_in_one_line(
    emnist: Emnist,
    prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    failed(emnist("data", "export", *options, "--data-dir", prepared / "data"), code, told)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.slow
def test_what_a_killed_import_left_is_removed_after_a_day(emnist: Emnist, prepared: Path, tmp_path: Path) -> None:
    place, leftovers = tmp_path / "data", list[Path]()
    args = ["data", "import", prepared / "gzip.zip", "-s", "digits", "--data-dir", place, "--quiet"]
    with subprocess.Popen([sys.executable, "-m", "emnist_cli", *args], stderr=subprocess.DEVNULL) as process:
        while not leftovers and process.poll() is None:
            leftovers = list(place.glob(".preparing-*"))
            time.sleep(0.01)
        process.kill()
    assert [folder.is_dir() for folder in leftovers] == [True]
    assert emnist(*args).code == 0
    assert leftovers[0].is_dir(), "it may be another run's, at work"
    yesterday = time.time() - 25 * 60 * 60
    os.utime(leftovers[0], (yesterday, yesterday))
    assert emnist(*args).code == 0
    assert [path.name for path in place.iterdir() if path.name.startswith(".")] == []


# --- on a terminal


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_terminal_shows_a_bar_and_nothing_of_what_libraries_print(tmp_path: Path) -> None:
    import pty

    archive = archives.nist_zip(tmp_path / "gzip.zip", archives.small("digits"))
    command = [sys.executable, "-m", "emnist_cli", "data", "import", archive, "--data-dir", tmp_path / "data"]
    here, there = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    process = subprocess.Popen(command, stdout=there, stderr=there, stdin=there, env=environment)
    os.close(there)
    seen = b""
    with contextlib.suppress(OSError):  # which is how its end shows
        while block := os.read(here, 4096):
            seen += block
    os.close(here)
    assert process.wait(timeout=60) == 0
    text = seen.decode()
    assert "preparing" in text
    assert "ready in" in text
    assert "Dataset" not in text
    assert "Downloading" not in text


# --- what they load


@pytest.mark.slow
@pytest.mark.parametrize(
    "args",
    [
        ["data", "info"],
        ["data", "verify"],
        ["data", "show", "-s", "letters"],
        ["data", "import", "gzip.zip"],
        ["evaluate", "--split", "letters"],
    ],
)
def test_what_is_prepared_is_read_without_tensorflow(
    prepared: Path, args: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(prepared)
    code, _, err = run([*args, "--data-dir", str(prepared / "data")])
    assert code == 0, err
    loaded = err.split("LOADED")[1]
    assert "'numpy'" in loaded
    assert not [name for name in HEAVY if f"'{name}'" in loaded]
