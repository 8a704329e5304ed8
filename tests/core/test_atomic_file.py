"""A file or folder is replaced whole or not at all, and nothing is written through a link that somebody planted."""

import errno
import os
import secrets
import stat
from pathlib import Path

import pytest

from emnist_cli.core.atomic_file import is_worked_in, new_file, new_folder, put_in_place, write_file
from emnist_cli.core.errors import OutputError

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs permissions and links")


def umask_mode() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


@pytest.mark.parametrize("name", ["out.csv", "手" * 80 + ".csv", "\udcff.csv"])
def test_a_file_appears_when_it_is_complete(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for content in (b"old", b"new"):
        before = path.read_bytes() if path.exists() else None
        with new_file(path) as file:
            file.write(content)
            file.flush()
            assert (path.read_bytes() if path.exists() else None) == before
            assert [p.name[0] for p in tmp_path.iterdir() if p != path] == ["."], "folders are read without it"
            assert f".{os.getpid()}." in Path(file.name).name
        assert path.read_bytes() == content
        assert list(tmp_path.iterdir()) == [path]


def test_no_two_temporary_names_are_alike(tmp_path: Path) -> None:
    with new_file(tmp_path / "out") as first, new_file(tmp_path / "out") as second:
        assert first.name != second.name


@POSIX
def test_permissions_are_those_of_the_replaced_file_or_the_usual_ones(tmp_path: Path) -> None:
    write_file(tmp_path / "out", b"old")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == umask_mode()
    (tmp_path / "out").chmod(0o600)
    with new_file(tmp_path / "out") as file:
        assert stat.S_IMODE(Path(file.name).stat().st_mode) == 0o600, "nobody else reads it meanwhile"
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_a_block_that_fails_leaves_nothing(tmp_path: Path, error: type[BaseException], replace: bool) -> None:
    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(error), new_file(tmp_path / ("out" if replace else "copy"), replace=replace) as file:
        file.write(b"new")
        raise error
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("out", b"old")]


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_a_name_that_is_taken_is_refused_if_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    def link(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    if not links:
        monkeypatch.setattr(os, "link", link)
    with new_file(tmp_path / "out", replace=False) as file:
        file.write(b"old")
    with pytest.raises(FileExistsError), new_file(tmp_path / "out", replace=False) as file:
        file.write(b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("out", b"old")]


def test_what_a_link_leads_to_is_replaced_and_not_the_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link", b"content")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"content"


@POSIX
def test_a_link_at_the_temporary_name_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if somebody could guess the name."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"kept")
    monkeypatch.setattr(secrets, "token_hex", lambda length: "guessed")
    planted = tmp_path / f".out.{os.getpid()}.guessed.tmp"
    planted.symlink_to(victim)
    with pytest.raises(OutputError, match=r"out: cannot be written \(File exists\); nothing was left there"):
        write_file(tmp_path / "out", b"content")
    assert (victim.read_bytes(), planted.is_symlink(), (tmp_path / "out").exists()) == (b"kept", True, False)


@pytest.mark.parametrize("name", ["gone/out", "file/out", "folder", "x" * 300])
def test_where_no_file_can_be(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written"):
        write_file(tmp_path / name, b"content")
    assert {p.name for p in tmp_path.iterdir()} == {"folder", "file"}


def folder(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "file").write_text(text)
    return path


@pytest.mark.parametrize("there", [False, True])
def test_a_new_folder_takes_the_place(tmp_path: Path, there: bool) -> None:
    if there:
        folder(tmp_path / "place", "old")
    put_in_place(folder(tmp_path / "new", "new"), tmp_path / "place")
    assert (tmp_path / "place" / "file").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["place"]


@pytest.mark.parametrize("ending", [KeyboardInterrupt, OSError])
def test_what_was_there_comes_back_if_that_fails(
    tmp_path: Path, ending: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, new = folder(tmp_path / "place", "old"), folder(tmp_path / "new", "new")
    rename = Path.rename

    def stop(self: Path, target: Path) -> Path:
        if self == new:
            raise ending
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", stop)
    with pytest.raises(ending):
        put_in_place(new, place)
    assert (place / "file").read_text() == "old"
    assert {p.name for p in tmp_path.iterdir()} == {"place", "new"}


def test_a_folder_with_a_long_name(tmp_path: Path) -> None:
    place = tmp_path / ("手" * 85)
    for content in ("old", "new"):
        with new_folder(place) as new:
            (new / "file").write_text(content)
    assert (place / "file").read_text() == "new"
    assert list(tmp_path.iterdir()) == [place]


def test_where_somebody_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    assert is_worked_in(tmp_path / "a")
    assert is_worked_in(Path())
    assert not is_worked_in(tmp_path / "c")
