"""Every figure against cases worked out by hand, and one network asked each split's question."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from emnist_cli import Recognizer
from emnist_cli.core import bundle
from emnist_cli.core.classify.classifier import Classifier
from emnist_cli.core.data import dataset
from emnist_cli.core.errors import ImageError, UsageError
from emnist_cli.core.evaluation import metrics
from emnist_cli.core.evaluation.calibration import expected_calibration_error
from emnist_cli.core.evaluation.metrics import ScoredPredictions, evaluate
from emnist_cli.core.evaluation.scoring import score_folder, score_split, split_label_view
from emnist_cli.core.files.discovery import ImageRef
from emnist_cli.core.files.labelled import Labelled
from emnist_cli.core.labels import SPLITS, find_split
from emnist_cli.core.records import EvaluationTarget, Failure
from tests.handwriting import picture

SUBJECT = EvaluationTarget("model", "four pictures")
FOUR = np.array(
    [
        [0.70, 0.10, 0.10, 0.10],  # A, right
        [0.62, 0.28, 0.10, 0.00],  # B read as A, second
        [0.10, 0.20, 0.28, 0.42],  # C read as a, second
        [0.41, 0.30, 0.20, 0.09],  # a read as A, last
    ],
    np.float32,
)


@pytest.fixture(scope="module")
def starter() -> Classifier:
    return Classifier("starter")


def four(truth: str = "ABCa", classes: tuple[str, ...] = ("A", "B", "C", "a"), **more: Any) -> ScoredPredictions:
    ids = np.array([classes.index(c) for c in truth], np.int64)
    return ScoredPredictions(classes, ids, more.pop("probabilities", FOUR), **more)


def test_figures_of_four_pictures() -> None:
    e = evaluate(four(), SUBJECT)
    assert (e.count, e.correct, e.accuracy, e.top3, e.case_folded, e.unknown) == (4, 1, 0.25, 0.75, 0.5, 0)
    assert e.macro_f1 == pytest.approx((0.5 + 0 + 0 + 0) / 4)
    assert e.ece == pytest.approx((0.30 + 0.62 + 2 * 0.415) / 4, abs=1e-6)
    assert [(c.label, c.support) for c in e.classes] == [("A", 1), ("B", 1), ("C", 1), ("a", 1)]
    assert (e.classes[0].precision, e.classes[0].recall, e.classes[0].f1) == pytest.approx((1 / 3, 1, 0.5))
    assert (e.classes[3].precision, e.classes[3].recall) == (0, 0)
    assert [(c.truth, c.predicted, c.count) for c in e.confusions] == [("B", "A", 1), ("C", "a", 1), ("a", "A", 1)]
    assert [(m.picture, m.truth, m.predicted) for m in e.mistakes] == [(1, "B", "A"), (2, "C", "a"), (3, "a", "A")]
    assert e.failures == ()


@pytest.mark.parametrize(("correct", "count"), [(0, 10), (1, 4), (881, 1000), (10, 10)])
def test_interval_is_wilsons(correct: int, count: int) -> None:
    z, share = 1.959963984540054, correct / count
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5
    assert metrics.wilson_interval(correct, count) == pytest.approx((middle - half, middle + half), abs=1e-9)


def test_rejection_takes_the_surest_first() -> None:
    curve = metrics.rejection_curve(four(), (1.0, 0.75, 0.5, 0.25))
    assert [(r.coverage, r.answered) for r in curve] == [(1.0, 1.0), (0.75, 0.75), (0.5, 0.5), (0.25, 0.25)]
    assert [r.threshold for r in curve] == pytest.approx([0.41, 0.42, 0.62, 0.7])
    assert [r.accuracy for r in curve] == pytest.approx([0.25, 1 / 3, 0.5, 1.0])


def test_rejection_answers_all_that_are_equally_sure() -> None:
    same = np.array([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.6, 0.4]], np.float32)
    answers = ScoredPredictions(("A", "B"), np.array([0, 0, 0, 0]), same)
    (point,) = metrics.rejection_curve(answers, (0.5,))
    assert (point.answered, point.accuracy) == (0.75, pytest.approx(2 / 3))
    assert point.threshold == pytest.approx(0.9)


def test_calibration_bins_hold_every_answer() -> None:
    bins = metrics.calibration_bins(four(), 15)
    assert len(bins) == 15 and sum(b.count for b in bins) == 4
    assert (bins[6].low, bins[6].high, bins[6].count) == (pytest.approx(0.4), pytest.approx(7 / 15), 2)
    assert (bins[6].confidence, bins[6].accuracy) == (pytest.approx(0.415), 0)
    assert bins[0].confidence is None and bins[0].accuracy is None
    sure = ScoredPredictions(("A", "B"), np.array([0, 1]), np.eye(2, dtype=np.float32))
    assert metrics.calibration_bins(sure, 15)[-1].count == 2
    assert expected_calibration_error(metrics.calibration_bins(sure, 15)) == 0


def test_a_picture_without_an_answer_is_wrong_everywhere() -> None:
    probabilities = FOUR.copy()
    probabilities[0] = 0
    e = evaluate(four(probabilities=probabilities, failures=(Failure("x.png", "broken"),)), SUBJECT)
    assert (e.count, e.correct, e.top3, e.case_folded) == (4, 0, 0.5, 0.25)
    assert e.classes[0].recall == 0 and e.classes[0].support == 1
    assert sum(c.count for c in e.confusions) == 3
    assert sum(b.count for b in e.calibration) == 3  # it has no confidence that could be right or wrong
    assert e.rejection[0].threshold == 0 and e.rejection[-1].threshold == pytest.approx(0.42)
    assert e.as_dict()["failed"] == 1


def test_a_label_of_no_class_is_wrong_everywhere_and_listed() -> None:
    e = evaluate(four(truth="éBCa", classes=("A", "B", "C", "a", "é")), SUBJECT)
    assert (e.count, e.correct, e.unknown, e.top3) == (4, 0, 1, 0.5)
    assert (e.classes[-1].label, e.classes[-1].recall, e.classes[-1].support) == ("é", 0, 1)
    assert e.classes[0].support == 0 and e.classes[0].precision == 0  # answered, though nothing is one
    assert ("é", "A") in [(c.truth, c.predicted) for c in e.confusions]
    assert e.macro_f1 == 0


def test_macro_f1_is_of_the_classes_that_occur() -> None:
    answers = ScoredPredictions(("A", "B", "C"), np.array([0, 0]), np.array([[1, 0, 0], [0, 1, 0]], np.float32))
    assert metrics.macro_f1(answers) == pytest.approx(2 / 3)
    assert [c.label for c in metrics.class_scores(answers)] == ["A", "B"]
    assert metrics.top_k_accuracy(answers, 3) == 1


def test_worst_mistakes_are_the_surest() -> None:
    assert [m.truth for m in metrics.worst_mistakes(four(names=["p", "q", "r", "s"]), 2)] == ["B", "C"]
    assert metrics.worst_mistakes(four(names=["p", "q", "r", "s"]), 1)[0].picture == "q"


def characters_of(split: str) -> tuple[str, ...]:
    return tuple(c.characters for c in find_split(split).classes)


def network(split: str) -> Any:
    return SimpleNamespace(name=f"{split}-model", classes=characters_of(split))


@pytest.mark.parametrize(
    ("network_split", "split"),
    [*(("byclass", split) for split in SPLITS), *(("balanced", split) for split in SPLITS if split != "byclass")],
)
def test_view_of_a_split(network_split: str, split: str) -> None:
    view = split_label_view(network(network_split), find_split(split))
    assert view.labels == tuple(c.label for c in find_split(split).classes)
    for ours, row in zip(characters_of(network_split), view.matrix, strict=True):
        wanted = [bool(set(ours) & set(theirs)) for theirs in characters_of(split)]
        assert row.tolist() == [float(w) for w in wanted]
    assert view.matrix.sum(axis=1).max() == 1


@pytest.mark.parametrize(("split", "answer"), [("byclass", "c"), ("balanced", "C"), ("bymerge", "C"), ("letters", "C")])
def test_merged_classes_are_summed_and_others_masked(split: str, answer: str) -> None:
    probabilities = np.full((1, 62), 1e-6, np.float32)
    byclass = characters_of("byclass")
    probabilities[0, [byclass.index("c"), byclass.index("C"), byclass.index("6")]] = 0.35, 0.25, 0.4
    view = split_label_view(network("byclass"), find_split(split))
    result = view.apply(probabilities)[0]
    expected = {"byclass": "6", "balanced": "C", "bymerge": "C", "letters": "C"}[split]
    assert view.labels[result.argmax()] == expected
    share = {"byclass": 0.35, "balanced": 0.6, "bymerge": 0.6, "letters": 1.0}[split]
    assert result[view.labels.index(answer)] == pytest.approx(share, abs=1e-3)


@pytest.mark.parametrize(
    ("model", "split", "words"),
    [
        ("digits", "balanced", "digits-model knows only 10 of balanced's 47 classes"),
        ("letters", "digits", "letters-model knows only 0 of digits's 10 classes"),
        ("balanced", "byclass", "balanced-model cannot tell C from c and 14 more, which byclass counts as different"),
    ],
)
def test_a_model_that_cannot_answer_is_refused(model: str, split: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        split_label_view(network(model), find_split(split))


def fake_data(monkeypatch: pytest.MonkeyPatch, labels: np.ndarray, images: np.ndarray | None = None) -> None:
    images = np.zeros((len(labels), 28, 28), np.uint8) if images is None else images
    monkeypatch.setattr(dataset, "load_split", lambda split, part, folder: dataset.LabelledImages(images, labels))
    monkeypatch.setattr(dataset, "describe_split", lambda split, folder: f"EMNIST {split}")


def test_a_split_is_scored_in_chunks_as_a_whole(starter: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    characters = "37AbRe"
    seen = [Recognizer().predict(picture(c)).picture for c in characters]
    images = np.round(np.stack([s for s in seen if s is not None]) * 255).astype(np.uint8)
    labels = np.array([characters_of("byclass").index(c) for c in characters], np.int64)
    fake_data(monkeypatch, np.tile(labels, 900), np.tile(images, (900, 1, 1)))
    steps: list[tuple[int, int]] = []
    scored = score_split(starter, "byclass", on_progress=lambda done, total: steps.append((done, total)))
    assert steps == [(4096, 5400), (5400, 5400)]
    assert scored.evaluation.accuracy == evaluate(scored.answers, scored.evaluation.subject).accuracy > 0.8
    assert scored.evaluation.subject == EvaluationTarget("starter", "test half of EMNIST byclass", "byclass", "test")
    np.testing.assert_allclose(scored.answers.probabilities[:6], scored.answers.probabilities[5394:], atol=1e-6)
    few = score_split(starter, "byclass", "train", limit=7)
    assert few.evaluation.count == 7
    assert few.evaluation.subject.on == "first 7 of the train half of EMNIST byclass"


def labelled(folder: Path, characters: str) -> list[Labelled]:
    items = []
    for number, character in enumerate(characters):
        path = folder / f"{number}.png"
        picture(character, number % 3).save(path)
        items.append(Labelled(ImageRef(str(path)), character))
    return items


def test_a_folder_is_read_as_predict_reads_it(starter: Classifier, tmp_path: Path) -> None:
    items = labelled(tmp_path, "AbC3x7oOSsq")
    scored = score_folder(starter, items, str(tmp_path), "pictures")
    plain, folded = Recognizer(), Recognizer(fold_case=True)
    expected = [plain.predict(item.found) for item in items]
    assert [scored.answers.labels[i] for i in scored.answers.predicted] == [p.label for p in expected]
    assert scored.answers.confidence == pytest.approx([p.confidence for p in expected], abs=6e-5)
    hits = sum(folded.predict(item.found).label == item.label.upper() for item in items)
    assert scored.evaluation.case_folded == pytest.approx(hits / len(items))


def test_failures_of_a_folder(starter: Classifier, tmp_path: Path) -> None:
    items = [*labelled(tmp_path, "A7"), Labelled(ImageRef(str(tmp_path / "gone.png")), "B")]
    picture("A").point(lambda v: 255).save(tmp_path / "blank.png")
    items.insert(1, Labelled(ImageRef(str(tmp_path / "blank.png")), "A"))
    e = score_folder(starter, items, str(tmp_path), "pictures").evaluation
    assert [(Path(f.path).name, bool(f.error)) for f in e.failures] == [("blank.png", True), ("gone.png", True)]
    assert (e.count, e.correct) == (4, 2)
    with pytest.raises(ImageError, match=r"none of 1 pictures could be read; the first: .*gone\.png"):
        score_folder(starter, items[-1:], str(tmp_path), "pictures")


def test_temperature_of_the_manifest_counts(starter: Classifier, tmp_path: Path) -> None:
    graph = bundle.find_bundle("starter").graph
    manifest = bundle.read_manifest(graph.parent)
    bundle.save_bundle(tmp_path / "warm", replace(manifest, temperature=3.0), {bundle.GRAPH: graph.read_bytes()})
    items = labelled(tmp_path, "A7bK")
    warm = score_folder(Classifier(tmp_path / "warm"), items, "", "").answers
    cold = score_folder(starter, items, "", "").answers
    assert (warm.predicted == cold.predicted).all()
    logits = np.log(cold.probabilities) * manifest.temperature / 3
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(warm.probabilities, expected, atol=1e-5)


def test_a_bare_graph_has_the_classes_of_its_size(tmp_path: Path) -> None:
    graph = tmp_path / "bare.tflite"
    graph.write_bytes(bundle.find_bundle("starter").graph.read_bytes())
    bare = Classifier(graph)
    assert (bare.name, bare.split, bare.classes) == ("bare.tflite", None, characters_of("byclass"))
