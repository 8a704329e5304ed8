"""EMNIST as numpy arrays, for training, evaluation and `emnist data`.

A split is prepared with tensorflow-datasets once, and then read from a cache of plain arrays. The data folder holds:

    downloads/gzip.zip                     NIST's archive, if it was downloaded
    emnist_upright/<split>/<version>/      the files of tensorflow-datasets
    cache/<split>/                         the same images as numpy files, read by training and evaluation
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.atomic_file import put_in_place, remove_leftovers
from emnist_cli.core.data import cache, download
from emnist_cli.core.data.chunks import PARTS
from emnist_cli.core.data.containers import Folder
from emnist_cli.core.data.sources import EmnistSource, open_source
from emnist_cli.core.errors import DataError, MissingError
from emnist_cli.core.labels import SPLITS, find_split
from emnist_cli.core.platform.tensorflow import load_tensorflow

TFDS_NAME = "emnist_upright"
_SCRATCH = ".preparing-"

OnSplitProgress = Callable[[str, int, int], None]
"""Called with the split at hand, how many of its pictures are done, and how many there are."""

Advance = Callable[[int], None]
"""Called with how many more pictures were written or read."""


class LabelledImages(NamedTuple):
    """One half of a split.

    Attributes:
        images: uint8 (n, 28, 28), upright, white ink on black; read-only, mapped from disk.
        labels: int64 (n,), class ids counted from 0.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


def data_folder(asked: Path | None) -> Path:
    """Return the folder that data is kept in: as asked for, else the user's data folder.

    Raises:
        MissingError: none was asked for, and what knows the user's folders is not installed.
    """
    if asked is not None:
        return asked
    try:
        from platformdirs import user_data_path
    except ImportError:
        raise MissingError("platformdirs is not installed; say with --data-dir where the data is") from None
    return user_data_path("emnist-cli", appauthor=False) / "data"


def load_split(split: str, part: str, data_dir: Path) -> LabelledImages:
    """Read one half of a split from the cache; imports no TensorFlow.

    Args:
        split: name of an EMNIST split.
        part: "train" or "test".
        data_dir: the data folder, see `data_folder`.

    Raises:
        UsageError: no split has that name.
        DataError: it is not there; the message says which command gets it.
    """
    find_split(split)
    if cache.read_record(cache_folder(data_dir, split)) is None:
        raise DataError(
            f"{split} is not in {data_dir}; get it with: emnist data download --split {split}, "
            "or from files you have with: emnist data import PATH"
        )
    return LabelledImages(*cache.read_cache(cache_folder(data_dir, split), part))


def describe_split(split: str, data_dir: Path) -> str:
    """Say what a prepared split is; what has other counts than the published archive is not called EMNIST."""
    record = cache.read_record(cache_folder(data_dir, split))
    if record is None or record.as_published:
        return f"EMNIST {split}"
    return f"{split} of {Path(record.origin.path).name}, which is not the published EMNIST"


def cache_folder(data_dir: Path, split: str) -> Path:
    """Return where the arrays of a split are."""
    return data_dir / "cache" / split


def origin_of(path: Path, sha256: bool = True) -> cache.Origin:
    """Describe a source file or folder; with `sha256`, a file is read whole, of a folder only EMNIST's files count."""
    files = [path] if path.is_file() else [path / name for name in Folder(path).names]
    stats = [p.stat() for p in files]
    digest = cache.sha256_of(path) if sha256 and path.is_file() else ""
    size, changed = sum(s.st_size for s in stats), max((s.st_mtime_ns for s in stats), default=0)
    return cache.Origin(str(path.resolve()), size, changed, digest)


def is_from(path: Path, split: str, data_dir: Path) -> bool:
    """Whether a split was prepared from what now lies at `path`."""
    record = cache.read_record(cache_folder(data_dir, split))
    if record is None:
        return False
    if record.origin.same_file(origin_of(path, sha256=False)):
        return True
    return bool(record.origin.sha256) and path.is_file() and cache.sha256_of(path) == record.origin.sha256


