"""A folder is replaced whole or not at all."""

from pathlib import Path

import pytest

from emnist_cli.core.atomic_file import is_worked_in, put_in_place


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


def test_where_somebody_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    assert is_worked_in(tmp_path / "a")
    assert is_worked_in(Path())
    assert not is_worked_in(tmp_path / "c")
