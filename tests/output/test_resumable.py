import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emnist_cli.core.errors import OutputError, UsageError
from emnist_cli.output.formats import Format, write_records
from emnist_cli.output.resumable import RESUMABLE, open_partial

COLUMNS = ("path", "status", "label", "confidence", "alternatives", "error")
SETTINGS = {"--top-k": 3, "--charset": None}
AWKWARD = ['a,"b".png', "line\nbreak.png", "carriage\rreturn.png", "手\u2028.png", "null", "é" * 40, "-"]


def whole_rows(content: bytes, form: Format) -> int:
    """How many rows end in that content, told by those who wrote them."""
    if form is Format.JSONL:
        return content.count(b"\n")
    quotes = lines = 0
    for byte in content:
        quotes += byte == ord('"')
        lines += byte == ord("\n") and quotes % 2 == 0
    return max(0, lines - 1)


names = st.lists(
    st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(codec="utf-8"), min_size=1)), min_size=1, max_size=12
)


def row(path: str) -> dict[str, Any]:
    alternatives = [{"label": "A", "confidence": 0.9}]
    known = {"path": path, "status": "ok", "label": "A", "confidence": 0.9, "alternatives": alternatives, "error": ""}
    return known if len(path) % 3 else known | {"status": "error", "label": "", "confidence": None, "alternatives": []}


def run(path: Path, form: Format, paths: list[str], resume: bool = True, stop: int | None = None) -> list[str]:
    """Write rows as the command does, optionally failing after some; return the paths there were rows for before."""
    earlier: list[str] = []
    with open_partial(path, form, COLUMNS, SETTINGS, resume, lambda r: earlier.append(r["path"])) as partial:
        left = [p for p in paths if not partial.take(p)]
        write_records((row(p) for p in left[:stop]), form, partial.stream, COLUMNS, (), header=not partial.begun)
        if stop is not None:
            raise KeyboardInterrupt
    return earlier


def paths_in(path: Path, form: Format) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        if form is Format.CSV:
            return [r["path"] for r in csv.DictReader(file)]
        return [json.loads(line)["path"] for line in file.read().split("\n")[:-1]]


@pytest.mark.slow
@pytest.mark.parametrize("form", RESUMABLE)
@settings(max_examples=25, deadline=None)
@given(paths=names, stop=st.integers(0, 12), cut=st.integers(0, 400))
def test_resumed_at_any_byte_is_as_if_never_stopped(
    tmp_path_factory: pytest.TempPathFactory, form: Format, paths: list[str], stop: int, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("out")
    run(folder / "whole", form, paths)
    with pytest.raises(KeyboardInterrupt):
        run(folder / "out", form, paths, stop=min(stop, len(paths)))
    assert not (folder / "out").exists()
    partial = folder / "out.partial"
    if partial.exists():  # as a machine that lost power would leave it
        content = partial.read_bytes()
        partial.write_bytes(content[: max(0, len(content) - cut)])
    rows = partial.read_bytes() if partial.exists() else b""
    kept = run(folder / "out", form, paths)
    assert len(kept) == whole_rows(rows, form)
    assert (folder / "out").read_bytes() == (folder / "whole").read_bytes()
    assert sorted(p.name for p in folder.iterdir()) == ["out", "whole"]


@pytest.mark.parametrize("form", RESUMABLE)
def test_each_path_as_often_as_it_was_named(tmp_path: Path, form: Format) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", form, ["a", "b", "a"], stop=2)
    assert run(tmp_path / "out", form, ["a", "b", "a", "a"]) == ["a", "b"]
    assert paths_in(tmp_path / "out", form) == ["a", "b", "a", "a"]


@pytest.mark.parametrize("form", RESUMABLE)
def test_a_finished_file_is_added_to(tmp_path: Path, form: Format) -> None:
    run(tmp_path / "out", form, ["a", "b"], resume=False)
    assert run(tmp_path / "out", form, ["a", "0", "b", "c"]) == ["a", "b"]
    assert paths_in(tmp_path / "out", form) == ["a", "b", "0", "c"]


def test_garbage_behind_the_rows_is_cut_off(tmp_path: Path) -> None:
    for form in RESUMABLE:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "out", form, ["a", "b", "c"], stop=2)
        with (tmp_path / "out.partial").open("ab") as file:
            file.write(b"\0" * 5000 + b"\n" + b"\xff\xfe\n")
        assert run(tmp_path / "out", form, ["a", "b", "c"]) == ["a", "b"]
        assert paths_in(tmp_path / "out", form) == ["a", "b", "c"]
        (tmp_path / "out").unlink()