def import_splits(
    path: Path, splits: Iterable[str], data_dir: Path, on_progress: OnSplitProgress = lambda split, done, total: None
) -> list[str]:
    """Prepare splits from files, unless that was done from the same files before.

    Args:
        path: what `sources.open_source` can open.
        splits: which; none for all that are there.
        data_dir: the data folder.
        on_progress: called with the split at hand, how many of its pictures are done, and how many there are.

    Returns:
        Every split asked for.

    Raises:
        DataError: a split is not there, or a file is damaged; what was prepared before stays as it was.
    """
    source = open_source(path)
    if path.suffix != ".mat":
        path = source.path  # of many files in a folder one was named
    wanted = list(dict.fromkeys(splits)) or list(source.splits)
    for split in wanted:
        if find_split(split).name not in source.splits:
            raise DataError(f"{path}: has no split {split!r}; it has {', '.join(source.splits)}")
    missing = [split for split in wanted if not (is_from(path, split, data_dir) and _is_whole(split, data_dir))]
    remove_leftovers(data_dir, f"{_SCRATCH}*")  # up to 2 GB each
    origin = origin_of(path) if missing else None
    for split in missing:
        assert origin is not None
        _prepare(source, split, data_dir, origin, _counter(source, split, on_progress))
    return wanted


def _is_whole(split: str, data_dir: Path) -> bool:
    record = cache.read_record(cache_folder(data_dir, split))
    return record is not None and not cache.find_damage(data_dir, record)


def archive_path(data_dir: Path) -> Path:
    """Return where a downloaded archive is kept."""
    return data_dir / "downloads" / "gzip.zip"


def provide(
    split: str,
    data_dir: Path,
    archive: Path | None = None,
    on_progress: OnSplitProgress = lambda split, done, total: None,
    on_download: Callable[[int, int | None], None] = lambda done, total: None,
    on_note: Callable[[str], None] = lambda text: None,
) -> None:
    """Make sure that a split is there: as it is, or from `archive`, or downloaded.

    Raises:
        DataError: it cannot be got.
    """
    if archive is not None:
        import_splits(archive, [split], data_dir, on_progress)
    elif cache.read_record(cache_folder(data_dir, find_split(split).name)) is None:
        download.download_file(download.URL, archive_path(data_dir), on_progress=on_download, on_note=on_note)
        import_splits(archive_path(data_dir), [split], data_dir, on_progress)


def _counter(source: EmnistSource, split: str, on_progress: OnSplitProgress) -> Advance:
    """Count pictures; each is written once by tensorflow-datasets and read back once."""
    total = sum(source.count(split, part) for part in PARTS)
    steps = 0

    def advance(count: int) -> None:
        nonlocal steps
        steps += count
        on_progress(split, steps // 2, total)

    return advance


def prepared(data_dir: Path) -> list[cache.CacheRecord]:
    """Return what is known of every split that is there, in the paper's order."""
    return [record for split in SPLITS if (record := cache.read_record(cache_folder(data_dir, split))) is not None]


def tfds_folder(data_dir: Path, split: str) -> Path:
    """Return where tensorflow-datasets keeps a split."""
    return data_dir / TFDS_NAME / split


def _prepare(source: EmnistSource, split: str, data_dir: Path, origin: cache.Origin, advance: Advance) -> None:
    """Write a split with tensorflow-datasets, read it back into the cache, and put both in place."""
    load_tensorflow()
    import tensorflow as tf

    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=data_dir, prefix=_SCRATCH) as name:
            scratch = Path(name)
            builder = _build(source, split, scratch, advance)
            folder = cache_folder(scratch, split)
            folder.mkdir(parents=True)
            counts = {part: _fill_cache(builder, folder, part, advance) for part in PARTS}
            cache.write_record(scratch, folder, split, counts, origin)
            for place in (tfds_folder, cache_folder):
                place(data_dir, split).parent.mkdir(parents=True, exist_ok=True)
                put_in_place(place(scratch, split), place(data_dir, split))
    except (OSError, tf.errors.OpError) as error:
        # TensorFlow's say "FILE; REASON".
        reason = (isinstance(error, OSError) and error.strerror) or str(error).rpartition("; ")[2]
        raise DataError(f"{data_dir}: {split} cannot be written ({reason})") from None


def _build(source: EmnistSource, split: str, data_dir: Path, advance: Advance) -> Any:
    """Run the builder, without what tensorflow-datasets and TensorFlow print."""
    import tensorflow_datasets as tfds

    from emnist_cli.core.data.builder import EmnistUpright

    tfds.disable_progress_bar()
    builder = EmnistUpright(config=split, data_dir=data_dir)
    builder.source, builder.on_progress = source, advance
    with redirect_stdout(StringIO()):
        builder.download_and_prepare(download_config=tfds.download.DownloadConfig(try_download_gcs=False))
    return builder


def _fill_cache(builder: Any, folder: Path, part: str, advance: Advance) -> NDArray[np.int64]:
    def chunks() -> Iterator[tuple[Any, Any]]:
        for batch in builder.as_dataset(split=part).batch(4096).as_numpy_iterator():
            yield batch["image"][..., 0], batch["label"]
            advance(len(batch["label"]))

    return cache.write_part(folder, part, builder.info.splits[part].num_examples, chunks())
