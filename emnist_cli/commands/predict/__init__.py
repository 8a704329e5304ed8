"""`emnist predict`: recognize the character in each image."""

import typer

from emnist_cli.cli.options import Charset, FoldCase, FormatOption, Model, Quiet, Recursive, Timeout, Trust, Workers
from emnist_cli.commands.predict.engines import choose_engine, write_parts
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
from emnist_cli.commands.predict.report import Reporter
from emnist_cli.commands.predict.request import PredictRequest, check_request
from emnist_cli.commands.predict.run import run
from emnist_cli.core.bundle import DEFAULT_MODEL, find_bundle
from emnist_cli.core.config import PredictConfig
from emnist_cli.core.errors import ExitCode


def predict(
    paths: Paths,
    model: Model = DEFAULT_MODEL,
    trust: Trust = False,
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
    request = PredictRequest(
        paths=paths, recursive=recursive, form=form, destination=output, resume=resume, show=show, quiet=quiet,
        workers=workers, timeout=timeout, sheet=contact_sheet, sheet_size=sheet_size,
        least_certain=sort is Order.CONFIDENCE, copy_to=copy_to, engine=engine, ray_address=ray_address,
        options={
            "model": find_bundle(model, trust), "top_k": top_k, "charset": charset, "fold_case": fold_case,
            "min_confidence": min_confidence, "ink": ink.value, "raw": raw, "transposed": transposed,
        },
    )  # fmt: skip
    check_request(request)
    reporter = Reporter(request)
    if request.in_part_files:
        write_parts(request, reporter)
    else:
        run(request, choose_engine(request), reporter)
    reporter.summarize()
    if reporter.counts["error"]:
        raise typer.Exit(ExitCode.INPUT)
