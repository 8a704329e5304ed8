"""`emnist read`: recognize the text of whole pages."""

import typer

from emnist_cli.cli.options import Charset, FoldCase, Model, Quiet, Recursive, Timeout, Trust, Workers
from emnist_cli.commands.read.options import (
    CharacterMinConfidence,
    CharacterTopK,
    LexiconFile,
    Overlay,
    PageFormatOption,
    PageOutput,
    Pages,
)
from emnist_cli.commands.read.report import PageReporter
from emnist_cli.commands.read.request import ReadRequest, check_request
from emnist_cli.core.bundle import DEFAULT_MODEL
from emnist_cli.core.config import PredictConfig, ReadConfig
from emnist_cli.core.errors import ExitCode


def read(
    pages: Pages,
    model: Model = DEFAULT_MODEL,
    trust: Trust = False,
    top_k: CharacterTopK = PredictConfig.top_k,
    charset: Charset = None,
    fold_case: FoldCase = False,
    min_confidence: CharacterMinConfidence = PredictConfig.min_confidence,
    lexicon: LexiconFile = None,
    recursive: Recursive = False,
    form: PageFormatOption = None,
    output: PageOutput = None,
    overlay: Overlay = None,
    workers: Workers = None,
    timeout: Timeout = ReadConfig.timeout,
    quiet: Quiet = False,
) -> None:
    """Read pages of separate, hand-printed characters: text, forms, tables; not joined-up writing.

    Prints the text, or with --format every character with its place. The exit code is 3 if a page could not be read.
    """
    request = ReadRequest(
        paths=pages,
        recursive=recursive,
        options={"model": model, "trust": trust, "charset": charset, "fold_case": fold_case},
        top_k=top_k,
        min_confidence=min_confidence,
        lexicon=lexicon,
        form=form,
        output=output,
        overlay=overlay,
        workers=workers,
        timeout=timeout,
        quiet=quiet,
    )
    check_request(request)
    from emnist_cli.commands.read.run import run

    reporter = PageReporter(request)
    overlays = run(request, reporter)
    reporter.summarize(overlays)
    if reporter.counts["error"]:
        raise typer.Exit(ExitCode.INPUT)
