"""What a run of `emnist read` was asked to do, and checks that its options fit together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emnist_cli.cli.image_arguments import check_stdin, protect_pictures
from emnist_cli.commands.read.options import SUFFIXES, PageFormat


@dataclass(frozen=True)
class ReadRequest:
    """The options of one run.

    Attributes:
        paths, recursive: what to read.
        options: keyword arguments of `Recognizer`.
        top_k, min_confidence, lexicon: see `read_pages`.
        form: the value of `--format`.
        output: the output file; None for stdout.
        overlay: the value of `--overlay`.
        workers, timeout: see `read_pages`.
        quiet: write nothing but errors to stderr.
    """

    paths: list[str]
    recursive: bool
    options: dict[str, Any]
    top_k: int
    min_confidence: float
    lexicon: Path | None
    form: PageFormat | None
    output: Path | None
    overlay: str | None
    workers: int | None
    timeout: float
    quiet: bool

    @property
    def page_format(self) -> PageFormat:
        """The format that is requested, else that of the output file's suffix, else text."""
        suffix = self.output.suffix.lower() if self.output else ""
        return self.form or SUFFIXES.get(suffix) or PageFormat.TEXT


def check_request(request: ReadRequest) -> None:
    """Check that the paths can be read and the output written, before anything is read.

    Raises:
        UsageError: stdin is a terminal, or the output would replace an image.
    """
    check_stdin(request.paths, "read")
    protect_pictures(request.paths, request.output)
