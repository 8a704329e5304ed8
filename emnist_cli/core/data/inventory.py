"""List what a data folder holds and check that it is intact, for `emnist data info` and `emnist data verify`."""

from pathlib import Path
from typing import Any

from emnist_cli.core.data import cache, dataset
from emnist_cli.core.data.download import SHA256
from emnist_cli.core.errors import DataError
from emnist_cli.core.labels import SPLITS, find_split

DAMAGED = "damaged"


def summarize_data(data_dir: Path) -> list[dict[str, Any]]:
    """Describe every split, those that are not there too."""
    there = {record.split: record for record in dataset.prepared(data_dir)}
    return [_describe(name, there.get(name)) for name in SPLITS]


def _describe(name: str, record: cache.CacheRecord | None) -> dict[str, Any]:
    row: dict[str, Any] = {"split": name, "train": None, "test": None, "classes": len(SPLITS[name].classes)}
    if record is None:
        return row | {"state": "not there", "checksum": "", "source": ""}
    digest = record.origin.sha256
    return row | {
        "train": record.counts["train"],
        "test": record.counts["test"],
        "state": "counts as published" if record.as_published else "other counts than published",
        "checksum": "NIST's" if digest == SHA256 else f"not NIST's: {digest[:12]}" if digest else "none",
        "source": record.origin.path,
    }


def count_classes(split: str, data_dir: Path) -> list[dict[str, Any]]:
    """Count the pictures of each class.

    Raises:
        DataError: the split is not there.
    """
    dataset.load_split(split, "test", data_dir)  # says what to do where it is not there
    record = cache.read_record(dataset.cache_folder(data_dir, split))
    if record is None:
        raise DataError(f"{split} has gone from {data_dir} while it was read")
    counts = zip(find_split(split).classes, record.class_counts["train"], record.class_counts["test"], strict=True)
    return [
        {"id": c.id, "label": c.label, "characters": c.characters, "train": train, "test": test}
        for c, train, test in counts
    ]


def verify_data(data_dir: Path) -> list[dict[str, Any]]:
    """Check every prepared split's files, and the downloaded archive, against their SHA-256.

    Raises:
        DataError: there is nothing to check.
    """
    checks = [_check_split(split, data_dir) for split in SPLITS if dataset.cache_folder(data_dir, split).is_dir()]
    archive = dataset.archive_path(data_dir)
    if archive.is_file():
        digest = cache.sha256_of(archive)
        known = {record.origin.sha256 for record in dataset.prepared(data_dir)}
        told = "NIST's own" if digest == SHA256 else f"not NIST's archive: {digest}"
        state = "ok" if digest == SHA256 or digest in known else "unknown"
        checks.append({"split": "", "checked": str(archive), "state": state, "detail": told})
    if not checks:
        raise DataError(f"nothing is in {data_dir}; get EMNIST with: emnist data download")
    return checks


def _check_split(split: str, data_dir: Path) -> dict[str, Any]:
    record = cache.read_record(dataset.cache_folder(data_dir, split))
    if record is None:
        told = f"{cache.RECORD} is missing or damaged; get it again: emnist data import PATH --split {split}"
        return {"split": split, "checked": "", "state": DAMAGED, "detail": told}
    damaged = cache.find_damage(data_dir, record)
    files = f"{len(record.files)} files, {sum(f['bytes'] for f in record.files.values()) / 1e6:,.0f} MB"
    if damaged:
        told = f"{', '.join(damaged)}; get it again: emnist data import {record.origin.path} --split {record.split}"
        return {"split": record.split, "checked": files, "state": DAMAGED, "detail": told}
    origin = Path(record.origin.path)
    detail = ""
    if origin.exists() and not dataset.is_from(origin, record.split, data_dir):
        detail = f"{origin} has changed since; import it again to use what it holds now"
    return {"split": record.split, "checked": files, "state": "ok", "detail": detail}