@pytest.mark.parametrize("form", RESUMABLE)
def test_without_resume_it_starts_over(tmp_path: Path, form: Format) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", form, ["a", "b"], stop=1)
    run(tmp_path / "out", form, ["c"], resume=False)
    assert paths_in(tmp_path / "out", form) == ["c"]


def test_what_was_not_begun_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError), open_partial(tmp_path / "out", Format.CSV, COLUMNS, SETTINGS, False):
        raise UsageError("something else")
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == ""


def test_an_interrupted_run_says_where_its_rows_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out.csv", Format.CSV, ["a", "b"], stop=1)
    place = tmp_path / "out.csv.partial"
    advice = "the same command with --resume goes on from there"
    assert capsys.readouterr().err == f"emnist: the rows so far are in {place}; {advice}\n"


def test_rows_of_other_settings_are_not_mixed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", Format.JSONL, ["a", "b"], stop=1)
    other = SETTINGS | {"--top-k": 5}
    with (
        pytest.raises(UsageError, match=r"was begun with --top-k 3. Received: 5; give the same options"),
        open_partial(tmp_path / "out", Format.JSONL, COLUMNS, other, True),
    ):
        pass
    assert paths_in(tmp_path / "out.partial", Format.JSONL) == ["a"]


@pytest.mark.parametrize(
    ("form", "content"), [(Format.CSV, "name,age\nx,1\n"), (Format.JSONL, '["a"]\n'), (Format.JSONL, "path,status\n")]
)
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, form: Format, content: str) -> None:
    (tmp_path / "out").write_text(content)
    with (
        pytest.raises(UsageError, match=f"--resume: expected rows that emnist has written as {form}"),
        open_partial(tmp_path / "out", form, COLUMNS, SETTINGS, True),
    ):
        pass
    assert (tmp_path / "out").read_text() == content
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_two_runs_at_once(tmp_path: Path) -> None:
    with open_partial(tmp_path / "out", Format.JSONL, COLUMNS, SETTINGS, False) as partial:
        write_records([row("a")], Format.JSONL, partial.stream, COLUMNS, ())
        for resume in (True, False):
            with (
                pytest.raises(UsageError, match="another run is writing to it"),
                open_partial(tmp_path / "out", Format.JSONL, COLUMNS, SETTINGS, resume),
            ):
                pass
    assert paths_in(tmp_path / "out", Format.JSONL) == ["a"]


def test_links_are_followed_and_permissions_kept(tmp_path: Path) -> None:
    real = tmp_path / "real" / "out.jsonl"
    real.parent.mkdir()
    real.write_text("")
    real.chmod(0o640)
    (tmp_path / "link").symlink_to(real)
    run(tmp_path / "link", Format.JSONL, ["a"], resume=False)
    assert (tmp_path / "link").is_symlink()
    assert paths_in(real, Format.JSONL) == ["a"]
    assert real.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("place", ["missing/out.csv", "."])
