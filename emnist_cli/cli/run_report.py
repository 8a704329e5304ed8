"""Report a run over many files on stderr; `emnist predict` and `emnist read` use it."""

import os
import stat
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emnist_cli.output.formats import notify

FEW = 20
"""Errors and notes that are reported one by one; a summary of no more rows is left out where a table shows them."""


class RunReport:
    """Counts the rows of a run and reports on stderr: the first errors and notes, skipped files, and a summary line.

    Attributes:
        counts: number of rows for each status.
    """

    def __init__(self, noun: str, statuses: Sequence[str], output: Path | None, quiet: bool) -> None:
        """Start the clock.

        Args:
            noun: what one row stands for, in the singular.
            statuses: every status, in the order of the summary.
            output: the file that the rows are written to; None for stdout.
            quiet: report errors only.
        """
        self.counts: Counter[str] = Counter()
        self._noun, self._statuses, self._output, self._quiet = noun, statuses, output, quiet
        self._reported = self._skipped = 0
        self._first_skipped = ""
        self._started = time.monotonic()

    def add_row(self, status: str, name: str, error: str, note: str) -> None:
        """Count a row and report its error, else its note, unless enough were reported before."""
        self.counts[status] += 1
        text = error or ("" if self._quiet else note)
        if text and self._reported < FEW:
            self._reported += 1
            more = "; no more such lines follow" if self._reported == FEW else ""
            notify(f"{name}: {text}{more}")

    def add_skipped(self, path: str) -> None:
        """Count a file that was skipped because its name is not that of an image."""
        self._first_skipped = self._first_skipped or path
        self._skipped += 1

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _report_skipped(self) -> None:
        if self._skipped:
            more = f" and {self._skipped - 1:,} more" if self._skipped > 1 else ""
            notify(f"skipped, not a picture by its name: {self._first_skipped}{more}")

    def _report_counts(self, timing: str, extra: str = "") -> None:
        """Print the summary line: number of rows, timing, rows per status, `extra`, and the output file."""
        total = self.counts.total()
        parts = [f"{self.counts[status]:,} {status}" for status in self._statuses if self.counts[status]]
        listed = ", ".join([*parts, extra] if extra else parts) or "none"
        written = f"; written to {self._output}" if self._output else ""
        notify(f"{total:,} {self._noun}{'s' if total != 1 else ''}{timing}: {listed}{written}")


def can_show_bar(quiet: bool, output: Path | None) -> bool:
    """Return whether stderr can show a progress bar: it is a terminal, and the results go into a file.

    Results that are printed on the terminal, by this program or by one that it is piped to, would mix with the bar.
    """
    to_file = output is not None or stat.S_ISREG(os.fstat(1).st_mode)
    return not quiet and to_file and sys.stderr.isatty()
