"""One run of `emnist predict`: read the files, write the rows, and produce the extra outputs."""

import os
import stat
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emnist_cli.core.records import STATUSES, Prediction
from emnist_cli.output.formats import Format, notify, open_output, write_records
from emnist_cli.output.resumable import Partial, is_scratch, open_partial
from emnist_cli.output.resume_rows import ResumeRow

if TYPE_CHECKING:
    from emnist_cli.commands.predict.engines import Read
    from emnist_cli.core.artifacts.contact_sheet import Sheet
    from emnist_cli.core.artifacts.copy_by_label import LabelSorter

COLUMNS = ("path", "status", "label", "confidence", "alternatives", "error")
PLAIN = ("path", "label", "confidence")

_FEW = 20  # so many problems are told one by one


@dataclass(frozen=True)
class PredictRequest:
    """What was asked for.

    Attributes:
        paths, recursive: what to read.
        options: keyword arguments of `Recognizer`.
        form: of the rows.
        output: where they go; None for stdout.
        resume: go on with `output`.
        show: draw what the model saw.
        quiet: nothing but errors on stderr.
        workers, timeout: of `batch.predict_files`.
        sheet: file to draw results in.
        sheet_size, least_certain: how many results, and whether the least certain come first.
        copy_to: folder to sort copies of the files into.
    """

    paths: list[str]
    recursive: bool
    options: dict[str, Any]
    form: Format | None
    output: Path | None
    resume: bool
    show: bool
    quiet: bool
    workers: int | None
    timeout: float
    sheet: Path | None
    sheet_size: int
    least_certain: bool
    copy_to: Path | None


def run(request: PredictRequest, read: "Read") -> "Counter[str]":
    """Read every picture and write its row; return how many there are of each status.

    Args:
        request: what was asked for.
        read: gives the predictions, as `engines` has it.
    """
    started = time.monotonic()
    counts: Counter[str] = Counter()
    teller = Reporter(request)
    sheet, sorter = _helpers(request)

    def count_earlier(row: ResumeRow) -> None:
        counts[row["status"]] += 1
        if sorter is not None:
            sorter.add(Prediction.from_dict(row))
        if sheet is not None:
            sheet.add(Prediction.from_dict(row))

    with _open(request, count_earlier) as rows, _bar(request, counts) as advance:
        earlier = counts.total()
        output = request.output

        def is_done(path: str) -> bool:
            return rows.take(path) or (output is not None and is_scratch(path, output))

        def on_skip(path: str) -> None:
            if output is None or not is_scratch(path, output):
                teller.skipped(path)

        predictions = read(is_done, on_skip)
        _write(request, rows, _watch(predictions, counts, (teller.prediction, advance, *_adders(sheet, sorter))))
    if sheet is not None:
        _draw(sheet, request)
    teller.summary(counts, earlier, time.monotonic() - started)
    return counts


def _helpers(request: PredictRequest) -> "tuple[Sheet | None, LabelSorter | None]":
    """Prepare what goes along; what cannot work is refused before anything is read."""
    sheet = sorter = None
    if request.sheet:
        from emnist_cli.core.artifacts import image_file
        from emnist_cli.core.artifacts.contact_sheet import Sheet

        image_file.check_image_path(request.sheet, request.paths, request.recursive)
        sheet = Sheet(request.sheet_size, request.least_certain)
    if request.copy_to:
        from emnist_cli.core.artifacts import copy_by_label

        copy_by_label.check_copy_dir(request.copy_to, request.paths, request.recursive)
        sorter = copy_by_label.LabelSorter(request.copy_to)
    return sheet, sorter


def _adders(sheet: "Sheet | None", sorter: "LabelSorter | None") -> list[Callable[[Prediction], Any]]:
    return [helper.add for helper in (sorter, sheet) if helper is not None]


def _draw(sheet: "Sheet", request: PredictRequest) -> None:
    from emnist_cli.core.artifacts import image_file
    from emnist_cli.core.classify.recognizer import Recognizer

    assert request.sheet
    image_file.write_image(sheet.draw(Recognizer(**request.options).look), request.sheet)
    if not request.quiet:
        notify(f"the contact sheet of {len(sheet):,} is in {request.sheet}")


def _open(request: PredictRequest, on_row: Callable[[ResumeRow], None]) -> AbstractContextManager[Partial]:
    if request.output is None or (request.output.exists() and not request.output.is_file()):
        return _plain(request.output)
    settings = _settings(request.options)
    return open_partial(request.output, request.form, COLUMNS, settings, request.resume, on_row)


