"""Output paths of `emnist read --overlay`.

One page goes to FILE. Several pages go to FILE-1, FILE-2 and so on, or into a folder.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from emnist_cli.core.atomic_file import write_file
from emnist_cli.core.page_records import Page


class Overlays:
    """Pictures of pages with what was read drawn on them.

    Attributes:
        suffix: of the picture format, for `read_pages`; None where no overlay is wanted.
        count: how many were written.
    """

    def __init__(self, place: str | None, paths: Sequence[str], recursive: bool) -> None:
        """Check the place, before anything is read.

        Args:
            place: an image file; or a folder, which is created if its name ends with a slash.
            paths: what is read.
            recursive: whether folders within folders are read.

        Raises:
            UsageError: it cannot be meant.
        """
        self.count, self._number = 0, 0
        self._place, self._first = None if place is None else Path(place), b""
        self._names: set[str] = set()
        self._in_folder = place is not None and (place.endswith(("/", os.sep)) or Path(place).is_dir())
        self.suffix = None if self._place is None else ".png" if self._in_folder else self._place.suffix
        if self._place is not None:
            from emnist_cli.core.artifacts import page_overlay

            page_overlay.check_overlay_path(self._place, paths, recursive, self._in_folder)

    def keep(self, pages: Iterable[Page]) -> Iterator[Page]:
        """Hand pages on and write their overlays; that of a first page waits until it is known to be the only one."""
        if self._place is None:
            yield from pages
            return
        for page in pages:
            self._number += 1
            if self._in_folder:
                self._write(page.overlay, self._place / self._name(page))
            elif self._number == 1:
                self._first = page.overlay
            else:
                if self._number == 2:
                    self._write(self._first, self._numbered(1))
                self._write(page.overlay, self._numbered(self._number))
            yield page

    def close(self) -> None:
        """Write what has waited."""
        if self._place is not None and not self._in_folder and self._number == 1:
            self._write(self._first, self._place)

    def _name(self, page: Page) -> str:
        """The page's own name and, for further pages of a PDF and where it is taken already, a number."""
        stem = Path(page.path).stem if page.path != "-" else "stdin"
        name, number = f"{stem}{self.suffix}", page.page
        while name in self._names or (number > 1 and name == f"{stem}{self.suffix}"):
            number = max(number, 2)
            name = f"{stem}-{number}{self.suffix}"
            number += 1
        self._names.add(name)
        return name

    def _numbered(self, number: int) -> Path:
        assert self._place
        return self._place.with_name(f"{self._place.stem}-{number}{self._place.suffix}")

    def _write(self, content: bytes, path: Path) -> None:
        from emnist_cli.core.artifacts import page_overlay

        if not content:  # a page that could not be read
            return
        if self._in_folder:
            page_overlay.make_overlay_folder(path.parent)
        page_overlay.check_replaceable(path)
        write_file(path, content)
        self.count += 1
