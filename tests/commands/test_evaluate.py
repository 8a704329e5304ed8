"""`emnist evaluate` as a user runs it."""

import csv
import io
import json
import shutil
import string
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emnist_cli.core import bundle
from emnist_cli.core.data import cache, dataset
from emnist_cli.core.data.chunks import PARTS
from emnist_cli.core.evaluation import figures, plots, report
from emnist_cli.core.labels import find_split
from tests import archives, small_data
from tests.conftest import Emnist
from tests.handwriting import picture

KEYS = [
    *("split", "model", "count", "accuracy", "accuracy_interval", "top3", "macro_f1", "ece", "classes", "confusions"),
    *("on", "part", "folder", "correct", "case_folded", "failed", "unknown", "rejection", "calibration"),
    *("mistakes", "failures"),
]
RIGHT = "AbK7"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four pictures that are read rightly, one whose label is wrong, and one that is broken."""
    scans = tmp_path / "scans"
    scans.mkdir()
    rows = [(f"{i}.png", c, "test") for i, c in enumerate(RIGHT)]
    for name, character, _ in rows:
        picture(character, 1).save(scans / name)
    picture("7", 1).save(scans / "wrong.png")
    (scans / "broken.png").write_bytes(b"no picture")
    rows += [("wrong.png", "X", "test"), ("broken.png", "B", "train")]
    (scans / "labels.csv").write_text("file,label,part\n" + "".join(",".join(row) + "\n" for row in rows))
    monkeypatch.chdir(tmp_path)
    return scans


@pytest.fixture
def split(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for a prepared split: forty empty pictures, each of another class."""

    def load(name: str, part: str, folder: Path) -> dataset.LabelledImages:
        labels = np.arange(40, dtype=np.int64) % len(find_split(name).classes)
        return dataset.LabelledImages(np.zeros((40, 28, 28), np.uint8), labels)

    monkeypatch.setattr(dataset, "load_split", load)
    monkeypatch.setattr(dataset, "describe_split", lambda name, folder: f"EMNIST {name}")


def test_json_has_a_stable_shape(emnist: Emnist, folder: Path) -> None:
    result = emnist("evaluate", "--folder", folder, "--format", "json")
    assert result.code == 0
    found = json.loads(result.out)
    assert list(found) == KEYS
    assert (found["split"], found["part"], found["folder"], found["model"]) == (None, None, str(folder), "starter")
    assert (found["count"], found["correct"], found["failed"], found["unknown"]) == (6, 4, 1, 0)
    assert found["accuracy"] == 0.6667 and found["accuracy_interval"] == [0.3, 0.9032]
    assert list(found["classes"][0]) == ["label", "characters", "precision", "recall", "f1", "support"]
    assert found["confusions"] == [{"truth": "X", "predicted": "7", "count": 1}]
    assert [r["coverage"] for r in found["rejection"]] == [1.0, 0.95, 0.9, 0.8, 0.7, 0.5]
    assert list(found["rejection"][0]) == ["coverage", "threshold", "answered", "accuracy"]
    assert list(found["calibration"][0]) == ["low", "high", "count", "confidence", "accuracy"]
    assert list(found["mistakes"][0]) == ["picture", "truth", "predicted", "confidence"]
    assert found["failures"][0]["path"].endswith("broken.png")
    line = emnist("evaluate", "--folder", folder, "--format", "jsonl").out
    assert line.count("\n") == 1 and json.loads(line) == found


def test_other_formats(emnist: Emnist, folder: Path) -> None:
    plain = dict(line.split("\t") for line in emnist("evaluate", "--folder", folder).out.splitlines())
    assert plain["accuracy"] == "0.6667" and plain["count"] == "6" and plain["failed"] == "1"
    rows = list(csv.DictReader(io.StringIO(emnist("evaluate", "--folder", folder, "-f", "csv").out)))
    assert {row["label"]: row["support"] for row in rows} == {**dict.fromkeys(RIGHT, "1"), "X": "1", "B": "1"}
    table = emnist("evaluate", "--folder", folder, "--format", "table").out
    for words in ("starter on 6 pictures", "66.67%", "'X' upper  '7' digit         1", "--min-confidence", "failed"):
        assert words in table
    assert emnist("evaluate", "--folder", folder, "-o", "out.json").out == ""
    assert json.loads(Path("out.json").read_text())["count"] == 6