def test_no_such_place(tmp_path: Path, place: str) -> None:
    with (
        pytest.raises(UsageError, match="--output: expected a file in an existing folder"),
        open_partial(tmp_path / place, Format.CSV, COLUMNS, SETTINGS, False),
    ):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_keeps_the_rows_so_far(tmp_path: Path) -> None:
    """In a process of its own that may write no more than 64 KiB a file."""
    script = f"""
import resource, sys
from pathlib import Path
from tests.output.test_resumable import *
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
try:
    run(Path({str(tmp_path / "out")!r}), Format.JSONL, [f"{{i}}.png" for i in range(5000)])
except OutputError as error:
    sys.exit(str(error))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines() == [
        f"emnist: the rows so far are in {tmp_path / 'out.partial'}; the same command with --resume goes on from there",
        f"{tmp_path / 'out'}: cannot be written (File too large)",
    ]
    paths = [f"{i}.png" for i in range(5000)]
    earlier = run(tmp_path / "out", Format.JSONL, paths)
    assert 200 < len(earlier) < 5000
    assert paths_in(tmp_path / "out", Format.JSONL) == paths


def test_the_folder_goes_away_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    with (
        pytest.raises(OutputError, match="out: cannot be written"),
        open_partial(tmp_path / "gone" / "out", Format.CSV, COLUMNS, SETTINGS, False),
    ):
        for path in (tmp_path / "gone").iterdir():
            path.unlink()
        (tmp_path / "gone").rmdir()


@pytest.mark.parametrize(
    ("form", "damage"),
    [
        (Format.CSV, "b,nothing,A,0.9,A:0.9,"),
        (Format.CSV, "b,ok"),
        (Format.CSV, '"b'),
        (Format.JSONL, '{"path": "b"}'),
        (Format.JSONL, ""),
        (Format.JSONL, "[" * 100_000),
        (Format.JSONL, '{"path": "\\ud800"}'),
    ],
)
def test_damage_between_rows_is_not_cut_off_with_all_behind_it(tmp_path: Path, form: Format, damage: str) -> None:
    paths = list("abcdefg")
    run(tmp_path / "out", form, paths, resume=False)
    lines = (tmp_path / "out").read_text().splitlines(keepends=True)
    lines[2] = damage + "\n"
    (tmp_path / "out").write_text("".join(lines))
    with pytest.raises(UsageError, match=r"but row 3 is none; put it right or take it out\. Received: .*out"):
        run(tmp_path / "out", form, paths)
    assert (tmp_path / "out").read_text() == "".join(lines)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_rows_put_right_by_hand_are_kept(tmp_path: Path) -> None:
    run(tmp_path / "out", Format.CSV, ["a", "b"], resume=False)
    text = (tmp_path / "out").read_text().replace("A:0.9000", "four", 1).replace("\n", "\r\n")  # and saved by Excel
    (tmp_path / "out").write_bytes(text.encode())
    assert run(tmp_path / "out", Format.CSV, ["a", "b", "c"]) == ["a", "b"]
    assert paths_in(tmp_path / "out", Format.CSV) == ["a", "b", "c"]


@pytest.mark.parametrize("about", ["[]", "1", "null", "{", "[" * 100_000, '"x"'])
def test_settings_that_cannot_be_read_are_not_compared(tmp_path: Path, about: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", Format.JSONL, ["a", "b"], stop=1)
    (tmp_path / "out.partial.json").write_text(about)
    assert run(tmp_path / "out", Format.JSONL, ["a", "b"]) == ["a"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("resume", [True, False])
def test_a_link_that_somebody_put_there_is_not_followed(tmp_path: Path, resume: bool) -> None:
    """The names beside the output can be guessed; its rows and settings must not reach another file."""
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / "out.partial.json").symlink_to(victim)
    assert run(tmp_path / "out", Format.JSONL, ["a"], resume=resume) == []
    assert victim.read_text() == "kept"
    (tmp_path / "out.partial").symlink_to(victim)
    with pytest.raises(OutputError, match="cannot be written"):
        run(tmp_path / "out", Format.JSONL, ["b"], resume=resume)
    assert (victim.read_text(), paths_in(tmp_path / "out", Format.JSONL)) == ("kept", ["a"])


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "out.partial").mkdir()
    for resume in (True, False):
        with pytest.raises(OutputError, match="Is a directory"):
            run(tmp_path / "out", Format.JSONL, ["a"], resume=resume)


def test_a_run_that_ends_meanwhile_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other run opens the file, then this one puts it in place and lets go of it, then the other gets its lock."""
    fcntl = pytest.importorskip("fcntl")
    real, others = fcntl.flock, []

    def wait_for_the_end(file: object, how: int) -> None:
        if not others:
            others.append(1)
            run(tmp_path / "out", Format.JSONL, ["a"], resume=False)
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", wait_for_the_end)
    with pytest.raises(UsageError, match="another run is writing"):
        run(tmp_path / "out", Format.JSONL, ["b"], resume=False)
    assert paths_in(tmp_path / "out", Format.JSONL) == ["a"]
