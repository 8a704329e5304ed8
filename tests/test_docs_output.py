"""What the documentation shows as a command's output is what the command prints."""

import re
from pathlib import Path

import make_docs_output
import pytest

from tests.conftest import REPOSITORY

pytest.importorskip("pty", reason="commands are run on a terminal, which Windows has not")

RUN = "<!-- run -->\n```console\n{}\n```\n"


@pytest.mark.slow
@pytest.mark.parametrize("page", make_docs_output.pages(), ids=lambda page: page.name)
def test_commands_print_what_the_page_shows(page: Path) -> None:
    shown = page.read_text(encoding="utf-8")
    assert shown == make_docs_output.refreshed(page), "run scripts/make_docs_output.py"


def test_the_pages_that_show_output_are_run() -> None:
    names = {page.relative_to(REPOSITORY).as_posix() for page in make_docs_output.pages()}
    assert names >= {"docs/index.md", "docs/predicting.md", "docs/reading.md", "docs/troubleshooting.md"}
    predicting = (REPOSITORY / "docs" / "predicting.md").read_text(encoding="utf-8")
    assert predicting.count("```console") == predicting.count("<!-- run -->\n```console"), "a block that is not run"


@pytest.fixture
def refresh(tmp_path: Path) -> "Refresh":
    return Refresh(tmp_path / "page.md")


class Refresh:
    """Puts what commands print into a page, and returns it."""

    def __init__(self, page: Path) -> None:
        self._page = page

    def __call__(self, text: str) -> str:
        self._page.write_text(text, encoding="utf-8")
        return make_docs_output.refreshed(self._page)


def test_output_is_replaced_and_the_rest_stays(refresh: Refresh) -> None:
    rest = "\n# Title\n\n```console\n$ echo not run\n```\n"
    page = refresh(RUN.format("$ echo one\nold\n\n$ echo two\nold") + rest)
    assert page == RUN.format("$ echo one\none\n\n$ echo two\ntwo") + rest
    assert refresh(page) == page


def test_commands_of_several_lines_are_run_whole(refresh: Refresh) -> None:
    block = "$ for name in a b\n> do echo $name; done"
    assert refresh(RUN.format(block)) == RUN.format(f"{block}\na\nb")


def test_blocks_of_a_page_share_a_folder_with_the_examples(refresh: Refresh) -> None:
    page = refresh(RUN.format("$ ls examples/chalk-R.png > there.txt") + RUN.format("$ cat there.txt"))
    assert page.endswith(RUN.format("$ cat there.txt\nexamples/chalk-R.png"))
    assert not (REPOSITORY / "there.txt").exists()


@pytest.mark.slow
def test_commands_see_a_terminal_without_colours_and_stderr_comes_last(refresh: Refresh) -> None:
    page = refresh(RUN.format("$ echo error >&2; test -t 1 && emnist predict examples/chalk-R.png"))
    assert "\x1b" not in page
    assert re.search(r"examples/chalk-R\.png +'?R'? upper .* 99\.\d%(.*\n)*error\n```", page)
    assert max(map(len, page.splitlines())) <= 80
