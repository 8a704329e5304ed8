"""Read many pages in order with one worker process per core, for `emnist read` and the Python API.

A page that crashes or hangs its worker process costs only itself. The module works as `parallel.run_files` does, but
an item is one page, and the pages of a PDF count separately.
"""

import dataclasses
import functools
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from emnist_cli.core.config import PredictConfig, ReadConfig
from emnist_cli.core.errors import ImageError
from emnist_cli.core.files.discovery import ImageRef
from emnist_cli.core.page_records import Page
from emnist_cli.core.pages import pdf
from emnist_cli.core.parallel.driver import ParallelJob, check_parallel_options, open_refs, run_parallel

if TYPE_CHECKING:
    from emnist_cli.core.classify.recognizer import Recognizer
    from emnist_cli.core.pages.pipeline import ReadOptions
    from emnist_cli.core.parallel.worker_main import Work


class _PageRef(NamedTuple):
    """A page to read.

    Attributes:
        found: the file, or a copy of it that worker processes can open.
        page: of a PDF, from 1.
        path: the file as it was named.
    """

    found: ImageRef
    page: int
    path: str


class _PageOptions(NamedTuple):
    """What is asked of every page; as for `read_pages`."""

    top_k: int
    min_confidence: float
    lexicon: Path | None
    overlay: str | None


def read_pages(
    found: Iterable[ImageRef | str | os.PathLike[str]],
    options: Mapping[str, Any] | None = None,
    *,
    top_k: int = PredictConfig.top_k,
    min_confidence: float = PredictConfig.min_confidence,
    lexicon: str | os.PathLike[str] | None = None,
    overlay: str | None = None,
    workers: int | None = None,
    timeout: float = ReadConfig.timeout,
) -> Iterator[Page]:
    """Read pages in parallel; each gives a record, in order, those of a PDF one after another.

    One page alone is read in this process, which is the quickest.

    Args:
        found: paths, or files as `discovery.find_pictures` yields them.
        options: keyword arguments of `Recognizer`, the model included.
        top_k: how many alternatives each character names.
        min_confidence: in [0, 1]; a less probable character gets no label.
        lexicon: a file of words that are expected, one a line.
        overlay: with each page comes its `overlay`, in the format of this suffix, as ".png".
        workers: processes; None for one a core.
        timeout: seconds after which a page is given up.

    Raises:
        MissingError: a PDF is among them, and pypdfium2 is not installed.
        ModelError: there is no such model, or it is damaged.
        UsageError: an argument that makes no sense.
    """
    count = check_parallel_options(workers, timeout)
    options = dict(options or {})
    wish = _PageOptions(top_k, min_confidence, Path(lexicon) if lexicon else None, overlay)
    job: ParallelJob[_PageRef, Page] = ParallelJob(
        make=functools.partial(_make, {**options, "threads": 1}, wish),
        make_alone=functools.partial(_make, options, wish),
        give_up=_give_up,
        chunk_size=1,
    )
    with ExitStack() as copies:
        yield from run_parallel(_pages(open_refs(found), copies), job, count, timeout)


def _pages(files: Iterable[ImageRef], copies: ExitStack) -> Iterator[_PageRef]:
    """Name every page of every file; what is wrong with a PDF becomes the problem of its one row.

    Args:
        files: in order.
        copies: removes the temporary files at the end.
    """
    for found in files:
        path, count = found.path, 1
        if not found.problem and (pdf.is_pdf(found.data) if found.data else pdf.is_pdf_file(found.path)):
            try:
                count = pdf.count_pages(found.data or found.path)
                if found.data and count > 1:  # or worker processes would get it again with each page
                    found = ImageRef(_copy_to_file(found.data, copies))
            except ImageError as error:
                count, found = 1, found._replace(problem=error, data=None)
        for page in range(1, count + 1):
            yield _PageRef(found, page, path)


def _copy_to_file(content: bytes, copies: ExitStack) -> str:
    """Write content to a private temporary file, which `copies` removes, and return its path."""
    try:
        descriptor, path = tempfile.mkstemp(prefix="emnist-", suffix=".pdf")
        copies.callback(Path(path).unlink, missing_ok=True)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as error:
        raise ImageError(f"cannot be kept in a temporary file ({error.strerror or error})") from None
    return path


def _make(options: Mapping[str, Any], wish: _PageOptions) -> "Work[_PageRef, Page]":
    """Load a model and the words; return what reads pages."""
    from emnist_cli.core.classify.recognizer import Recognizer
    from emnist_cli.core.imaging.decode import ignore_pillow_warnings
    from emnist_cli.core.pages.lexicon import Lexicon
    from emnist_cli.core.pages.pipeline import ReadOptions

    how = ReadOptions(wish.top_k, wish.min_confidence, Lexicon.read(wish.lexicon) if wish.lexicon else None)
    how.check()
    recognizer = Recognizer(**options)
    if how.lexicon is not None:
        how.lexicon.check(recognizer.labels)
    ignore_pillow_warnings()
    return lambda items: [_read(item, recognizer, how, wish.overlay) for item in items]


def _read(item: _PageRef, recognizer: "Recognizer", how: "ReadOptions", overlay: str | None) -> Page:
    from emnist_cli.core.pages.pipeline import open_page, read_image

    try:
        seen = open_page(item.found, item.page, overlay is not None)
    except ImageError as error:
        return _give_up(item, str(error))
    page = read_image(seen, recognizer, how, item.path, item.page)
    if overlay is None or seen.picture is None or page.status == "error":
        return page
    from emnist_cli.core.artifacts.page_overlay import draw_overlay, encode_overlay

    return dataclasses.replace(page, overlay=encode_overlay(draw_overlay(page, seen.picture), overlay))


def _give_up(item: _PageRef, reason: str) -> Page:
    """Return the row of a page that cannot be read."""
    return Page(item.path, "error", item.page, error=reason)
