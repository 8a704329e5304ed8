"""What a run of `emnist predict` was asked to do, and checks that its options fit together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emnist_cli.cli.image_arguments import check_stdin, protect_pictures
from emnist_cli.commands.predict.options import Engine
from emnist_cli.core.errors import UsageError
from emnist_cli.core.records import Prediction
from emnist_cli.output.formats import Format, choose_format
from emnist_cli.output.resumable import RESUMABLE

Read = Callable[[Callable[[str], bool], Callable[[str], None]], Iterator[Prediction]]
"""Yields the predictions of all files except those for which the first argument returns True.

The second argument is called with the name of each file that is skipped because it is not that of an image.
"""


@dataclass(frozen=True)
class PredictRequest:
    """The options of one run.

    Attributes:
        paths, recursive: what to read.
        options: keyword arguments of `Recognizer`.
        form: the value of `--format`.
        destination: the value of `--output`: a file, a folder or a URI; None for stdout.
        resume: continue an earlier run's output file.
        show: draw the image that the model sees.
        quiet: write nothing but errors to stderr.
        workers, timeout: see `predict_files`.
        sheet: image file to draw results in.
        sheet_size, least_certain: how many results to draw, and whether the least certain come first.
        copy_to: folder for copies of the files, sorted by label.
        engine: what reads the files.
        ray_address: address of a running Ray cluster.
    """

    paths: list[str]
    recursive: bool
    options: dict[str, Any]
    form: Format | None
    destination: str | None
    resume: bool
    show: bool
    quiet: bool
    workers: int | None
    timeout: float
    sheet: Path | None
    sheet_size: int
    least_certain: bool
    copy_to: Path | None
    engine: Engine
    ray_address: str | None

    @property
    def output(self) -> Path | None:
        """The output file; None for stdout."""
        return Path(self.destination) if self.destination is not None else None

    @property
    def row_format(self) -> Format | None:
        """The format of the rows; None for lines with tabs between the fields."""
        return Format.TABLE if self.show else choose_format(self.form, self.output)

    @property
    def in_part_files(self) -> bool:
        """Whether the output is a folder of part files, each written by the Ray task that creates its rows."""
        destination = self.destination or ""
        return self.engine is Engine.RAY and ("://" in destination or destination.endswith(("/", ".parquet")))


def check_request(request: PredictRequest) -> None:
    """Check that the options fit together, before anything is read.

    Raises:
        UsageError: they contradict each other.
    """
    if request.least_certain and not request.sheet:
        raise UsageError("--sort: says what comes first on a --contact-sheet, which is not asked for")
    if request.in_part_files:
        _check_part_files(request)
        return
    _check_output(request)
    if request.ray_address and request.engine is not Engine.RAY:
        raise UsageError(f"--ray-address: goes with --engine ray. Received: {request.ray_address}")
    _check_resume(request)
    if request.engine is Engine.RAY:
        _check_ray(request)


def _check_output(request: PredictRequest) -> None:
    check_stdin(request.paths, "predict")
    protect_pictures(request.paths, request.output)
    chosen = choose_format(request.form, request.output)
    asked = request.form is not None and request.form is not Format.TABLE
    if request.show and (asked or (request.output is not None and chosen is not None)):
        received = f"--format {request.form}" if request.form else request.output
        raise UsageError(f"--show draws a table and cannot go with {received}")


def _check_resume(request: PredictRequest) -> None:
    if request.resume and (request.output is None or request.row_format not in RESUMABLE):
        received = f"--format {request.row_format}" if request.output else "no --output"
        raise UsageError(f"--resume: expected an --output in csv or jsonl, to go on with. Received: {received}")
    if request.resume and request.output and request.output.exists() and not request.output.is_file():
        raise UsageError(f"--resume: expected a file to go on with. Received: {request.output}")


def _check_ray(request: PredictRequest) -> None:
    remote = any("://" in path for path in request.paths)
    if request.show or (remote and (request.sheet or request.copy_to)):
        option = "--show" if request.show else "--contact-sheet" if request.sheet else "--copy-to"
        raise UsageError(f"{option}: needs pictures on this machine, read by --engine local")


def _check_part_files(request: PredictRequest) -> None:
    form, destination = request.form, request.destination or ""
    if form not in (None, Format.JSONL) or (form and destination.endswith(".parquet")):
        raise UsageError(f"--format: a folder of part files is Parquet, or jsonl if asked for. Received: {form}")
    if request.resume or request.sheet or request.copy_to or request.show:
        raise UsageError(
            "--output: part files do not go with --resume, --contact-sheet, --copy-to and --show. "
            f"Received: {destination}; give a .csv or .jsonl file"
        )
