"""Reports of `emnist predict` on stderr: errors and notes on single images, the progress bar, and the summary."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from emnist_cli.cli.run_report import FEW, RunReport, can_show_bar
from emnist_cli.commands.predict.request import PredictRequest
from emnist_cli.core.records import STATUSES, Prediction
from emnist_cli.output.formats import Format
from emnist_cli.output.resume_rows import ResumeRow


class Reporter(RunReport):
    """Reports one run."""

    def __init__(self, request: PredictRequest) -> None:
        """Start the clock."""
        super().__init__("picture", STATUSES, request.output, request.quiet)
        self._shows_table = request.output is None and sys.stdout.isatty() and request.row_format is Format.TABLE
        self._resumed = 0

    def add_resumed(self, row: ResumeRow) -> None:
        """Count a row of the run that this one continues."""
        self.counts[row["status"]] += 1
        self._resumed += 1

    def add(self, prediction: Prediction) -> None:
        """Count a prediction and report its error, unless a table on the terminal shows it, or its note."""
        error = "" if self._shows_table else prediction.error
        self.add_row(prediction.status, prediction.path, error, prediction.note)

    def summarize(self) -> None:
        """Report skipped files, the number of images for each status, and the speed."""
        if self._quiet:
            return
        seconds = self._seconds()
        self._report_skipped()
        total = self.counts.total()
        if self._output is None and (total < 2 or (self._shows_table and total <= FEW)):
            return  # the rows say it all
        before = f" ({self._resumed:,} of them before)" if self._resumed else ""
        new = total - self._resumed
        speed = f" in {seconds:,.1f} s ({new / max(seconds, 1e-3):,.0f}/s)" if new > FEW else ""
        self._report_counts(before + speed)


@contextmanager
def progress_bar(request: PredictRequest, reporter: Reporter) -> Iterator[Callable[[Prediction], None]]:
    """Show a bar where it fits; yields the function to call with each prediction."""
    unknown_total = any(path == "-" or "://" in path for path in request.paths)
    if not can_show_bar(request.quiet, request.output) or unknown_total:
        yield lambda prediction: None
        return
    from emnist_cli.console.progress import reading
    from emnist_cli.core.files.discovery import count_pictures

    leaving = threading.Event()
    with ExitStack() as stack:
        bar = stack.enter_context(reading(reporter.counts.total(), reporter.counts["error"]))
        stack.callback(leaving.set)

        def count() -> None:
            total = count_pictures(request.paths, request.recursive, leaving.is_set)
            if total is not None:
                bar.set_total(total)

        threading.Thread(target=count, daemon=True).start()
        yield lambda prediction: bar.advance(prediction.status == "error")
