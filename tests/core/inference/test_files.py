import inspect
import os
import sys
from pathlib import Path

import pytest

from emnist_cli.core.inference.files import find_pictures


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.png", "a.JPG", "c.txt", ".hidden.png", "sub/d.tif", "sub/deep/e.gif", "empty/readme.md", "[x].png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*paths: str, recursive: bool = False) -> list[str]:
    return [found.path for found in find_pictures(paths, recursive)]


@pytest.mark.usefixtures("folder")
def test_files_are_taken_as_named_and_in_order() -> None:
    assert names("b.png", "c.txt", "-", "a.JPG", "b.png") == ["b.png", "c.txt", "-", "a.JPG", "b.png"]


@pytest.mark.usefixtures("folder")
def test_a_folder_gives_its_pictures_sorted() -> None:
    assert names(".") == ["./[x].png", "./a.JPG", "./b.png"]
    assert names("sub", recursive=True) == ["sub/d.tif", "sub/deep/e.gif"]


@pytest.mark.usefixtures("folder")
def test_what_is_skipped_is_told() -> None:
    skipped: list[str] = []
    list(find_pictures(["."], on_skip=skipped.append))
    assert skipped == ["./c.txt"]


@pytest.mark.usefixtures("folder")
def test_patterns_that_the_shell_left_alone() -> None:
    assert names("*.png") == ["[x].png", "b.png"]
    assert names("**/*.gif") == ["sub/deep/e.gif"]
    assert names("su?") == ["sub/d.tif"], "a folder that matches is entered"
    assert names("[x].png") == ["[x].png"], "a file of that very name comes first"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("*.bmp", "no file matches this pattern"),
        ("empty", "no pictures in this folder (.png, .jpg, .tif, ...); --recursive looks in its folders too"),
    ],
)
def test_what_leads_to_nothing_is_yielded_with_its_problem(path: str, problem: str) -> None:
    (found,) = find_pictures([path])
    assert (found.path, str(found.problem)) == (path, problem)


def test_links_are_read_but_not_followed_into_folders(folder: Path) -> None:
    (folder / "sub/up").symlink_to(folder)
    (folder / "sub/link.png").symlink_to(folder / "b.png")
    (folder / "sub/broken.png").symlink_to("nowhere")
    assert names("sub", recursive=True) == ["sub/broken.png", "sub/d.tif", "sub/deep/e.gif", "sub/link.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_a_folder_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "sub/pipe.png")
    os.mkfifo(folder / "sub/aim.fifo")
    (folder / "sub/linked.png").symlink_to("aim.fifo")
    assert names("sub") == ["sub/d.tif"]


def test_links_in_a_circle_are_not_followed_by_patterns(folder: Path) -> None:
    (folder / "sub/up").symlink_to(folder)
    assert names("sub/**/*.gif") == ["sub/deep/e.gif"]
    assert names("sub/**") == ["sub/d.tif", "sub/deep/e.gif"]
    (folder / "way").symlink_to("sub")
    assert names("way/*.tif") == ["way/d.tif"], "a link that the user names is followed"
    assert names("way/**/*.gif") == ["way/deep/e.gif"]


def test_hidden_folders_are_left_out(folder: Path) -> None:
    (folder / "sub/.thumbnails").mkdir()
    (folder / "sub/.thumbnails/d.png").write_bytes(b"")
    assert names("sub", recursive=True) == ["sub/d.tif", "sub/deep/e.gif"]


def test_folders_nested_deeper_than_calls(folder: Path) -> None:
    deep = folder / "sub" / "/".join("d" * 300)
    deep.mkdir(parents=True)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 150)
    try:
        assert names("sub", recursive=True)[-1] == "sub/deep/e.gif"
    finally:
        sys.setrecursionlimit(limit)
