"""The model card's figures, beside a count by the library's own predictions on a few pictures."""

import csv
import dataclasses
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from starter import card, figures

from emnist_cli.core import bundle
from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.evaluation.metrics import ScoredPredictions
from emnist_cli.core.labels import SPLITS
from emnist_cli.core.records import Confusion, Prediction
from tests import archives, handwriting

SCANS = {"tablet": "aBg7QnOo", "photos": "A5KR", "canvas": "BJC"}
DRAWN, CALLED = "AAAbQ4oKzfR05", "BBBbQ4OKzfR05"
"""The byclass half: what is drawn, and what it is called, so that there are confusions whatever the model."""

MNIST_AT, MNIST = (5, len(DRAWN)), "47"
"""The mnist half: the first image is one of byclass's half, the second an extra one."""

OTHERS = {"forms": "RAg", "nist": "027"}
"""What others.npz holds for tests; each source has a training image more, and a third source nothing else."""

SECTIONS = ("sources", "results", "classes", "confusions", "calibration")
PROSE = ("# Card\n\nBefore | it.\n", *(f"\nAfter {name}.\n" for name in SECTIONS))


def frame(old: str = "") -> str:
    """A card with prose, and something old between the markers."""
    marked = (f"<!-- {name} -->{old}<!-- /{name} -->\n" for name in SECTIONS)
    return PROSE[0] + "".join(a + b for a, b in zip(marked, PROSE[1:], strict=True))


class Place(NamedTuple):
    model: Path
    data: Path
    docs: Path


def write_scans(folder: Path, labels: Sequence[tuple[str, str]]) -> None:
    """Draw characters and label them, another one besides that is in the training part and called wrongly."""
    folder.mkdir(parents=True)
    rows = ["file,label,writer,part", "strange.png,Z,w,train"]
    handwriting.picture("7").save(folder / "strange.png")
    for number, (drawn, label) in enumerate(labels):
        handwriting.picture(drawn, 1).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{label},w,test")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")


def images(characters: str) -> NDArray[np.uint8]:
    return archives.half("byclass", characters, 1).images


def write_emnist(folder: Path) -> None:
    """Write the arrays of genuine EMNIST that are for tests, and the others."""
    folder.mkdir(parents=True)
    np.savez(
        folder / "genuine.npz",
        byclass_test_images=images(DRAWN),
        byclass_test=archives.half("byclass", CALLED, 1).ids.astype(np.uint8),
        test_extra_images=images(MNIST[1]),
        mnist_test_at=np.array(MNIST_AT, np.int32),
        mnist_test=np.array([int(digit) for digit in MNIST], np.int8),
    )
    rows = [(label, source, "test") for source, labels in OTHERS.items() for label in labels]
    rows += [("Z", "forms", "train"), ("3", "nist", "train"), ("8", "mnist", "train")]
    label, source, part = map(np.array, zip(*rows, strict=True))
    np.savez(folder / "others.npz", images=images("".join(label)), label=label, source=source, part=part)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A model that was not measured yet, data in the form that the training script takes, and an old card."""
    root = tmp_path_factory.mktemp("card")
    packaged = bundle.read_bundle(bundle.PACKAGED / "starter")
    assert packaged.manifest is not None
    data = ({"source": "a|b", "licence": "free", "count": 1234, "pictures": 56789},)
    manifest = dataclasses.replace(packaged.manifest, temperature=2.5, metrics=(), data=data)
    bundle.save_bundle(root / "starter", manifest, {bundle.GRAPH: packaged.graph.read_bytes()})
    for name, characters in SCANS.items():
        write_scans(root / "data/scans" / name, [(c, c) for c in characters])
    write_scans(root / "data/scans/emnist-letters", [(c, c.upper()) for c in "aBgS"])
    write_emnist(root / "data/emnist")
    (root / "docs/model").mkdir(parents=True)
    return Place(root / "starter", root / "data", root / "docs")


@pytest.fixture(scope="module")
def scores(place: Place) -> figures.Scores:
    return figures.score(place.model, place.data)


@pytest.fixture(scope="module")
def written(place: Place) -> str:
    (place.docs / card.CARD).write_text(frame("STALE"), encoding="utf-8")
    card.write(place.model, place.data, place.docs)
    return (place.docs / card.CARD).read_text(encoding="utf-8")


def section(text: str, name: str) -> str:
    return text.split(f"<!-- {name} -->")[1].split(f"<!-- /{name} -->")[0]


def cells(text: str) -> list[list[str]]:
    """The rows of all tables of a text, without heads."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    heads = [i - 1 for i, line in enumerate(lines) if set("".join(line)) <= set("-: ")]
    return [line for i, line in enumerate(lines) if i not in heads and i - 1 not in heads]


