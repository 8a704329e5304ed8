r"""Escape the bytes of a file name that are not UTF-8 as \xNN; every output, local or on a cluster, uses it."""

from collections.abc import Mapping
from typing import Any


def escape_bytes(text: str) -> str:
    r"""Return text that every reader accepts: the bytes of a file name that are not UTF-8 become \xNN."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def escape_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with each text in it as `escape_bytes` returns it."""
    return {name: escape_bytes(value) if isinstance(value, str) else value for name, value in record.items()}
