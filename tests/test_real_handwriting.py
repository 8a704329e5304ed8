"""Whole folders of real scans through the installed command; thresholds lie two points under what was measured."""

import csv
import io
from pathlib import Path

import pytest

from tests.conftest import Emnist

FOLD = str.maketrans("cijklmopsuvwxyz", "CIJKLMOPSUVWXYZ")


@pytest.mark.shared
@pytest.mark.parametrize(
    ("folder", "options", "least"),
    [
        pytest.param("tablet", [], 0.93, marks=pytest.mark.slow),
        pytest.param("photos", [], 0.92, marks=pytest.mark.slow),
        ("canvas", [], 0.955),
        pytest.param("emnist-letters", ["--charset", "letters"], 0.89, marks=pytest.mark.slow),
        pytest.param("photos", ["--charset", "digits,upper"], 0.935, marks=pytest.mark.slow),
    ],
)
def test_accuracy_on_scans(emnist: Emnist, data: Path, folder: str, options: list[str], least: float) -> None:
    scans = data / "scans" / folder
    rows = list(csv.DictReader((scans / "labels.csv").read_text().splitlines()))
    wanted = {str(scans / row["file"]): row["label"] for row in rows if row["part"] == "test"}
    result = emnist("predict", *wanted, *options, "-f", "csv")
    found = {row["path"]: row for row in csv.DictReader(io.StringIO(result.out))}
    assert (result.code, list(found)) == (0, list(wanted)), "every file has a row, in order"
    assert {row["status"] for row in found.values()} == {"ok"}
    right = sum(found[path]["label"].upper() == label.upper() for path, label in wanted.items())
    assert right / len(wanted) > least
