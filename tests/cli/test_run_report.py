"""What a run over many files says on stderr, which `emnist predict` and `emnist read` share."""

from pathlib import Path

import pytest

from tests.conftest import Emnist


@pytest.mark.parametrize(("command", "noun"), [("predict", "pictures"), ("read", "pages")])
def test_only_the_first_errors_are_reported(emnist: Emnist, tmp_path: Path, command: str, noun: str) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(23)]
    output = tmp_path / "o.csv"
    result = emnist(command, *paths, "--output", output, "--workers", 1)
    *lines, summary = result.err.splitlines()
    assert result.code == 3
    assert lines[:-1] == [f"emnist: {path}: no such file or folder" for path in paths[:19]]
    assert lines[-1] == f"emnist: {paths[19]}: no such file or folder; no more such lines follow"
    assert summary.startswith(f"emnist: 23 {noun} in ")
    assert summary.endswith(f": 23 error; written to {output}")
    assert len(output.read_text().splitlines()) == 24, "each has its row all the same"


@pytest.mark.parametrize("command", ["predict", "read"])
def test_quiet_reports_errors_only(emnist: Emnist, tmp_path: Path, command: str) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.png").write_bytes(b"nothing")
    (tmp_path / "pages" / "notes.txt").write_text("no picture")
    result = emnist(command, tmp_path / "pages", "--output", tmp_path / "o.csv", "--quiet")
    assert result.code == 3
    assert [line.split(": ")[1] for line in result.err.splitlines()] == [str(tmp_path / "pages" / "a.png")]
