"""Errors on the command line: one line, and what was probably meant."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Emnist


@pytest.fixture
def scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "scans"
    folder.mkdir()
    shutil.copy(REPOSITORY / "examples" / "chalk-R.png", folder / "Picture.png")
    return folder


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("predcit x", "no command is called 'predcit'; did you mean predict? See: emnist --help"),
        ("recognize x", "no command is called 'recognize'; did you mean predict? See: emnist --help"),
        ("download", "no command is called 'download'; did you mean data download? See: emnist --help"),
        ("data impotr x", "no command is called 'impotr'; did you mean import? See: emnist data --help"),
        ("models imprt x", "no command is called 'imprt'; did you mean import? See: emnist models --help"),
        ("scans", "a command must come first; did you mean: emnist predict scans? See: emnist --help"),
        ("scans/Picture.png -q", "did you mean: emnist predict scans/Picture.png -q? See"),
        (
            "predict --chrset digits scans",
            "No such option: --chrset; did you mean --charset? See: emnist predict --help",
        ),
        ("train --split balanced --epoch 3", "No such option: --epoch; did you mean --epochs? See: emnist train"),
        ("train --split balancd", "no EMNIST split is called 'balancd'; did you mean balanced?"),
        (
            "predict scans -f jsnl",
            "is not one of 'table', 'json', 'jsonl', 'csv'; did you mean jsonl? See: emnist pred",
        ),
        ("predict scans --ink drak", "'drak' is not one of 'auto', 'dark', 'light'; did you mean dark? See: emnist"),
        ("data export x -s mnist --as pgn", "did you mean png?"),
        ("predict scans --charset digit", "--charset: did you mean digits? Received: 'digit'"),
        ("read scans --charset Uppercase", "--charset: did you mean upper?"),
        ("benchmark --against litrt", "--against: no form is called 'litrt'; did you mean litert?"),
        ("predict scans --model startr", "did you mean starter? See: emnist models"),
        ("serve --port abc", "Invalid value for '--port': Input should be a valid integer"),
        ("serve --port abc", "Received: 'abc'; see: emnist serve --help"),
    ],
)
def test_a_slip_is_named_with_what_was_meant(emnist: Emnist, scans: Path, line: str, meant: str) -> None:
    result = emnist(*line.split())
    assert result.out == ""
    assert meant in result.err
    assert result.err.count("\n") == 1
    assert result.code in (2, 4)
    assert "??" not in result.err
    assert "?." not in result.err


def test_what_is_like_no_command_gets_all_of_them(emnist: Emnist) -> None:
    result = emnist("zzz")
    assert result.code == 2
    assert "no command is called 'zzz'; expected one of: predict, read" in result.err
    assert "data" in result.err


@pytest.mark.parametrize(
    ("typed", "meant"), [("scan/Picture.png", ""), ("sacns", "scans"), ("scans/picture.png", "scans/Picture.png")]
)
def test_a_path_that_leads_nowhere_names_its_neighbour(emnist: Emnist, scans: Path, typed: str, meant: str) -> None:
    result = emnist("predict", typed, "-f", "json")
    assert result.code == 3
    said = "no such file or folder" + (f"; did you mean {Path(meant)}?" if meant else "")
    assert f'"error": "{said}"' in result.out.replace("\\\\", "\\")


@pytest.mark.parametrize("charset", ["lower", "A-F", "aeiou", "lert", "tidig", "DIGIT", "0-9A-F"])
def test_characters_that_only_look_like_a_name_are_taken(emnist: Emnist, scans: Path, charset: str) -> None:
    assert emnist("predict", scans, "--charset", charset).code == 0


@pytest.mark.parametrize(
    ("line", "same"),
    [("help", "--help"), ("help predict", "predict --help"), ("help data import", "data import --help")],
)
def test_help_is_a_command_too(emnist: Emnist, line: str, same: str) -> None:
    asked, expected = emnist(*line.split()), emnist(*same.split())
    assert (asked.code, asked.err) == (0, "")
    assert asked.out == expected.out != ""


@pytest.mark.parametrize("name", ["out.xlsx", "out.PDF"])
def test_no_file_is_written_that_its_program_would_not_open(emnist: Emnist, scans: Path, name: str) -> None:
    result = emnist("predict", scans, "-o", name)
    assert result.code == 2
    assert "spreadsheets open .csv" in result.err
    assert not Path(name).exists()
    assert emnist("predict", scans, "-o", name, "-f", "csv").code == 0, "asked for so"
