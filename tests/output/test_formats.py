"""The machine formats, and that a file appears whole or not at all."""

import csv
import io
import json
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from emnist_cli.core.errors import OutputError, UsageError
from emnist_cli.output.formats import Format, choose_format, one_line, open_output, write_records

RECORDS = [
    {"path": "a,b\n.png", "n": 3, "score": 0.91, "best": [{"label": "A", "confidence": 0.91}], "none": None},
    {"path": "bad\udcff\t.png", "n": 0, "score": 1.0, "best": [], "none": None},
]
COLUMNS = ["path", "n", "score", "best", "none"]


def written(form: Format | None) -> str:
    stream = io.StringIO()
    write_records(RECORDS, form, stream, COLUMNS, ["path", "score"])
    stream.getvalue().encode("utf-8")  # must be possible
    return stream.getvalue()


def test_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(written(Format.CSV))))
    assert rows == [
        {"path": "a,b\n.png", "n": "3", "score": "0.9100", "best": "A:0.9100", "none": ""},
        {"path": "bad\\xff\t.png", "n": "0", "score": "1.0000", "best": "", "none": ""},
    ]


@pytest.mark.parametrize("text", ["=1+1.png", "+1.png", "-1.png", "@SUM(1).png", "\ttab.png", "-5"])
def test_csv_is_exact(text: str) -> None:
    """Programs read it: what a spreadsheet would take for a formula stays as it is."""
    stream = io.StringIO()
    write_records([{"path": text, "label": text}], Format.CSV, stream, ["path", "label"], ["path"])
    assert list(csv.DictReader(io.StringIO(stream.getvalue()))) == [{"path": text, "label": text}]


def test_json_and_jsonl() -> None:
    expected = [RECORDS[0], {**RECORDS[1], "path": "bad\\xff\t.png"}]
    assert json.loads(written(Format.JSON)) == expected
    assert [json.loads(line) for line in written(Format.JSONL).splitlines()] == expected


def test_plain_lines() -> None:
    assert written(None) == "a,b\\n.png\t0.9100\nbad\\xff\\t.png\t1.0000\n"


def test_nothing_is_still_valid() -> None:
    for form, expected in ((Format.JSON, []), (Format.JSONL, None), (Format.CSV, None)):
        stream = io.StringIO()
        write_records([], form, stream, ["a", "b"], ["a"])
        if expected is not None:
            assert json.loads(stream.getvalue()) == expected
        else:
            assert stream.getvalue() == ("a,b\n" if form is Format.CSV else "")


def test_rows_are_written_as_they_come() -> None:
    stream = io.StringIO()

    def rows() -> Iterator[dict[str, int]]:
        for i in range(3):
            yield {"a": i}
            assert str(i) in stream.getvalue()

    for form in (Format.CSV, Format.JSON, Format.JSONL, None):
        write_records(rows(), form, stream, ["a"], ["a"])


@pytest.mark.parametrize(
    ("asked", "name", "expected"),
    [
        (Format.CSV, "x.json", Format.CSV),
        (None, "x.json", Format.JSON),
        (None, "x.JSONL", Format.JSONL),
        (None, "x.csv", Format.CSV),
        (None, "x.txt", None),
        (None, None, None),
    ],
)
def test_the_format_follows_the_files_name(asked: Format | None, name: str | None, expected: Format | None) -> None:
    assert choose_format(asked, None if name is None else Path(name)) == expected


def test_control_characters_cannot_reach_the_terminal() -> None:
    assert one_line("a\x1b[31mred\nline\r\x07") == "a\\x1b[31mred\\nline\\r\\x07"
    assert one_line("naïve 手.png") == "naïve 手.png"


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with open_output(path) as stream:
        stream.write("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
    if os.name == "posix":
        umask = os.umask(0)
        os.umask(umask)
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def test_a_link_stays_a_link_and_permissions_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to(real)
    with open_output(link) as stream:
        stream.write("new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    with open_output(pipe) as stream:
        stream.write("new")
    reader.join(timeout=10)
    assert heard == ["new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_file_that_fails_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(error), open_output(path) as stream:
        stream.write("new")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_where_no_file_can_be(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no" / "such" / "folder.csv", tmp_path / ("x" * 300)):
        with pytest.raises((UsageError, OutputError), match=r"--output|cannot be written"), open_output(path):
            pass
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115
    monkeypatch.setattr("sys.stdout", full)
    with pytest.raises(OutputError, match="No space left"), open_output(None) as stream:
        stream.write("x")
    monkeypatch.undo()
    with pytest.raises(OSError, match="No space"):
        full.close()
