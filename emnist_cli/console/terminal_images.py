"""Draw images in a terminal, for `emnist data show` and the table of predictions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.style import Style
from rich.text import Text

from emnist_cli.console.style import fit, is_plain, make_console, name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SHADES, _PLAIN_SHADES = " ░▒▓█", " .:*#"


def draw(picture: "NDArray[np.float32]", console: Console) -> Text:
    """Draw a picture with half blocks, two pixels a character; with shades where there is no colour for them.

    Args:
        picture: float (height, width) in [0, 1], of even height.
        console: where it will be printed; decides about colour and characters.
    """
    plain = is_plain(console)
    shades = _PLAIN_SHADES if plain else _SHADES
    text = Text(no_wrap=True)
    for upper, lower in zip(picture[::2], picture[1::2], strict=True):
        for a, b in zip(upper.tolist(), lower.tolist(), strict=True):
            if console.color_system and not plain:
                text.append("▀", Style(color=_gray(a), bgcolor=_gray(b)))
            else:
                text.append(shades[min(4, int((a + b) / 2 * 5))])
        text.append("\n")
    text.right_crop(1)
    return text


def _gray(value: float) -> str:
    level = round(value * 255)
    return f"rgb({level},{level},{level})"


def print_pictures(shown: "Sequence[tuple[str, NDArray[np.uint8]]]", stream: TextIO) -> None:
    """Draw labelled pictures, uint8 (28, 28), side by side at half their size."""
    console = make_console(stream)
    across = max(1, (console.width + 2) // 16)
    for start in range(0, len(shown), across):
        row = shown[start : start + across]
        drawn = [draw(p.reshape(14, 2, 14, 2).mean(axis=(1, 3)) / 255, console).split() for _, p in row]
        captions = [Text(f"{fit(name(label), console):^14}", style="bold") for label, _ in row]
        for line in (captions, *zip(*drawn, strict=True)):
            console.print(Text("  ").join(line))
        console.print()
