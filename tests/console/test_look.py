"""How every table looks on a real terminal: nothing wider than it or cut, figures in line, labels in quotes."""

import itertools
import os
import re
import shutil
from pathlib import Path

import pytest

from tests import small_data
from tests.conftest import REPOSITORY, Emnist
from tests.terminal import run_on_terminal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
SIXTEEN = re.compile(r"\x1b\[(?:\d+;)*(?:3|4|9|10)[0-7]m")
"""One of the sixteen colours that every terminal has its own shades of: yellow is lost on white, blue on black."""

CLASSES = ("precision", "recall", "f1", "support", "pictures", "--min-confidence", "accuracy")
LOOKS = [
    ("predict scans --quiet --top-k 6 --min-confidence 0.9", (), ("'A' upper", "'7' digit", "'l' 40.2%", "uncertain")),
    ("predict scans/R.png --show", (), ("'R' upper", "'r'  0.2%")),
    (
        "evaluate -s letters --data-dir data --quiet",
        CLASSES,
        ("'I' upper      1.000   0.333  0.500        9", "'I' upper  'P' upper         3"),
    ),
    ("labels -s letters", ("id", "id in EMNIST's files", "ascii"), ("'O' upper     79  'O' 'o'",)),
    ("data info --data-dir data", ("training", "test", "classes"), ("letters",)),
    ("data info -s letters --data-dir data", ("id", "training", "test"), ("'I' upper  'I' 'i'",)),
    ("data show -s letters --count 9 --data-dir data", (), ("'G' upper",)),
    ("data verify --data-dir data", (), ("letters",)),
    ("models", ("classes", "size", "accuracy"), ("starter (default)",)),
]
"""Command -> headings of columns of figures, and what is to be seen in it."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small split of EMNIST and pictures: good ones, an uncertain one, an empty and a broken one."""
    folder = tmp_path_factory.mktemp("look")
    small_data.prepare(folder / "data", "letters", "ABCDEFGHI")
    (folder / "scans").mkdir()
    for name, example in {"A": "blue-ink-A.jpg", "7": "pencil-7.jpg", "R": "chalk-R.png", "e": "tiny-e.png"}.items():
        source = REPOSITORY / "examples" / example
        shutil.copy(source, folder / "scans" / f"{name}{source.suffix}")
    shutil.copy(
        REPOSITORY / "examples" / "chalk-R.png", folder / "scans" / "a longer name, as scanners give them 手.png"
    )
    (folder / "scans" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def shown(place: Path, columns: int, command: str, **environment: str) -> str:
    """What a window shows of a command, escape codes included."""
    code, text = run_on_terminal(columns, *command.split(), **environment)
    assert code == (3 if "scans --" in command else 0), text
    return text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "figures", "seen", "columns"),
    [*((*look, 80) for look in LOOKS), *((*look, 140) for look in LOOKS[:3])],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_on_a_terminal(
    place: Path, monkeypatch: pytest.MonkeyPatch, command: str, figures: tuple[str, ...], seen: tuple[str, ...],
    columns: int,
) -> None:  # fmt: skip
    monkeypatch.chdir(place)
    raw = shown(place, columns, command)
    text = ESCAPE.sub("", raw)
    lines = [line.rstrip() for line in text.replace("手", "--").splitlines()]  # which is two cells wide
    assert max(map(len, lines)) <= columns
    assert "…" not in text and "..." not in text
    for words in seen:
        assert words in text, text
    assert not SIXTEEN.search(raw)
    in_line = [in_line_with(lines, heading) for heading in figures]
    assert all(in_line), (figures, in_line)
    if "scans --" in command:
        assert "scans/alongername,asscannersgivethem--.png" in unfolded(lines)
        assert len({line.index("%") for line in lines if "━" in line}) == 1


def in_line_with(lines: list[str], heading: str) -> int:
    """How many rows have a figure that ends where the heading above it ends; fails if one ends elsewhere."""
    found = 0
    for i in [i - 1 for i, line in enumerate(lines) if line and set(line) == {"─"}]:
        if match := re.search(rf"(^| ){re.escape(heading)}(?=  |$)", lines[i]):
            for row in itertools.takewhile(bool, lines[i + 2 :]):
                end = row[match.end() - 1 : match.end() + 1].ljust(2)
                assert re.match(r"[\d%B] |  ", end), (heading, row)
                found += end != "  "
    return found


def unfolded(lines: list[str]) -> str:
    """The first column without blanks: its long names take several lines."""
    return "".join(re.split(r"  ", line)[0] for line in lines).replace(" ", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "command"),
    [
        ("cp437", "predict scans --quiet --show"),
        ("cp1252", "predict scans --quiet --show"),
        ("ascii", "predict scans --quiet --show"),
        ("ascii", "data show -s letters --data-dir data"),
        ("ascii", "predict scans --output rows.csv"),
        ("ascii", "--help"),
    ],
)
def test_an_encoding_that_lacks_lines_and_shades(
    place: Path, monkeypatch: pytest.MonkeyPatch, command: str, encoding: str
) -> None:
    monkeypatch.chdir(place)
    text = ESCAPE.sub("", shown(place, 80, command, PYTHONIOENCODING=encoding, PYTHONUTF8="0"))
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80
    if "--show" in command:
        assert "\\u624b.png" in text and "######" in text and ":*##" in text
    if "--output" in command:
        assert "reading" in text, "a bar is drawn"


@pytest.mark.slow
def test_rows_for_programs_on_such_a_terminal(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    text = shown(place, 80, "predict scans --quiet -f csv", PYTHONIOENCODING="cp1252", PYTHONUTF8="0")
    assert "as scanners give them \\u624b.png" in text


@pytest.mark.slow
@pytest.mark.parametrize("command", [LOOKS[0][0], LOOKS[1][0], LOOKS[6][0]])
def test_no_color_leaves_no_escape_codes(place: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(place)
    assert "\x1b" not in shown(place, 80, command, NO_COLOR="1")


@pytest.mark.slow
def test_a_pipe_gets_utf8_without_escape_codes(place: Path, shell: Emnist) -> None:
    odd = {"PYTHONIOENCODING": "cp437", "PYTHONUTF8": "0", "NO_COLOR": "", "TERM": "xterm-256color"}
    out = shell("predict", "scans", "-f", "table", cwd=place, **odd).out
    assert "\x1b" not in out
    assert "scans/a longer name, as scanners give them 手.png" in out and "━" in out


@pytest.mark.slow
def test_a_dumb_terminal_gets_no_colours(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    text = shown(place, 80, "predict scans/R.png", TERM="dumb")
    assert "'R' upper" in text and "\x1b" not in text


def test_help_has_no_colours_that_vanish(monkeypatch: pytest.MonkeyPatch) -> None:
    from typer import rich_utils

    from emnist_cli.console.help import restyle_help

    before = {name: value for name, value in vars(rich_utils).items() if name.startswith("STYLE_")}
    for name in (*before, "COLOR_SYSTEM"):
        monkeypatch.setattr(rich_utils, name, getattr(rich_utils, name))
    restyle_help()
    after = {name: str(getattr(rich_utils, name)) for name in before}
    assert [name for name, value in after.items() if re.search("yellow|cyan|green|blue", value)] == []
    assert rich_utils.COLOR_SYSTEM is None, "NO_COLOR is set here"