def test_failures_are_told_and_cost_no_exit_code(emnist: Emnist, folder: Path) -> None:
    result = emnist("evaluate", "--folder", folder)
    assert result.code == 0
    told = result.err.splitlines()
    assert len(told) == 2 and "broken.png" in told[0]
    assert told[1] == "emnist: 1 of 6 pictures got no answer and count as wrong"
    nothing = emnist("evaluate", "--folder", folder, "--where", "part=train")
    assert (nothing.code, nothing.out) == (3, "") and "none of 1 pictures could be read" in nothing.err


def test_unknown_labels_are_told_once(emnist: Emnist, folder: Path) -> None:
    (folder / "labels.csv").write_text("file,label\n0.png,é\n1.png,ä\n3.png,7\n")
    result = emnist("evaluate", "--folder", folder, "--format", "json")
    assert result.err == "emnist: 2 pictures have a label that no class of the model has; they count as wrong\n"
    assert json.loads(result.out)["unknown"] == 2
    assert emnist("evaluate", "--folder", folder, "--quiet").err == ""


def test_where_limit_and_labels(emnist: Emnist, folder: Path) -> None:
    found = json.loads(emnist("evaluate", "--folder", folder, "--where", "part=test", "-f", "json").out)
    assert found["count"] == 5 and found["on"] == f"{folder}, where part=test"
    assert json.loads(emnist("evaluate", "--folder", folder, "--limit", "2", "-f", "json").out)["accuracy"] == 1
    shutil.move(folder / "labels.csv", "elsewhere.csv")
    found = json.loads(emnist("evaluate", "--folder", folder, "--labels", "elsewhere.csv", "-f", "json").out)
    assert found["count"] == 6


def test_sub_folders_are_labels(emnist: Emnist, tmp_path: Path) -> None:
    for name, character in (("upper-K", "K"), ("lower-b", "b"), ("7", "7")):
        (tmp_path / name).mkdir()
        picture(character, 1).save(tmp_path / name / "1.png")
    (tmp_path / "readme.txt").write_text("")
    result = emnist("evaluate", "--folder", tmp_path, "--format", "json")
    assert json.loads(result.out)["accuracy"] == 1
    assert result.err == f"emnist: skipped, no labelled picture: {tmp_path / 'readme.txt'}\n"


def test_a_csv_file(emnist: Emnist, tmp_path: Path) -> None:
    """Kaggle's A-Z Handwritten Data: letters from 0, upright; and the same as EMNIST's own csv files have them."""
    images, labels = small_data.pictures(string.ascii_uppercase, "test")
    path = archives.write_csv(tmp_path / "letters.csv", images, labels)
    result = emnist("evaluate", "--csv", path, "--split", "letters", "--format", "json")
    found = json.loads(result.out)
    assert (found["split"], found["part"], found["folder"]) == ("letters", None, None)
    assert (found["count"], found["failed"], found["on"]) == (234, 0, f"images of {path}")
    assert found["accuracy"] > 0.85
    assert all(isinstance(mistake["picture"], int) for mistake in found["mistakes"])
    assert result.err.startswith("emnist: letters.csv: 234 images, upright; labels of letters, where 0 means A (")
    assert result.err.count("\n") == 1
    archives.write_csv(path, images, labels + 1, transposed=True)
    again = emnist("evaluate", "--csv", path, "--split", "letters", "--format", "json")
    assert again.out == result.out
    assert again.err.startswith("emnist: letters.csv: 234 images, transposed; labels of letters, where 1 means A (")
    refused = emnist("evaluate", "--csv", path)
    assert (refused.code, refused.out) == (2, "")
    assert "say what labels mean: --split letters" in refused.err
    few = emnist("evaluate", "--csv", path, "--split", "letters", "--limit", 9, "--quiet", "--format", "json")
    assert (few.err, json.loads(few.out)["count"]) == ("", 9)
    assert json.loads(few.out)["on"] == f"first 9 of the images of {path}"
    wrong = emnist("evaluate", "--csv", path, "--split", "letters", "--upright", "--format", "json")
    assert json.loads(wrong.out)["accuracy"] < 0.5, "what the user says wins"


@pytest.mark.parametrize("name", ["byclass", "bymerge", "balanced", "letters", "digits", "mnist"])
def test_every_split(emnist: Emnist, split: None, name: str) -> None:
    found = json.loads(emnist("evaluate", "--split", name, "--format", "json").out)
    assert (found["split"], found["part"], found["count"]) == (name, "test", 40)
    labels = {c.label for c in find_split(name).classes}
    assert {c["label"] for c in found["classes"]} <= labels
    assert found["on"] == f"test half of EMNIST {name}"


