"""`emnist predict`: recognize the character in each image."""

import time
from collections import Counter
from pathlib import Path

import typer

from emnist_cli.cli.image_arguments import check_stdin, protect_pictures
from emnist_cli.cli.options import Charset, FoldCase, FormatOption, Model, Quiet, Recursive, Timeout, Workers
from emnist_cli.commands.predict.engines import is_distributed, local, ray, write_parts
from emnist_cli.commands.predict.options import (
    ContactSheet,
    CopyTo,
    Engine,
    EngineOption,
    Ink,
    InkChoice,
    MinConfidence,
    Order,
    Output,
    Paths,
    Raw,
    RayAddress,
    Resume,
    SheetSize,
    Show,
    Sort,
    TopK,
    Transposed,
)
from emnist_cli.commands.predict.run import PredictRequest, Reporter, run
from emnist_cli.core.bundle import DEFAULT_MODEL
from emnist_cli.core.config import PredictConfig
from emnist_cli.core.errors import ExitCode, UsageError
from emnist_cli.output.formats import Format, choose_format
from emnist_cli.output.resumable import RESUMABLE


def predict(
    paths: Paths,
    model: Model = DEFAULT_MODEL,
    top_k: TopK = PredictConfig.top_k,
    charset: Charset = None,
    fold_case: FoldCase = False,
    min_confidence: MinConfidence = PredictConfig.min_confidence,
    ink: Ink = InkChoice.AUTO,
    raw: Raw = False,
    transposed: Transposed = False,
    recursive: Recursive = False,
    form: FormatOption = None,
    output: Output = None,
    resume: Resume = False,
    show: Show = False,
    contact_sheet: ContactSheet = None,
    sort: Sort = Order.INPUT,
    sheet_size: SheetSize = PredictConfig.sheet_size,
    copy_to: CopyTo = None,
    workers: Workers = None,
    timeout: Timeout = PredictConfig.timeout,
    engine: EngineOption = Engine.LOCAL,
    ray_address: RayAddress = None,
    quiet: Quiet = False,
) -> None:
    """Tell which handwritten character each picture shows.

    Every picture gets one row: ok, uncertain, empty or error. The exit code is 3 if any was an error.
    """
    distributed = engine is Engine.RAY and is_distributed(output)
    place = Path(output) if output is not None else None
    request = PredictRequest(
        paths=paths,
        recursive=recursive,
        options={
            "model": model,
            "top_k": top_k,
            "charset": charset,
            "fold_case": fold_case,
            "min_confidence": min_confidence,
            "ink": ink.value,
            "raw": raw,
            "transposed": transposed,
        },
        form=None if distributed else _check(paths, form, place, show),
        output=place,
        resume=resume,
        show=show,
        quiet=quiet,
        workers=workers,
        timeout=timeout,
        sheet=contact_sheet,
        sheet_size=sheet_size,
        least_certain=sort is Order.CONFIDENCE,
        copy_to=copy_to,
    )
    if ray_address and engine is not Engine.RAY:
        raise UsageError(f"--ray-address: goes with --engine ray. Received: {ray_address}")
    if distributed and output:
        counts = _write_parts(request, ray_address, output, form)
    else:
        _check_resume(request)
        counts = run(request, ray(request, ray_address) if engine is Engine.RAY else local(request))
    if counts["error"]:
        raise typer.Exit(ExitCode.INPUT)


def _write_parts(request: PredictRequest, address: str | None, destination: str, form: Format | None) -> "Counter[str]":
    started = time.monotonic()
    teller = Reporter(request)
    counts = write_parts(request, address, destination, form, teller.skipped)
    teller.summary(counts, 0, time.monotonic() - started)
    return counts


def _check(paths: list[str], form: Format | None, output: Path | None, show: bool) -> Format | None:
    """Refuse options that contradict each other; return the format."""
    check_stdin(paths, "predict")
    protect_pictures(paths, output)
    chosen = choose_format(form, output)
    if not show:
        return chosen
    if (form is not None and form is not Format.TABLE) or (output is not None and chosen is not None):
        raise UsageError(f"--show draws a table and cannot go with {f'--format {form}' if form else output}")
    return Format.TABLE


def _check_resume(request: PredictRequest) -> None:
    if request.resume and (request.output is None or request.form not in RESUMABLE):
        received = f"--format {request.form}" if request.output else "no --output"
        raise UsageError(f"--resume: expected an --output in csv or jsonl, to go on with. Received: {received}")
    if request.resume and request.output and request.output.exists() and not request.output.is_file():
        raise UsageError(f"--resume: expected a file to go on with. Received: {request.output}")
    if request.least_certain and not request.sheet:
        raise UsageError("--sort: says what comes first on a --contact-sheet, which is not asked for")
