"""The engines of `emnist predict`: worker processes on this machine, or a Ray cluster."""

from collections.abc import Callable, Iterator
from typing import Literal

from emnist_cli.commands.predict.options import Engine
from emnist_cli.commands.predict.report import Reporter
from emnist_cli.commands.predict.request import PredictRequest, Read
from emnist_cli.core.records import Prediction
from emnist_cli.output.formats import Format


def choose_engine(request: PredictRequest) -> Read:
    """Return the engine that reads the files and returns their rows to this process."""
    return _ray(request) if request.engine is Engine.RAY else _local(request)


def _local(request: PredictRequest) -> Read:
    """Read with one worker process per core."""
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


def _ray(request: PredictRequest) -> Read:
    """Read on a Ray cluster, which returns the rows."""
    from emnist_cli.core.cluster import engine

    def read(is_done: Callable[[str], bool], on_skip: Callable[[str], None]) -> Iterator[Prediction]:
        return engine.predict_on_ray(
            request.paths,
            request.recursive,
            request.options,
            address=request.ray_address,
            workers=request.workers,
            timeout=request.timeout,
            is_done=is_done,
            on_skip=on_skip,
        )

    return read


def write_parts(request: PredictRequest, reporter: Reporter) -> None:
    """Read on a Ray cluster, whose tasks write the rows into part files, and count the rows."""
    from emnist_cli.core.cluster import engine

    assert request.destination
    kind: Literal["parquet", "jsonl"] = "jsonl" if request.form is Format.JSONL else "parquet"
    counts = engine.write_parts(
        request.paths,
        request.recursive,
        request.options,
        request.destination,
        kind,
        address=request.ray_address,
        workers=request.workers,
        timeout=request.timeout,
        on_skip=reporter.add_skipped,
    )
    reporter.counts.update(counts)
