import glob
import inspect
import os
import shutil
import sys
import tracemalloc
from collections.abc import Generator
from itertools import count
from pathlib import Path
from typing import cast

import pytest

from emnist_cli.core.files import discovery
from emnist_cli.core.files.discovery import ImageRef, count_pictures, find_pictures

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: names of any bytes, /proc")


@pytest.fixture(autouse=True, params=[discovery.IN_MEMORY, 2], ids=["in-memory", "on-disk"])
def limit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Every test runs with folders that are sorted in memory and with ones that are not."""
    monkeypatch.setattr(discovery, "IN_MEMORY", request.param)
    return int(request.param)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.png", "a.JPG", "c.txt", ".hidden.png", "sub/d.tif", "sub/deep/e.gif", "empty/readme.md", "[x].png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*paths: str, recursive: bool = False) -> list[str]:
    """What is found; the count must be the same."""
    found = [found.path for found in find_pictures(paths, recursive)]
    assert count_pictures(paths, recursive) == len(found)
    return found


def lazily(*paths: str, recursive: bool = False) -> Generator[ImageRef, None, None]:
    return cast(Generator[ImageRef, None, None], find_pictures(paths, recursive))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


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
    (deep / "x.png").write_bytes(b"")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 150)
    try:
        assert names("sub", recursive=True)[-1] == "sub/deep/e.gif"
    finally:
        sys.setrecursionlimit(limit)


@LINUX
def test_few_files_are_open_in_folders_within_folders(folder: Path) -> None:
    deep = folder / "sub" / "/".join("a" * 100)
    deep.mkdir(parents=True)
    (deep / "x.png").write_bytes(b"")
    before = open_files()
    search = lazily("sub", recursive=True)
    assert next(search).path.endswith("/a/x.png")
    assert open_files() <= before + 2
    search.close()


@LINUX
def test_names_are_sorted_by_their_bytes(tmp_path: Path) -> None:
    raw = [b"Z.png", b"a.png", "\u00e9.png".encode(), "\U0001f600.png".encode(), b"\xff.png"]
    for name in (raw[4], raw[1], raw[3], raw[0], raw[2]):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"")
    for path in (str(tmp_path), f"{tmp_path}/*.png", f"{tmp_path}/**/*.png"):
        assert [os.fsencode(Path(found).name) for found in names(path)] == raw


def test_folders_of_every_kind_of_entry(folder: Path) -> None:
    for i in range(7):
        for name in (f"many/{i}.png", f"many/{i}/a.png", f"many/{i}/.b.png", f"many/.{i}/a.png", f"many/{i}.txt"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"")
        (folder / f"many/{i}l.png").symlink_to("0.png")
        (folder / f"many/{i}m").symlink_to("0")
    each = [[f"many/{i}/a.png", f"many/{i}.png", f"many/{i}l.png"] for i in range(7)]
    assert sorted(names("many", recursive=True)) == sorted(path for paths in each for path in paths)
    assert names("many", recursive=True)[:4] == ["many/0/a.png", "many/0.png", "many/0l.png", "many/1/a.png"]
    assert names("many") == [path for paths in each for path in paths[1:]]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "pattern",
    ["*.*", "?.png", "[!a]*.*", ".*.png", "./*.png", "sub/*.t?f", "su[b]/*.*", "*/[dr]*.*", "*/*/*.gif", "s*/d.tif"],
)
def test_patterns_match_as_in_a_shell(pattern: str) -> None:
    assert names(pattern) == sorted(glob.glob(pattern))  # noqa: PTH207


@pytest.mark.usefixtures("folder")
def test_a_pattern_enters_the_folders_that_it_matches() -> None:
    assert names("*") == ["[x].png", "a.JPG", "b.png", "c.txt", "empty", "sub/d.tif"]
    Path("link").symlink_to("sub")
    assert names("l*", "su*/", recursive=True) == ["link/d.tif", "link/deep/e.gif", "sub/d.tif", "sub/deep/e.gif"]


def test_a_folder_that_cannot_be_listed(folder: Path) -> None:
    search = lazily("sub", recursive=True)
    assert next(search) == ImageRef("sub/d.tif")
    shutil.rmtree(folder / "sub/deep")
    (found,) = search
    assert found.path == "sub/deep"
    assert str(found.problem).startswith("cannot be listed: ")


@pytest.mark.slow
@LINUX
def test_memory_does_not_grow_with_the_names(tmp_path: Path, limit: int) -> None:
    write_many(tmp_path)
    before = open_files()
    search = lazily(str(tmp_path))
    tracemalloc.start()
    try:
        assert next(search).path == f"{tmp_path}/{0:0200}.png"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (peak < 500_000) == (limit == 2), "all names take more than 3 MB"
    assert (open_files() > before) == (limit == 2), "they lie in a file instead"
    search.close()
    assert open_files() == before


def write_many(folder: Path) -> None:
    """So many long names that SQLite does not keep them in its cache."""
    for i in range(9_900):
        (folder / f"{i:0200}.png").touch()


@pytest.mark.slow
@LINUX
def test_no_room_for_sorting(tmp_path: Path, limit: int) -> None:
    import resource

    write_many(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        found = list(find_pictures([str(tmp_path)]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    if limit == 2:
        assert [(f.path, "while sorting its names in a temporary file" in str(f.problem)) for f in found] == [
            (str(tmp_path), True)
        ]
    else:
        assert len(found) == 9_900


@pytest.mark.usefixtures("folder")
def test_a_python_without_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    assert names(".") == ["./[x].png", "./a.JPG", "./b.png"]


@pytest.mark.usefixtures("folder")
def test_a_count_ends_when_asked() -> None:
    for paths in (["-"] * 100, ["b.png"] * 100, ["."], ["*.nothing"], ["sub/**"]):
        asked = count()
        assert count_pictures(paths, stop=lambda asked=asked: next(asked) == 2) is None
        assert next(asked) == 3, "at once"
