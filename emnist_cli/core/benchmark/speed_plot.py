"""Draw a bar chart of the results of `emnist benchmark`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from emnist_cli.core.atomic_file import write_file
from emnist_cli.core.benchmark.results import Benchmark, BenchmarkRow
from emnist_cli.core.benchmark.timing import Statistic
from emnist_cli.core.errors import UsageError
from emnist_cli.core.evaluation.figures import figure_to_png, make_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#1f6fb2", "#c2410c", "#2f855a", "#8a8f98")
_MADE_BY = "Matplotlib"


def check_plot_path(path: Path) -> None:
    """Refuse a file for the chart, before a long run, that cannot be meant.

    Raises:
        UsageError: it is no .png, its folder is not there, or another picture would be lost.
    """
    if path.suffix.lower() != ".png":
        raise UsageError(f"--plot: expected a name that ends in .png. Received: {path}")
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"--plot: expected a file in an existing folder. Received: {path}")
    if path.exists() and not _is_chart(path):
        raise UsageError(f"--plot: expected a new file, or an earlier chart. Received: {path}, another picture")


def write_plot(benchmark: Benchmark, path: Path) -> None:
    """Draw the chart; the file appears, or is replaced, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    write_file(path, draw_plot(benchmark))


def draw_plot(benchmark: Benchmark) -> bytes:
    """Return the chart as a PNG: a bar for each row and figure, with the spread over the runs."""
    rows = benchmark.rows
    machine = benchmark.machine
    runs = f"medians of {benchmark.settings['runs']} runs, lowest to highest"
    title = f"{machine['cpu']}, {machine['cores']} cores, {machine['date'][:10]}; {runs}"
    figure = make_figure((12, 2.2 + 0.42 * len(rows)), title)
    panels = (
        ("start to first answer, s", [row.cold_start for row in rows], "{:.2f}"),
        ("one picture, network alone, ms", [_milliseconds(row) for row in rows], "{:.3f}"),
        ("in batches, pictures/s", [row.batches[row.best] for row in rows], "{:,.0f}"),
        ("from files, pictures/s", [row.files for row in rows], "{:,.0f}"),
    )
    for axes, colour, (title, values, form) in zip(figure.subplots(1, 4, sharey=True), _COLOURS, panels, strict=True):
        _bars(axes, colour, values, form)
        axes.set_title(title, fontsize=9)
        axes.set_yticks(range(len(rows)), [_name(row) for row in rows], parse_math=False, fontsize=8)
    return figure_to_png(figure)


def _bars(axes: "Axes", colour: str, values: Sequence[Statistic], form: str) -> None:
    medians = [value.median for value in values]
    errors = [[v.median - v.low for v in values], [v.high - v.median for v in values]]
    axes.barh(range(len(values)), medians, color=colour, height=0.62, xerr=errors, ecolor="#333", capsize=2)
    far = max(value.high for value in values)
    for place, value in enumerate(values):
        axes.text(value.high + 0.02 * far, place, form.format(value.median), va="center", fontsize=8)
    axes.set(xlim=(0, 1.3 * far), ylim=(len(values) - 0.4, -0.6))
    axes.grid(axis="x", alpha=0.3)
    axes.tick_params(axis="x", labelsize=7)


def _milliseconds(row: BenchmarkRow) -> Statistic:
    return Statistic(*(1e3 * value for value in (row.network.median, row.network.low, row.network.high)))


def _name(row: BenchmarkRow) -> str:
    threads = "1 thread" if row.threads == 1 else f"{row.threads} threads"
    return f"{row.model} {row.form}, {threads}"


def _is_chart(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return str(image.info.get("Software", "")).startswith(_MADE_BY)
    except Exception:  # no picture, or a damaged one, which may be worth something, too
        return False
