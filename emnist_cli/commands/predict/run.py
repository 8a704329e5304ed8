"""One run of `emnist predict`: read the files, write the rows, and create the side outputs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from emnist_cli.commands.predict.report import Reporter, progress_bar
from emnist_cli.commands.predict.request import PredictRequest, Read
from emnist_cli.commands.predict.side_outputs import SideOutputs
from emnist_cli.core.records import Prediction
from emnist_cli.output.formats import Format, open_output, write_records
from emnist_cli.output.resumable import Partial, is_scratch, open_partial
from emnist_cli.output.resume_rows import ResumeRow

COLUMNS = ("path", "status", "label", "confidence", "alternatives", "error")
PLAIN = ("path", "label", "confidence")


def run(request: PredictRequest, read: Read, reporter: Reporter) -> None:
    """Read every file and write its row.

    Args:
        request: the options.
        read: the engine, which yields the predictions.
        reporter: counts every row, those of the run that this one continues too.
    """
    side_outputs = SideOutputs(request)

    def on_resumed(row: ResumeRow) -> None:
        reporter.add_resumed(row)
        side_outputs.add_resumed(row)

    with _open_rows(request, on_resumed) as rows, progress_bar(request, reporter) as advance:

        def is_own(path: str) -> bool:  # the output file may be in a folder that is read
            return request.output is not None and is_scratch(path, request.output)

        def is_done(path: str) -> bool:
            return rows.take(path) or is_own(path)

        def on_skip(path: str) -> None:
            if not is_own(path):
                reporter.add_skipped(path)

        def watch(predictions: Iterator[Prediction]) -> Iterator[Prediction]:
            for prediction in predictions:
                reporter.add(prediction)
                advance(prediction)
                side_outputs.add(prediction)
                yield prediction

        _write_rows(request, rows, watch(read(is_done, on_skip)))
    side_outputs.write()


def _open_rows(request: PredictRequest, on_resumed: Callable[[ResumeRow], None]) -> AbstractContextManager[Partial]:
    if request.output is None or (request.output.exists() and not request.output.is_file()):
        return _open_stream(request.output)
    settings = _settings(request.options)
    return open_partial(request.output, request.row_format, COLUMNS, settings, request.resume, on_resumed)


@contextmanager
def _open_stream(output: Path | None) -> Iterator[Partial]:
    """Open stdout, a pipe or a device, none of which can be resumed."""
    with open_output(output) as stream:
        yield Partial(stream, False, lambda path: False)


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that the rows depend on, with the model's checksum beside its name."""
    model = options["model"]
    settings = {f"--{name.replace('_', '-')}": value for name, value in options.items()}
    return settings | {"--model": f"{model.name} {model.file['sha256'][:12]}"}


def _write_rows(request: PredictRequest, rows: Partial, predictions: Iterator[Prediction]) -> None:
    form = request.row_format
    if form is Format.TABLE:
        from emnist_cli.console.predictions import print_predictions

        print_predictions(predictions, rows.stream, request.show)
    else:
        write_records((p.as_dict() for p in predictions), form, rows.stream, COLUMNS, PLAIN, header=not rows.begun)
