import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emnist_cli.core.benchmark import speed_plot
from emnist_cli.core.errors import OutputError, UsageError
from emnist_cli.core.evaluation.figures import DPI
from tests.core.benchmark.made_up import ROW, benchmark
from tests.handwriting import picture
from tests.planted import planted_links

pytestmark = pytest.mark.slow


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)


def test_a_bar_is_as_long_as_its_figure() -> None:
    """Red are the bars of the network's time: the second row takes twice as long."""
    slow = ROW.network._replace(median=2 * ROW.network.median, low=0.0002, high=0.0002)
    fast = ROW.network._replace(low=0.0001, high=0.0001)
    twice = benchmark(*(type(ROW)(**{**vars(ROW), "network": network}) for network in (fast, slow)))
    shown = pixels(speed_plot.draw_plot(twice))
    red = np.abs(shown - (0xC2, 0x41, 0x0C)).sum(axis=2) < 40
    lengths = red.sum(axis=1)
    rows = np.flatnonzero(lengths)
    middle = (rows[0] + rows[-1]) // 2
    upper, lower = lengths[:middle].max(), lengths[middle:].max()
    assert lower / upper == pytest.approx(2, rel=0.06)


def test_more_rows_make_a_taller_chart() -> None:
    heights = [pixels(speed_plot.draw_plot(benchmark(*[ROW] * rows))).shape[0] for rows in (1, 10)]
    assert heights[1] - heights[0] == pytest.approx(9 * 0.42 * DPI, abs=2)


def test_only_an_earlier_chart_is_replaced(tmp_path: Path) -> None:
    place = tmp_path / "bars.png"
    speed_plot.check_plot_path(place)
    speed_plot.write_plot(benchmark(), place)
    first = place.read_bytes()
    speed_plot.check_plot_path(place)
    speed_plot.write_plot(benchmark(ROW), place)
    assert place.read_bytes() != first and list(tmp_path.iterdir()) == [place]
    picture("7", 1).save(place)
    with pytest.raises(UsageError, match="another picture"):
        speed_plot.check_plot_path(place)


def test_planted_links_are_not_followed(tmp_path: Path) -> None:
    planted_links(tmp_path / "bars.png", tmp_path / "victim")
    speed_plot.write_plot(benchmark(), tmp_path / "bars.png")
    assert (tmp_path / "victim").read_bytes() == b"kept"
    assert (tmp_path / "bars.png").read_bytes().startswith(b"\x89PNG")


def test_places_that_make_no_sense(tmp_path: Path) -> None:
    for place, words in ((tmp_path / "bars.pdf", "ends in .png"), (tmp_path / "gone" / "bars.png", "existing folder")):
        with pytest.raises(UsageError, match=words):
            speed_plot.check_plot_path(place)
    (tmp_path / "bars.png").mkdir()
    with pytest.raises(UsageError, match="existing folder"):
        speed_plot.check_plot_path(tmp_path / "bars.png")
    with pytest.raises(OutputError, match="nothing was left there"):
        speed_plot.write_plot(benchmark(), tmp_path / "gone" / "bars.png")