Read = list[tuple[str, Prediction]]  # truth and what was read


def predicted_scans(place: Place, name: str, **how: object) -> Read:
    rows = list(csv.DictReader((place.data / "scans" / name / "labels.csv").read_text().splitlines()))
    recognizer = Recognizer(place.model.resolve(), top_k=62, **how)  # type: ignore[arg-type]
    folder = place.data / "scans" / name
    return [(r["label"], recognizer.predict(folder / r["file"])) for r in rows if r["part"] == "test"]


def predicted_images(place: Place, drawn: str, called: str, **how: object) -> Read:
    recognizer = Recognizer(place.model.resolve(), top_k=62, raw=True, **how)  # type: ignore[arg-type]
    return [(label, recognizer.predict(image)) for label, image in zip(called, images(drawn), strict=True)]


def share(read: Read, groups: Sequence[str] = ()) -> float:
    """Accuracy with the characters of each group as one, probabilities summed."""
    right = 0
    for truth, prediction in read:
        sums: Counter[str] = Counter()
        for label, confidence in prediction.alternatives:
            sums[next((g for g in groups if label in g), label)] += confidence  # type: ignore[assignment]
        right += truth in sums.most_common(1)[0][0]
    return right / len(read)


def calibration_error(read: Read) -> float:
    gaps: Counter[int] = Counter()
    for truth, prediction in read:
        confidence = prediction.alternatives[0].confidence
        gaps[int(np.ceil(confidence * 15))] += confidence - (prediction.label == truth)  # type: ignore[assignment]
    return sum(map(abs, gaps.values())) / len(read)


def test_figures_are_those_of_the_predictions(place: Place) -> None:
    found = figures.measure(place.model, place.data)
    free = [predicted_scans(place, name) for name in SCANS]
    free.append(predicted_images(place, DRAWN, CALLED))
    free += [predicted_images(place, labels, labels) for labels in OTHERS.values()]
    merged, folded = ([c.characters for c in SPLITS[split].classes] for split in ("bymerge", "letters"))
    for row, read in zip(found, free, strict=False):
        expected = (len(read), share(read), share(read, merged), share(read, folded), calibration_error(read))
        assert row[1:] == pytest.approx(expected, abs=1e-3), row.name
    letters = predicted_scans(place, "emnist-letters", charset="letters", fold_case=True)
    digits = predicted_images(place, MNIST, MNIST, charset="digits")
    assert found[-2][1:] == pytest.approx((4, None, None, share(letters), calibration_error(letters)), abs=1e-3)
    assert found[-1][1:] == pytest.approx((2, share(digits), None, None, calibration_error(digits)), abs=1e-3)
    assert len(found) == len(free) + 2
    assert 0 < found[3].exact < 1  # type: ignore[operator]


def test_another_order_of_classes_is_refused(place: Place, tmp_path: Path) -> None:
    model = bundle.read_bundle(place.model)
    assert model.manifest is not None
    swapped = dataclasses.replace(model.manifest, classes=model.manifest.classes[::-1])
    bundle.save_bundle(tmp_path / "swapped", swapped, {bundle.GRAPH: model.graph.read_bytes()})
    with pytest.raises(ValueError, match="byclass"):
        figures.measure(tmp_path / "swapped", place.data)


def test_a_folder_is_not_taken_for_a_packaged_model(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.model.parent)
    assert place.model.name == bundle.DEFAULT_MODEL
    assert figures.measure(Path("starter"), place.data) == figures.measure(place.model, place.data)


def test_prose_is_kept_and_what_was_between_the_markers_is_not(written: str) -> None:
    assert re.sub(r"(<!-- (\w+) -->).*(<!-- /\2 -->)", r"\1\3", written, flags=re.DOTALL) == frame()
    assert all(section(written, name).strip() for name in SECTIONS)