def test_the_models_own_split_is_the_default(emnist: Emnist, split: None) -> None:
    found = json.loads(emnist("evaluate", "--part", "train", "--limit", "9", "--format", "json").out)
    assert (found["split"], found["part"], found["count"]) == ("byclass", "train", 9)


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """The starter's graph, its letters called by names that no split has."""
    graph = bundle.find_bundle("starter").graph
    classes = (*"0123456789", *(chr(0x400 + i) for i in range(52)))
    manifest = replace(bundle.read_manifest(graph.parent), name="stranger", split="custom", classes=classes)
    bundle.save_bundle(tmp_path / "stranger", manifest, {bundle.GRAPH: graph.read_bytes()})
    return tmp_path / "stranger"


def test_a_model_that_cannot_answer_the_split(emnist: Emnist, split: None, stranger: Path) -> None:
    result = emnist("evaluate", "--model", stranger, "--split", "balanced")
    assert result.code == 2
    words = "emnist: --split: stranger knows only 10 of balanced's 47 classes; see: emnist labels\n"
    assert result.err == words
    assert emnist("evaluate", "--model", stranger, "--split", "digits").code == 0
    own = emnist("evaluate", "--model", stranger)
    assert own.code == 2 and "does not say which split it is for; give --split, --folder or --csv" in own.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("--split mnist --folder scans", 2, "--split and --folder: expected one of them"),
        ("--split mnost", 2, "did you mean mnist?"),
        ("--folder scans --part test", 2, "--part: belongs to a split"),
        ("--labels scans/labels.csv", 2, "--labels: belongs to --folder"),
        ("--where part=test", 2, "--where: belongs to --folder"),
        ("--folder nowhere", 2, "expected a folder of pictures"),
        ("--folder scans --labels none.csv", 2, "--labels: cannot be read"),
        ("--folder scans --where colour=red", 2, "COLUMN is one of file, label, part"),
        ("--folder scans --report scans", 2, "which has other files"),
        ("--folder scans --report scans/0.png", 2, "a file"),
        ("--folder scans --model none", 4, "no model"),
        ("--split mnist --data-dir .", 5, "emnist data"),
        ("--folder scans --limit 0", 2, "--limit"),
        ("--csv rows.csv --folder scans", 2, "--csv and --folder: expected one of them"),
        ("--csv rows.csv --part test", 2, "--part: belongs to a split"),
        ("--csv rows.csv --labels scans/labels.csv", 2, "--labels: belongs to --folder"),
        ("--split mnist --upright", 2, "--upright: belongs to --csv"),
        ("--csv rows.csv", 2, "--csv: expected a csv file. Received: rows.csv"),
        ("--csv scans/labels.csv", 5, "row 1: expected a label and 784 values"),
    ],
)
def test_errors_are_one_line(emnist: Emnist, folder: Path, arguments: str, code: int, words: str) -> None:
    result = emnist("evaluate", *arguments.split())
    assert (result.code, result.out) == (code, "")
    assert words in result.err and result.err.count("\n") == 1


