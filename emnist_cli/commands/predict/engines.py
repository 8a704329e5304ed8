"""The engines of `emnist predict`: worker processes on this machine, or a Ray cluster."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Literal

from emnist_cli.commands.predict.run import PredictRequest
from emnist_cli.core.errors import UsageError
from emnist_cli.core.records import Prediction
from emnist_cli.output.formats import Format

Read = Callable[[Callable[[str], bool], Callable[[str], None]], Iterator[Prediction]]
"""Gives the predictions of all files but those that the first argument says are done already; names that are no
pictures go to the second."""


def local(request: PredictRequest) -> Read:
    """Read with a process a core."""
    from emnist_cli.core.files.discovery import find_pictures
    from emnist_cli.core.parallel.run_files import predict_files

    def read(is_done: Callable[[str], bool], on_skip: Callable[[str], None]) -> Iterator[Prediction]:
        found = find_pictures(request.paths, request.recursive, on_skip)
        return predict_files(
            (file for file in found if not is_done(file.path)),
            request.options,
            workers=request.workers,
            timeout=request.timeout,
            keep_pictures=request.show,
        )

    return read


def ray(request: PredictRequest, address: str | None) -> Read:
    """Read on a Ray cluster; the rows come back to this machine."""
    from emnist_cli.core.cluster import engine

    beyond = [path for path in request.paths if "://" in path]
    if request.show or (beyond and (request.sheet or request.copy_to)):
        option = "--show" if request.show else "--contact-sheet" if request.sheet else "--copy-to"
        raise UsageError(f"{option}: needs pictures on this machine, read by --engine local")

    def read(is_done: Callable[[str], bool], on_skip: Callable[[str], None]) -> Iterator[Prediction]:
        return engine.predict_on_ray(
            request.paths,
            request.recursive,
            request.options,
            address=address,
            workers=request.workers,
            timeout=request.timeout,
            is_done=is_done,
            on_skip=on_skip,
        )

    return read


def is_distributed(output: str | None) -> bool:
    """Tell whether an output is a folder of part files, each written where its rows are made."""
    return output is not None and ("://" in output or output.endswith(("/", ".parquet")))


def write_parts(
    request: PredictRequest, address: str | None, destination: str, form: Format | None, on_skip: Callable[[str], None]
) -> "Counter[str]":
    """Read on a Ray cluster, whose tasks write the rows themselves; return how many of each status."""
    from emnist_cli.core.cluster import engine

    kind: Literal["parquet", "jsonl"] = "jsonl" if form is Format.JSONL else "parquet"
    if form not in (None, Format.JSONL) or (form and destination.endswith(".parquet")):
        raise UsageError(f"--format: a folder of part files is Parquet, or jsonl if asked for. Received: {form}")
    if request.resume or request.sheet or request.copy_to or request.show:
        raise UsageError(
            "--output: part files do not go with --resume, --contact-sheet, --copy-to and --show. "
            f"Received: {destination}; give a .csv or .jsonl file"
        )
    return engine.write_parts(
        request.paths,
        request.recursive,
        request.options,
        destination,
        kind,
        address=address,
        workers=request.workers,
        timeout=request.timeout,
        on_skip=on_skip,
    )
