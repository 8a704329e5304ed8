"""`emnist predict --engine ray` on a real Ray, in processes of its own."""

from pathlib import Path

import pytest

from tests.conftest import Emnist
from tests.handwriting import picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for character in "47Kg":
        picture(character).save(folder / f"{character}.png")
    (folder / "5.png").write_bytes(b"nothing")
    (folder / "notes.txt").write_text("not a picture")
    return folder


def test_the_same_file_as_without(folder: Path, tmp_path: Path, shell: Emnist) -> None:
    for engine in ("local", "ray"):
        result = shell("predict", folder, "--engine", engine, "-o", tmp_path / f"{engine}.csv")
        assert (result.code, result.out) == (3, ""), result
        assert "5 pictures: 4 ok, 1 error; written to" in result.err
        assert "skipped, not a picture by its name:" in result.err
    assert (tmp_path / "ray.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()


@pytest.mark.slow
def test_part_files(folder: Path, tmp_path: Path, shell: Emnist) -> None:
    from pyarrow import parquet

    result = shell("predict", folder, "--engine", "ray", "-o", tmp_path / "rows.parquet")
    assert (result.code, result.out) == (3, ""), result
    rows = parquet.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [(Path(row["path"]).name, row["label"]) for row in rows] == [
        ("4.png", "4"), ("5.png", ""), ("7.png", "7"), ("K.png", "K"), ("g.png", "g"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["--show"], "--show"),
        (["-o", "rows.parquet", "--resume"], "--output"),
        (["-o", "rows.parquet", "-f", "csv"], "--format"),
        (["-o", "rows.parquet", "--sort", "confidence"], "--sort"),
        (["-o", "rows.csv", "--sort", "confidence"], "--sort"),
        (["file:///nowhere/a.png", "--copy-to", "sorted"], "--copy-to"),
    ],
)
def test_what_does_not_go_together(
    folder: Path, tmp_path: Path, emnist: Emnist, monkeypatch: pytest.MonkeyPatch, args: list[str], error: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = emnist("predict", folder, "--engine", "ray", *args)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"emnist: {error}: ")
    assert [p.name for p in tmp_path.iterdir()] == ["scans"]