class Page(HTMLParser):
    """Collects what a page refers to, and whether its tags close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.references: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.captions = self.tables = 0
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.references += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "action"}]
        self.tables += tag == "table"
        self.captions += tag == "caption"
        if tag == "img":
            self.images.append(values)
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_report(emnist: Emnist, folder: Path) -> None:
    (folder / "labels.csv").write_text((folder / "labels.csv").read_text() + "3.png,<&,test\n3.png,$x$,test\n")
    result = emnist("evaluate", "--folder", folder, "--report", "deep/report", "--format", "json")
    assert result.code == 0 and "emnist: the report is in deep/report" in result.err
    made = Path("deep/report")
    assert {path.name for path in made.iterdir()} == report.FILES
    assert (made / "evaluation.json").read_text() == result.out
    page = Page((made / "index.html").read_text())
    assert page.open == [] and page.tables == page.captions >= 4
    assert len(page.images) == 4 and all(image["alt"] for image in page.images)
    assert all(reference.startswith("data:image/png;base64,") for reference in page.references)
    text = (made / "index.html").read_text()
    assert "http:" not in text and "https:" not in text and "<script" not in text and "&lt;&amp;" in text
    rows = list(csv.DictReader(io.StringIO((made / "classes.csv").read_text())))
    assert [row["label"] for row in rows] == [c["label"] for c in json.loads(result.out)["classes"]]
    assert (made / "confusions.csv").read_text().splitlines()[0] == "truth,predicted,count"
    assert sorted(path.name for path in made.parent.iterdir()) == ["report"]


@pytest.mark.slow
def test_the_contact_sheet_has_a_row_for_eight_mistakes(emnist: Emnist, split: None, tmp_path: Path) -> None:
    emnist("evaluate", "--split", "byclass", "--report", tmp_path / "report")
    count = len(json.loads((tmp_path / "report" / "evaluation.json").read_text())["mistakes"])
    assert 33 <= count <= 40
    with Image.open(tmp_path / "report" / "mistakes.png") as sheet:
        expected = (8 * plots.SHEET_CELL[0] * figures.DPI, (5 * plots.SHEET_CELL[1] + 0.5) * figures.DPI)
        assert sheet.size == pytest.approx(expected, abs=1)


def test_a_report_without_mistakes(emnist: Emnist, folder: Path) -> None:
    assert emnist("evaluate", "--folder", folder, "--limit", "4", "--report", "report").code == 0
    with Image.open("report/mistakes.png") as sheet:
        assert sheet.size[0] == pytest.approx(8 * plots.SHEET_CELL[0] * figures.DPI, abs=1)


def test_a_report_replaces_a_report_and_nothing_else(emnist: Emnist, folder: Path) -> None:
    def run() -> str:
        return emnist("evaluate", "--folder", folder, "--limit", "1", "--report", "report").err

    Path("report").mkdir()
    assert "the report is in" in run()
    (folder / "labels.csv").write_text("file,label\n3.png,7\n")
    assert "the report is in" in run()
    assert '"7"' in Path("report/evaluation.json").read_text()
    Path("report/notes.txt").write_text("mine")
    assert "which has another file too: notes.txt" in run()
    Path("report/notes.txt").unlink()
    Path("report/index.html").write_text("<html>a site</html>")
    assert "which has other files" in run()
    assert Path("report/index.html").read_text() == "<html>a site</html>"
    inside = emnist("evaluate", "--folder", folder, "--report", "report", "--output", "report/x.json")
    assert inside.code == 2 and "outside of the report" in inside.err


@pytest.mark.slow
@pytest.mark.parametrize("what", ["--folder scans", "--split digits --data-dir data", "--csv digits.csv"])
def test_nothing_slow_is_imported(folder: Path, what: str) -> None:
    archives.write_csv(Path("digits.csv"), *small_data.pictures("0123456789", "test"))
    place = dataset.cache_folder(Path("data"), "digits")
    place.mkdir(parents=True)
    chunk = (np.zeros((20, 28, 28), np.uint8), np.arange(20) % 10)
    counts = {part: cache.write_part(place, part, 20, iter([chunk])) for part in PARTS}
    cache.write_record(Path("data"), place, "digits", counts, cache.Origin("archive.zip", 1, 1, ""))
    code = "import sys; from emnist_cli.app import app; app(sys.argv[1:], standalone_mode=False);"
    code += "bad = {'tensorflow', 'keras', 'tensorflow_datasets', 'matplotlib'} & set(sys.modules); sys.exit(str(bad))"
    command = [sys.executable, "-c", code, "evaluate", *what.split(), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.splitlines()[-1] == "set()" and "accuracy\t" in done.stdout


@pytest.mark.slow
@pytest.mark.shared
def test_real_handwriting(emnist: Emnist, data: Path) -> None:
    result = emnist("evaluate", "--folder", data / "scans" / "tablet", "--where", "part=test", "--format", "json")
    found = json.loads(result.out)
    assert (found["count"], found["failed"], found["unknown"]) == (496, 0, 0)
    assert 0.88 < found["accuracy"] < 0.97 and found["case_folded"] > 0.93


def test_counts_are_whole_numbers_where_nothing_is_right(emnist: Emnist, tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()
    picture("7", 1).save(tmp_path / "A" / "seven.png")
    found = json.loads(emnist("evaluate", "--folder", tmp_path, "-f", "json").out)
    assert (found["accuracy"], found["classes"][0]["label"]) == (0.0, "7")
    assert [(c["label"], c["support"]) for c in found["classes"]] == [("7", 0), ("A", 1)]
    assert all(isinstance(c["support"], int) for c in found["classes"])


def test_a_report_does_not_take_away_where_the_caller_is(
    emnist: Emnist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "7").mkdir()
    picture("7", 1).save(tmp_path / "7" / "seven.png")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    result = emnist("evaluate", "--folder", tmp_path, "--report", ".")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "which is where you are" in result.err


def test_output_and_report_are_not_one(emnist: Emnist, tmp_path: Path) -> None:
    result = emnist("evaluate", "--split", "digits", "--report", tmp_path / "r", "--output", tmp_path / "r")
    assert (result.code, result.out) == (2, "")
    assert "--output: expected a file outside of the report" in result.err
