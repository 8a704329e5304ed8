"""Take the picture of a terminal that the README shows: docs/pictures/terminal.png.

    python scripts/make_terminal_picture.py

The commands are run in a real terminal, and what they show is drawn by an installed Chromium; needs the extra `dev`.
"""

import io
import os
import shlex
import sys
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.terminal import run_on_terminal  # noqa: E402
from tests.web.browser import launch  # noqa: E402

PICTURE = ROOT / "docs" / "pictures" / "terminal.png"
COMMANDS = (
    "emnist predict examples/",
    "emnist read examples/pages/note.jpg",
    "emnist predict examples/chalk-R.png --show",
)
COLUMNS = 100
COLOURS = 96  # in the file: more make it larger, fewer make bands of the grays

_BACK, _FRONT = (22, 27, 34), (214, 221, 230)
_ANSI = [(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34)]
_ANSI += [(88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)]
_THEME = TerminalTheme(
    _BACK,
    _FRONT,
    _ANSI,
)
_PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 14px; background: transparent; width: max-content }}
main {{ background: {background}; color: {foreground}; border-radius: 10px; padding: 0 22px 8px;
  border: 1px solid #3a424d }}
header {{ display: flex; gap: 8px; padding: 13px 0 15px }}
i {{ width: 12px; height: 12px; border-radius: 50%; background: #4a5361 }}
pre {{ margin: 0; font: 14.6px/17px "DejaVu Sans Mono", monospace; width: {columns}ch }}
</style><main><header><i></i><i></i><i></i></header><pre>{code}</pre></main>"""


def main() -> None:
    """Run the commands and draw what they showed."""
    os.chdir(ROOT)
    os.environ["COLORTERM"] = "truecolor"
    shown = "\n".join(session(line) for line in COMMANDS)
    take(page(shown), PICTURE)


def session(line: str) -> str:
    """Return a command behind a prompt, and what it shows."""
    code, shown = run_on_terminal(COLUMNS, *shlex.split(line)[1:])
    assert code == 0, shown
    return f"\x1b[32m$\x1b[0m \x1b[1m{line}\x1b[0m\n{shown.replace(chr(13), '').rstrip()}\n"


def page(shown: str) -> str:
    """Return a page of HTML with text that has a terminal's escape codes."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(shown), soft_wrap=True)
    form = _PAGE.replace("{columns}", str(COLUMNS))
    return console.export_html(theme=_THEME, code_format=form, inline_styles=True)


def take(html: str, path: Path) -> None:
    """Write a picture of a page, with few colours for a small file."""
    with launch() as browser:
        window = browser.new_page(device_scale_factor=2, viewport={"width": 1200, "height": 800})
        window.set_content(html)
        png = window.locator("main").screenshot(omit_background=True)
    image = Image.open(io.BytesIO(png)).quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    image.save(path, optimize=True)


if __name__ == "__main__":
    main()