@contextmanager
def _plain(output: Path | None) -> Iterator[Partial]:
    """Stdout, a pipe or a device: nothing to come back to."""
    with open_output(output) as stream:
        yield Partial(stream, False, lambda path: False)


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    """What rows depend on; the model by its content."""
    from emnist_cli.core import bundle, exported_models

    model = bundle.find_bundle(options["model"])
    content = exported_models.describe_model_file(model.graph)["sha256"][:12]
    return {f"--{name.replace('_', '-')}": value for name, value in options.items()} | {
        "--model": f"{model.name} {content}"
    }


def _write(request: PredictRequest, rows: Partial, predictions: Iterator[Prediction]) -> None:
    if request.form is Format.TABLE:
        from emnist_cli.console.predictions import print_predictions

        print_predictions(predictions, rows.stream, request.show)
    else:
        write_records(
            (p.as_dict() for p in predictions), request.form, rows.stream, COLUMNS, PLAIN, header=not rows.begun
        )


def _watch(
    predictions: Iterable[Prediction], counts: "Counter[str]", watchers: tuple[Callable[[Prediction], Any], ...]
) -> Iterator[Prediction]:
    for prediction in predictions:
        counts[prediction.status] += 1
        for watch in watchers:
            watch(prediction)
        yield prediction


@contextmanager
def _bar(request: PredictRequest, counts: "Counter[str]") -> Iterator[Callable[[Prediction], None]]:
    """A bar on stderr where results go into a file; those on a terminal, or piped to one, would run into it."""
    to_file = request.output is not None or stat.S_ISREG(os.fstat(1).st_mode)
    unknown = any(path == "-" or "://" in path for path in request.paths)  # how many, before all are read
    if request.quiet or not to_file or not sys.stderr.isatty() or unknown:
        yield lambda prediction: None
        return
    from emnist_cli.console.progress import reading
    from emnist_cli.core.files.discovery import count_pictures

    leaving = threading.Event()
    with ExitStack() as stack:
        bar = stack.enter_context(reading(counts.total(), counts["error"]))
        stack.callback(leaving.set)

        def count() -> None:
            total = count_pictures(request.paths, request.recursive, leaving.is_set)
            if total is not None:
                bar.set_total(total)

        threading.Thread(target=count, daemon=True).start()
        yield lambda prediction: bar.advance(prediction.status == "error")


class Reporter:
    """Prints notes and errors about single pictures, a few of each, and a summary of many."""

    def __init__(self, request: PredictRequest) -> None:
        """Note what will be told, and where else it can be seen."""
        self._quiet, self._output, self._form = request.quiet, request.output, request.form
        self._seen_on_terminal = request.form is Format.TABLE and request.output is None and sys.stdout.isatty()
        self._told = self._skipped = 0
        self._first_skipped = ""

    def prediction(self, prediction: Prediction) -> None:
        """Tell what is worth telling about one picture."""
        text = "" if self._seen_on_terminal else prediction.error
        text = text or ("" if self._quiet else prediction.note)
        if text and self._told < _FEW:
            self._told += 1
            more = "; no more such lines follow" if self._told == _FEW else ""
            notify(f"{prediction.path}: {text}{more}")

    def skipped(self, path: str) -> None:
        """Remember a file that was left out."""
        self._first_skipped = self._first_skipped or path
        self._skipped += 1

    def summary(self, counts: "Counter[str]", earlier: int, seconds: float) -> None:
        """Tell how many pictures there were of each status, and how long that took."""
        if self._quiet:
            return
        if self._skipped:
            more = f" and {self._skipped - 1:,} more" if self._skipped > 1 else ""
            notify(f"skipped, not a picture by its name: {self._first_skipped}{more}")
        total = counts.total()
        if self._output is None and (total < 2 or (self._seen_on_terminal and total <= _FEW)):
            return  # plain to see
        parts = ", ".join(f"{counts[status]:,} {status}" for status in STATUSES if counts[status])
        before = f" ({earlier:,} of them before)" if earlier else ""
        rate = (
            f" in {seconds:,.1f} s ({(total - earlier) / max(seconds, 1e-3):,.0f}/s)" if total - earlier > _FEW else ""
        )
        written = f"; written to {self._output}" if self._output else ""
        notify(f"{total:,} picture{'s' if total != 1 else ''}{before}{rate}: {parts or 'none'}{written}")
