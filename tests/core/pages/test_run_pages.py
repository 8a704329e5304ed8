"""Pages of files, one after another; a PDF that comes with its content is handed to worker processes once."""

from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("pypdfium2")

from emnist_cli.core.errors import ImageError
from emnist_cli.core.files.discovery import ImageRef
from emnist_cli.core.pages import run_pages
from tests.conftest import Emnist
from tests.core.pages.test_pdf import write


def test_a_pdf_on_stdin_is_kept_in_one_file_for_all_its_pages(tmp_path: Path) -> None:
    content = write(tmp_path / "two.pdf", "ABC", "12")
    with ExitStack() as copies:
        pages = list(run_pages._pages([ImageRef("-", data=content)], copies))
        assert [(page.path, page.page) for page in pages] == [("-", 1), ("-", 2)]
        assert {page.found.data for page in pages} == {None}
        (copy,) = {page.found.path for page in pages}
        assert Path(copy).read_bytes() == content
        assert Path(copy).stat().st_mode & 0o077 == 0, "it may be private"
    assert not Path(copy).exists()


def test_rows_name_stdin(emnist: Emnist, tmp_path: Path) -> None:
    content = write(tmp_path / "two.pdf", "ABC", "12")
    by_path = emnist("read", tmp_path / "two.pdf", "-f", "jsonl", "--workers", 2)
    by_stdin = emnist("read", "-", "-f", "jsonl", "--workers", 2, stdin=content)
    assert by_stdin.out == by_path.out.replace(str(tmp_path / "two.pdf"), "-")
    assert by_stdin.out.count('"path": "-"') == 2


def test_a_disk_that_is_full_is_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**how: str) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    with ExitStack() as copies:
        (page,) = run_pages._pages([ImageRef("-", data=write(tmp_path / "two.pdf", "A", "B"))], copies)
    assert isinstance(page.found.problem, ImageError)
    assert "No space left on device" in str(page.found.problem)
