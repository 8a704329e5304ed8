"""Options of `emnist read`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class PageFormat(StrEnum):
    """What `--format` takes."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    HOCR = "hocr"


SUFFIXES = {
    ".json": PageFormat.JSON,
    ".jsonl": PageFormat.JSONL,
    ".csv": PageFormat.CSV,
    ".hocr": PageFormat.HOCR,
    ".html": PageFormat.HOCR,
    ".xhtml": PageFormat.HOCR,
}
"""Suffixes of an output file and the format that each asks for."""

Pages = Annotated[
    list[str], typer.Argument(metavar="PAGE...", help="Pictures of pages, PDFs, folders, patterns; - is stdin.")
]

PageFormatOption = Annotated[
    PageFormat | None,
    typer.Option("--format", "-f", metavar="|".join(PageFormat), help="Default: text, the lines as they are written."),
]

PageOutput = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="Write to this file instead; .csv, .json, .jsonl and .hocr choose the format.",
        metavar="FILE",
    ),
]

CharacterTopK = Annotated[int, typer.Option("--top-k", min=1, metavar="N", help="Alternatives named a character.")]

CharacterMinConfidence = Annotated[
    float,
    typer.Option(
        "--min-confidence", min=0, max=1, metavar="P", help="Below it a character has no label, and is ? in the text."
    ),
]

LexiconFile = Annotated[
    Path | None,
    typer.Option("--lexicon", metavar="FILE", help="Words that are expected, one a line; the likeliest is taken."),
]

Overlay = Annotated[
    str | None,  # a Path would lose the slash at the end
    typer.Option(
        metavar="FILE",
        help="Draw boxes and labels on the page: an image file, or a folder for many; DIR/ is created.",
    ),
]
