"""Labels in quotes, colours that can be read on dark and light, and texts that an encoding lacks."""

import io

import pytest
from rich.console import Console
from rich.style import Style

from emnist_cli.console import style
from emnist_cli.console.predictions import print_predictions
from emnist_cli.console.tables import print_table
from emnist_cli.core.records import Alternative, Prediction


@pytest.mark.parametrize(
    ("label", "named"),
    [
        ("O", "'O' upper"),
        ("0", "'0' digit"),
        ("l", "'l' lower"),
        ("Δ", "'Δ' upper"),
        (".", "'.'"),
        (" ", "' '"),
        ("'", '"\'"'),
        ('"', "'\"'"),
        ("apple", "'apple'"),
    ],
)
def test_labels_are_quoted_with_their_kind(label: str, named: str) -> None:
    assert style.name(label) == named


def luminance(colour: str) -> float:
    """Relative luminance of a colour (WCAG 2.2)."""
    found = Style.parse(colour).color
    assert found is not None and found.number is not None and found.number >= 16, "a terminal's own palette varies"
    parts = [c / 255 for c in found.get_truecolor()]
    return sum(
        weight * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
        for weight, c in zip((0.2126, 0.7152, 0.0722), parts, strict=True)
    )


@pytest.mark.parametrize("colour", [style.GOOD, style.FAIR, style.BAD])
def test_colours_stand_out_on_black_and_on_white(colour: str) -> None:
    light = luminance(colour)
    assert min(1.05 / (light + 0.05), (light + 0.05) / 0.05) > 3.8


class Page(io.StringIO):
    """A text stream of some encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


def prediction(path: str, *answers: tuple[str, float]) -> Prediction:
    found = tuple(Alternative(*answer) for answer in answers)
    return Prediction(path=path, status="ok", label=found[0].label, confidence=found[0].confidence, alternatives=found)


def test_words_as_labels_keep_the_columns() -> None:
    page = Page("utf-8")
    rows = [prediction("a.png", ("apple", 0.9), ("fig", 0.08)), prediction("手.png", ("'", 0.6), (".", 0.375))]
    print_predictions(rows, page)
    _, _, first, second = (line.rstrip() for line in page.getvalue().splitlines())
    assert "'apple'" in first and first.endswith("'fig'    8.0%")
    assert '"\'"' in second and second.endswith("'.'     37.5%")
    assert first.index("90.0%") == second.index("60.0%") + 1, "the path of the second is a cell wider than its letters"


def test_what_an_encoding_lacks_is_laid_out_as_its_escape() -> None:
    page = Page("cp437")
    print_predictions([prediction("手.png", ("Δ", 0.9), ("A", 0.1)), prediction("a.png", ("A", 1.0))], page)
    heading, rule, first, second = page.getvalue().splitlines()
    assert page.getvalue().isascii()
    assert first.startswith("\\u624b.png") and "'\\u0394' upper" in first and "###" in first
    assert first.index("90.0%") == second.index("100.0%") + 1
    assert set(rule.strip()) == {"-"} and heading.startswith("file")


@pytest.mark.parametrize(
    ("encoding", "legacy", "plain"), [("utf-8", False, False), ("utf-8", True, True), ("cp437", False, True)]
)
def test_who_gets_ascii_alone(encoding: str, legacy: bool, plain: bool) -> None:
    assert style.is_plain(Console(file=Page(encoding), legacy_windows=legacy)) == plain


def test_a_table_of_records() -> None:
    page = Page("ascii")
    records = [{"label": "o", "of": "Oo", "n": 1234, "none": None}, {"label": "0", "of": "0", "n": 5, "none": None}]
    columns = {"label": "class", "of": "stands for", "n": "pictures", "none": "none"}
    print_table(records, columns, page, "what it → shows", right=("n",), labels=("label",), characters=("of",))
    assert [line.rstrip() for line in page.getvalue().splitlines()] == [
        "what it \\u2192 shows",
        "",
        "class      stands for  pictures  none",
        "-------------------------------------",
        "'o' lower  'O' 'o'        1,234",
        "'0' digit  '0'                5",
    ]
