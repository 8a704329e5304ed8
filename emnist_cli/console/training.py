"""The progress of `emnist train` on stderr: a line per finished epoch, and below them a bar for the current one."""

import sys
import time
from itertools import groupby
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from rich.text import Text

from emnist_cli.console.progress import make_progress
from emnist_cli.console.style import GOOD
from emnist_cli.console.tables import print_table, print_title
from emnist_cli.core.manifest import Manifest
from emnist_cli.core.records import Epoch
from emnist_cli.output.formats import notify

if TYPE_CHECKING:
    from emnist_cli.core.training.trainer import EpochProgress as Step

_HEADING = "  epoch     loss  accuracy   held out   pictures/s     time    * best so far"


class TrainingDisplay:
    """Shows epochs as they come; plain lines where stderr is no terminal, nothing if `quiet`."""

    def __init__(self, epochs: int, quiet: bool) -> None:
        """Prepare to show a run of so many epochs."""
        self._epochs, self._quiet = epochs, quiet
        self._live = sys.stderr.isatty() and not quiet
        self._bar = make_progress("{task.fields[figures]}", disable=not self._live)
        self._task = self._bar.add_task("preparing", total=None, figures="")
        self._start = time.monotonic()
        self._first: int | None = None
        self._headed = False

    def __enter__(self) -> "TrainingDisplay":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def step(self, step: "Step") -> None:
        """Show how the epoch at hand goes."""
        left = f"{_clock(self._left(step))} left"
        figures = f"loss {step.loss:.3f}  {step.accuracy:.1%}  {step.pictures_per_second:,.0f} pictures/s  {left}"
        self._bar.update(
            self._task,
            description=f"epoch {step.epoch}/{step.epochs}",
            completed=step.step,
            total=step.steps,
            figures=figures,
        )

    def epoch(self, epoch: Epoch) -> None:
        """Show an epoch that is over."""
        if self._quiet:
            return
        held = "" if epoch.val_accuracy is None else f"{epoch.val_accuracy:.2%}"
        if not self._live:
            told = f", held out {held}{' (best)' if epoch.best else ''}" if held else ""
            rate = f"{epoch.pictures_per_second:,.0f} pictures/s"
            figures = f"loss {epoch.loss:.4f}, accuracy {epoch.accuracy:.2%}{told}, {rate}"
            notify(f"epoch {epoch.epoch}/{self._epochs}: {figures}")
            return
        if not self._headed:
            self._headed = True
            self._bar.console.print(_HEADING, style="bold")
        line = f"{f'{epoch.epoch}/{self._epochs}':>7}   {epoch.loss:.4f}   {epoch.accuracy:7.2%}    {held:>7}"
        end = f"{epoch.pictures_per_second:12,.0f}  {_clock(epoch.seconds):>7}"
        self._bar.console.print(Text.assemble(line, ("*" if held and epoch.best else " ", GOOD), end))

    def stage(self, text: str) -> None:
        """Show what is done after the last epoch."""
        self._bar.update(self._task, description=text, total=None, figures="")

    def _left(self, step: "Step") -> float:
        """Seconds to the last epoch's end, by what this run has done so far."""
        done = (step.epoch - 1) * step.steps + step.step
        if self._first is None:
            self._first, self._start = done, time.monotonic()
        rate = (done - self._first) / max(time.monotonic() - self._start, 1e-3)
        return (step.epochs * step.steps - done) / rate if rate else 0.0


def print_metrics(manifest: Manifest, stream: TextIO) -> None:
    """Draw what a model scored, a table for each set of images; what was measured on stands above its table, once."""
    print_title(manifest.description, stream)
    for number, ((on, count), metrics) in enumerate(groupby(manifest.metrics, lambda m: (m.on, m.count))):
        if number:
            stream.write("\n")
        rows = [{"name": metric.name, "value": f"{metric.value:.4f}"} for metric in metrics]
        title = f"measured on {count:,} images: {on}"
        print_table(rows, {"name": "figure", "value": "value"}, stream, title, right=("value",))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
