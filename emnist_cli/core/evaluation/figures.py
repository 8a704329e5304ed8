"""Create matplotlib figures and encode them as PNG, for reports, training history and benchmark charts.

Only matplotlib's objects are used, not its global state, which other code could share.
"""

import io
import logging
import warnings
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 120


def make_figure(
    size: tuple[float, float], title: str, layout: Literal["constrained"] | None = "constrained"
) -> "Figure":
    """Return an empty figure of so many inches. The title is text as it is: a folder's name may hold a $."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it would tell users that it looks for fonts
    from matplotlib.figure import Figure  # slow to import

    figure = Figure(figsize=size, layout=layout)
    figure.suptitle(title, fontsize=11, parse_math=False)
    return figure


def figure_to_png(figure: "Figure") -> bytes:
    """Return a figure as a PNG file."""
    data = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a label in a script that the font does not have
        figure.savefig(data, format="png", dpi=DPI)
    return data.getvalue()
