"""Folders of labelled pictures, as people have them."""

from pathlib import Path

import pytest

from emnist_cli.core.errors import DataError, UsageError
from emnist_cli.core.files.labelled import Labelled, find_class, folder_name, read_folder


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def seen(items: list[Labelled], folder: Path) -> list[tuple[str, str]]:
    return [(str(Path(item.found.path).relative_to(folder)), item.label) for item in items]


def test_a_table_names_files_and_labels(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("writer,file,label\nx,1.png,A\ny,sub/2.png, 7 \n")
    assert seen(read_folder(tmp_path), tmp_path) == [("1.png", "A"), ("sub/2.png", "7")]


def test_a_table_of_a_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"\xef\xbb\xbffile,label\r\n1.png,A\r\n")
    assert seen(read_folder(tmp_path), tmp_path) == [("1.png", "A")]


def test_a_table_elsewhere_comes_before_the_folders_own(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,label\n1.png,A\n")
    (tmp_path / "other.csv").write_text("file,label\n1.png,B\n")
    assert seen(read_folder(tmp_path, tmp_path / "other.csv"), tmp_path) == [("1.png", "B")]


def test_where_keeps_rows(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,label,part\n1.png,A,train\n2.png,B,test\n3.png,C,a=b\n")
    assert seen(read_folder(tmp_path, where="part=test"), tmp_path) == [("2.png", "B")]
    assert seen(read_folder(tmp_path, where="part=a=b"), tmp_path) == [("3.png", "C")]
    with pytest.raises(DataError, match="no row has part=none"):
        read_folder(tmp_path, where="part=none")
    for wrong in ("part", "colour=red"):
        with pytest.raises(UsageError, match="COLUMN is one of file, label, part"):
            read_folder(tmp_path, where=wrong)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name,label\n1.png,A\n", "expected the columns file and label. Received: name, label"),
        (b"file;label\n1.png;A\n", "Received: file;label"),
        (b"", "expected the columns file and label"),
        (b"file,label\n", "names no picture"),
        (b"file,label\n1.png,A\n2.png\n", "line 3: has no label"),
        (b"file,label\n,A\n", "line 2: has no file"),
        (b"file,label\n\xff\xfe.png,A\n", "not a csv file in UTF-8"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_folder(tmp_path)


def test_folders_named_by_their_label(tmp_path: Path) -> None:
    touch(tmp_path, "7/1.png", "upper-a/2.png", "lower-A/3.jpg", "B/deep/4.png", "é/5.png", "Cc/6.png", ".git/x.png")
    touch(tmp_path, "stray.png", "7/notes.txt")
    (tmp_path / "Z").mkdir()
    skipped: list[str] = []
    items = read_folder(tmp_path, names=("Cc",), on_skip=skipped.append)
    assert {Path(path).name: label for path, label in seen(items, tmp_path)} == {
        "1.png": "7",
        "2.png": "A",
        "3.jpg": "a",
        "4.png": "B",
        "5.png": "é",
        "6.png": "Cc",
    }
    assert sorted(Path(path).name for path in skipped) == ["notes.txt", "stray.png"]


def test_folders_of_what_has_no_label_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "7/1.png", "_uncertain/2.png", "_error/deep/3.txt", "_/4.png", "_-/5.png")
    skipped: list[str] = []
    items = read_folder(tmp_path, names=("_-",), on_skip=skipped.append)
    assert [(Path(path).name, label) for path, label in seen(items, tmp_path)] == [
        ("1.png", "7"),
        ("4.png", "_"),
        ("5.png", "_-"),
    ]
    assert skipped == [str(tmp_path / "_error"), str(tmp_path / "_uncertain")]
    with pytest.raises(DataError, match=r"neither labels\.csv nor folders"):
        read_folder(touch(tmp_path / "all", "_empty/1.png"))


def test_folders_named_by_the_code_of_a_character(tmp_path: Path) -> None:
    touch(tmp_path, "U+002F/1.png", "U+00E9/2.png", "U+1F600/3.png")
    assert [label for _, label in seen(read_folder(tmp_path), tmp_path)] == ["/", "é", "\U0001f600"]
    for name in ("U+2F", "U+110000", "U+00e9", "U+0041x"):
        with pytest.raises(DataError, match="no label"):
            read_folder(touch(tmp_path / name, f"{name}/1.png"))


@pytest.mark.parametrize(
    ("label", "name"),
    [("0", "0"), ("A", "upper-A"), ("a", "lower-a"), ("/", "U+002F"), ("é", "U+00E9"), ("²", "U+00B2")],
)
def test_the_folder_of_a_label(tmp_path: Path, label: str, name: str) -> None:
    assert folder_name(label) == name
    assert read_folder(touch(tmp_path, f"{name}/1.png"))[0].label == label


def test_folders_that_cannot_be_understood(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a folder of pictures"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"neither labels\.csv nor folders"):
        read_folder(tmp_path)
    touch(tmp_path, "misc/1.png")
    with pytest.raises(DataError, match="misc: no label; expected a folder called by one character"):
        read_folder(tmp_path)
    with pytest.raises(UsageError, match="--where: chooses rows of a table"):
        read_folder(tmp_path, where="part=test")
    with pytest.raises(UsageError, match="--labels: cannot be read"):
        read_folder(tmp_path, tmp_path / "none.csv")


def test_the_class_of_a_label() -> None:
    classes = ("0", "Cc", "A", "a")
    found = [find_class(label, classes) for label in ("0", "c", "Cc", "a", "é", "", "cC", "0A")]
    assert found == [0, 1, 1, 3, None, None, None, None]