@pytest.mark.slow
def test_writing_again_changes_nothing(place: Place, written: str) -> None:
    before = {path.name: path.read_bytes() for path in (place.docs / "model").iterdir()}
    card.write(place.model, place.data, place.docs)
    assert {path.name: path.read_bytes() for path in (place.docs / "model").iterdir()} == before
    assert set(before) == {"starter.md", card.CONFUSIONS, card.CALIBRATION}


START, END = "<!-- results -->", "<!-- /results -->"


@pytest.mark.parametrize(("change", "by"), [(START, ""), (END, ""), (START + END, END + START), (START, START + START)])
def test_markers_not_there_once_each_are_an_error(place: Place, tmp_path: Path, change: str, by: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / card.CARD).write_text(frame().replace(change, by))
    with pytest.raises(ValueError, match=f"{START} .*{END}"):
        card.write(place.model, place.data, tmp_path)
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["starter.md"]
    assert (tmp_path / card.CARD).read_text() == frame().replace(change, by)


def test_tables_have_the_figures(place: Place, written: str) -> None:
    results = cells(section(written, "results"))
    for row, shown in zip(figures.measure(place.model, place.data), results, strict=True):
        assert shown == [row.name, *(f"{v:.4f}" if isinstance(v, float) else str(v) for v in row[1:] if v is not None)]


def test_sources_have_every_key_of_the_manifest(written: str) -> None:
    lines = section(written, "sources").strip().split("\n")
    assert lines[::2] == ["| source | characters | pictures | licence |", "| a\\|b | 1,234 | 56,789 | free |"]


def test_classes_are_counted(place: Place, written: str) -> None:
    read = predicted_images(place, DRAWN, CALLED)
    found = {row[i]: row[i + 1 : i + 5] for row in cells(section(written, "classes")) for i in (0, 5)}
    assert sorted(found) == sorted(f"`{c.label}`" for c in SPLITS["byclass"].classes)
    for label in {*CALLED} | {p.label for _, p in read}:
        hits = sum(truth == p.label == label for truth, p in read)
        given, there = (sum(x == label for x in side) for side in ([p.label for _, p in read], CALLED))
        expected = hits / given if given else 0, hits / there if there else 0, 2 * hits / (given + there)
        assert found[f"`{label}`"] == [*(f"{value:.4f}" for value in expected), str(there)]


def test_confusions_are_counted(place: Place, written: str) -> None:
    read = predicted_images(place, DRAWN, CALLED)
    wrong = Counter((truth, p.label) for truth, p in read if truth != p.label)
    found = {tuple(re.findall("`(.)`", row[0])): row[1:] for row in cells(section(written, "confusions"))}
    assert ("B", "A") in found
    assert found == {pair: [str(n), f"{n / CALLED.count(pair[0]):.4f}"] for pair, n in wrong.items()}


def test_calibration_is_that_of_all_scans(place: Place, written: str) -> None:
    each = {name: predicted_scans(place, name) for name in SCANS}
    together = calibration_error([pair for read in each.values() for pair in read])
    text = section(written, "calibration")
    assert float(re.findall(r"temperature 2.5: .*as drawn, (0\.\d{4})", text)[0]) == pytest.approx(together, abs=1e-3)
    for name, read in each.items():
        assert float(re.findall(rf"{name} (0\.\d{{4}})", text)[0]) == pytest.approx(calibration_error(read), abs=1e-3)


PAIR = Confusion("B", "A", 3)


@pytest.mark.parametrize(("turned", "shown"), [(slice(0, 3), True), (slice(3, None), False)])
def test_the_sheet_shows_the_images_of_a_confusion(scores: figures.Scores, turned: slice, shown: bool) -> None:
    changed = scores.images.copy()
    changed[turned] = changed[turned, ::-1]
    other = scores._replace(images=changed)
    assert (card.confusion_sheet(scores, [PAIR]) != card.confusion_sheet(other, [PAIR])) == shown


def test_examples_are_of_the_confusion_and_spread_over_all_there_are(scores: figures.Scores) -> None:
    many = np.repeat(np.arange(len(DRAWN)), 10)
    one = scores.byclass
    answers = ScoredPredictions(one.classes, one.truth[many], one.probabilities[many])
    larger = scores._replace(byclass=answers, images=scores.images[many])
    found = card.examples(larger, PAIR).tolist()
    assert len(found) == len(set(found)) == card.EXAMPLES
    assert set(found) <= set(range(30))
    assert (found[0], found[-1]) == (0, 29)
