"""Encode paths and rows as Arrow tables and write part files; `cluster.engine` and its workers use it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from ray.data import Datasink

from emnist_cli import __version__
from emnist_cli.core.byte_escapes import escape_record
from emnist_cli.core.errors import EmnistError, ImageError, OutputError, UsageError
from emnist_cli.core.files import uri_search, uris
from emnist_cli.core.files.discovery import ImageRef
from emnist_cli.core.records import Prediction

SUCCESS = "_SUCCESS"
"""Written last; readers of Parquet leave out what begins with an underscore."""

_ALTERNATIVES = pa.list_(pa.struct([("label", pa.string()), ("confidence", pa.float64())]))

_BLOCK = pa.schema([("path", pa.binary()), ("problem", pa.string()), ("data", pa.large_binary())])

PARQUET = pa.schema(
    [
        ("path", pa.string()),
        ("status", pa.string()),
        ("label", pa.string()),
        ("confidence", pa.float64()),
        ("alternatives", _ALTERNATIVES),
        ("error", pa.string()),
    ]
)
"""Of the part files."""

_ROWS = PARQUET.set(0, pa.field("path", pa.binary())).append(pa.field("note", pa.string()))


def make_block(found: Sequence[ImageRef]) -> pa.Table:
    """Return paths as a table; names that are no UTF-8 travel as bytes."""
    columns = [
        [_encode(item.path) for item in found],
        [None if item.problem is None else str(item.problem) for item in found],
        [item.data for item in found],
    ]
    return pa.table(columns, schema=_BLOCK)


def read_block(table: pa.Table) -> list[ImageRef]:
    """Return the paths of a table that `make_block` has made."""
    return [
        ImageRef(_decode(row["path"]), None if row["problem"] is None else ImageError(row["problem"]), row["data"])
        for row in table.to_pylist()
    ]


def make_rows(predictions: Iterable[Prediction]) -> pa.Table:
    """Return predictions as a table."""
    rows = [{**p.as_dict(), "path": _encode(p.path), "note": p.note} for p in predictions]
    return pa.Table.from_pylist(rows, schema=_ROWS)


def read_rows(table: pa.Table) -> Iterator[Prediction]:
    """Yield the predictions of a table that `make_rows` has made."""
    for row in table.to_pylist():
        yield Prediction.from_dict({**row, "path": _decode(row["path"])})


class OutputParts(Datasink["tuple[str, Counter[str]]"]):
    """A folder of part files: each task writes one, whose name depends on its number alone.

    A task that Ray does again, because its machine was lost, so replaces its part.
    """

    def __init__(self, destination: str, form: Literal["parquet", "jsonl"], rows: int) -> None:
        """Name the folder.

        Args:
            destination: the folder or its URI.
            form: of the files.
            rows: at least so many a file, but in the last.
        """
        self._destination = destination if uris.is_uri(destination) else str(Path(destination).absolute())
        self._form, self._rows = form, rows
        self._written: list[tuple[str, Counter[str]]] = []

    @property
    def min_rows_per_write(self) -> int:
        """Of each part; asked by Ray."""
        return self._rows

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            UsageError: there is something at that place already.
            OutputError: it cannot be made.
        """
        try:
            system, root = uris.find_location(self._destination)
            if self._names():
                raise UsageError(
                    "--output: expected an empty folder or none yet, so that nothing is mixed or lost. "
                    f"Received: {self._destination}"
                )
            system.makedirs(root, exist_ok=True)
        except EmnistError:
            raise
        except ValueError as error:
            raise UsageError(f"--output: {uris.reason(error)}. Received: {self._destination}") from None
        except Exception as error:
            raise self._failure(error) from None

    def write(self, blocks: "Iterable[pa.Table]", ctx: Any) -> "tuple[str, Counter[str]]":
        """Write one part, on a worker; return its name and how many rows it has of each status.

        Raises:
            OutputError: it cannot be written.
        """
        predictions = [prediction for block in blocks for prediction in read_rows(block)]
        name = f"part-{ctx.task_idx:05}.{self._form}"
        try:
            system, root = uris.find_location(self._destination)
            system.pipe_file(f"{root.rstrip('/')}/{name}", self._encode(predictions))
        except Exception as error:
            raise self._failure(error) from None
        return name, Counter(prediction.status for prediction in predictions)

    def on_write_complete(self, write_result: Any) -> None:
        """Remember what was written; called by Ray."""
        self._written = list(write_result.write_returns)

    def finish(self) -> "Counter[str]":
        """Check that every part is there and say so in a file; return how many rows there are of each status.

        Raises:
            OutputError: a part is missing, or the file cannot be written.
        """
        counts = sum((count for _, count in self._written), Counter[str]())
        try:
            missing = {name for name, _ in self._written} - self._names()
            if missing:
                raise OutputError(
                    f"{self._destination}: {len(missing)} of {len(self._written)} parts are not there; "
                    "name a folder that all workers share, or a URI"
                )
            text = json.dumps(
                {"rows": counts.total(), "parts": len(self._written), **counts, "emnist_cli": __version__}, indent=1
            )
            system, root = uris.find_location(self._destination)
            system.pipe_file(f"{root.rstrip('/')}/{SUCCESS}", text.encode() + b"\n")
        except EmnistError:
            raise
        except Exception as error:
            raise self._failure(error) from None
        return counts

    def _names(self) -> set[str]:
        """Return what is in the folder."""
        system, root = uris.find_location(self._destination)
        system.invalidate_cache()
        try:
            if system.info(root)["type"] != "directory":
                raise UsageError(f"--output: expected a folder. Received: {self._destination}")
            return {name for name, _, _ in uri_search.list_folder(system, root)}
        except FileNotFoundError:
            return set()

    def _encode(self, predictions: Sequence[Prediction]) -> bytes:
        rows = [escape_record(p.as_dict()) for p in predictions]
        if self._form == "jsonl":
            return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        from pyarrow import parquet

        stream = pa.BufferOutputStream()
        parquet.write_table(pa.Table.from_pylist(rows, schema=PARQUET), stream)
        content: bytes = stream.getvalue().to_pybytes()
        return content

    def _failure(self, error: Exception) -> OutputError:
        return OutputError(f"{self._destination}: cannot be written ({uris.reason(error)})")


def _encode(path: str) -> bytes:
    return path.encode("utf-8", "surrogatepass")


def _decode(path: bytes) -> str:
    return path.decode("utf-8", "surrogatepass")
