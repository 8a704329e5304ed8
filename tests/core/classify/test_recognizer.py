"""The one path from a picture to a prediction, however the picture is handed in."""

import dataclasses
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from emnist_cli import Prediction, Recognizer
from emnist_cli.core import bundle
from emnist_cli.core.errors import ModelError, UsageError
from emnist_cli.core.preprocessing import normalize
from tests.handwriting import characters, picture


@pytest.fixture
def seven(tmp_path: Path) -> Path:
    path = tmp_path / "7.png"
    picture("7", 1).save(path)
    return path


def test_real_handwriting_is_read(recognizer: Recognizer) -> None:
    """186 characters by donors that no training saw; a tenth is illegible or mislabelled in UNIPEN itself."""
    folded = Recognizer(fold_case=True)
    wanted = [c.upper() for c in sorted(characters()) for _ in range(3)]
    sources = [picture(c, donor) for c in sorted(characters()) for donor in range(3)]
    found = [p.label for p in folded.predict_many(sources)]
    assert np.mean([a == b for a, b in zip(found, wanted, strict=True)]) > 0.8
    digits = [p.label for p in Recognizer(charset="digits").predict_many(sources[:30])]
    assert np.mean([a == b for a, b in zip(digits, wanted[:30], strict=True)]) > 0.9


def test_the_same_picture_through_every_door(recognizer: Recognizer, seven: Path) -> None:
    content = seven.read_bytes()
    image = Image.open(io.BytesIO(content))
    doors = [str(seven), seven, content, image, np.asarray(image), np.asarray(image, np.float32) / 255]
    found = [recognizer.predict(door) for door in doors]
    found += list(recognizer.predict_many(doors))
    assert {(p.label, p.confidence, p.alternatives) for p in found} == {
        (found[0].label, found[0].confidence, found[0].alternatives)
    }
    assert [p.path for p in found[:3]] == [str(seven), str(seven), ""]


def test_a_prediction(recognizer: Recognizer, seven: Path) -> None:
    found = recognizer.predict(seven)
    assert (found.status, found.label, found.error) == ("ok", "7", "")
    assert found.alternatives[0] == ("7", found.confidence)
    assert [a.confidence for a in found.alternatives] == sorted(
        (a.confidence for a in found.alternatives), reverse=True
    )
    assert len(found.alternatives) == 3
    assert found.picture is not None
    assert found.picture.shape == (28, 28)
    assert json.loads(json.dumps(found.as_dict())) == {
        "path": str(seven), "status": "ok", "label": "7", "confidence": found.confidence, "error": "",
        "alternatives": [{"label": a.label, "confidence": a.confidence} for a in found.alternatives],
    }  # fmt: skip


def test_a_bad_picture_costs_only_itself(recognizer: Recognizer, seven: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nxxxx")
    blank = Image.new("L", (50, 50), 255)
    found = list(recognizer.predict_many([seven, tmp_path / "bad.png", blank, tmp_path / "none.png", seven]))
    assert [p.status for p in found] == ["ok", "error", "empty", "error", "ok"]
    assert found[0] == found[4]
    assert found[2] == Prediction("", "empty")
    assert all(not p.label and p.confidence is None and not p.alternatives for p in found[1:4])


def test_many_are_read_lazily(recognizer: Recognizer, seven: Path) -> None:
    taken = []

    def endless():  # type: ignore[no-untyped-def]
        while True:
            taken.append(1)
            yield seven

    predictions = recognizer.predict_many(endless())
    assert [next(predictions).label for _ in range(3)] == ["7", "7", "7"]
    assert len(taken) <= 64


def test_options(seven: Path) -> None:
    letters = Recognizer(charset="letters", top_k=5).predict(seven)
    assert letters.label.isalpha()
    assert all(a.label.isalpha() for a in letters.alternatives)
    assert len(letters.alternatives) == 5
    assert len(Recognizer(charset="17", top_k=5).predict(seven).alternatives) == 2

    unsure = Recognizer(min_confidence=1.0).predict(Image.fromarray(np.asarray(picture("q", 0))))
    assert (unsure.status, unsure.label) == ("uncertain", "")
    assert unsure.alternatives[0].confidence == unsure.confidence


def test_ink_raw_and_transposed(seven: Path) -> None:
    finished = Recognizer().predict(seven).picture
    assert finished is not None
    raw = Recognizer(raw=True)
    assert raw.predict(finished).label == "7"
    assert Recognizer(raw=True, transposed=True).predict(finished.T).label == "7"
    wrong = raw.predict(np.zeros((28, 27)))
    assert (wrong.status, wrong.error) == ("error", "--raw expects 28x28 pixels. Received: 27x28")
    assert raw.predict(np.zeros((28, 28))).status == "empty"

    drawn = np.asarray(picture("7", 1))
    assert Recognizer(ink="dark").predict(drawn).label == "7"
    assert Recognizer(ink="light").predict(255 - drawn).label == "7"
    assert Recognizer(transposed=True).predict(drawn.T).label == "7"


@pytest.mark.parametrize(
    "options",
    [
        {"ink": "blue"},
        {"top_k": 0},
        {"min_confidence": 1.1},
        {"batch_size": 0},
        {"charset": ""},
        {"charset": "é"},
        {"threads": 0},
        {"threads": 10**6},
        {"batch_size": 10**6},
        {"top_k": 2.5},
    ],
)
def test_options_that_make_no_sense(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="Received"):
        Recognizer(**options)  # type: ignore[arg-type]


def test_probabilities_of_finished_pictures(recognizer: Recognizer, seven: Path) -> None:
    picture = recognizer.predict(seven).picture
    assert picture is not None
    assert recognizer.labels[int(recognizer.probabilities(picture[None])[0].argmax())] == "7"
    for wrong in (picture, picture[None].astype(np.float64), np.zeros((1, 27, 28), np.float32)):
        with pytest.raises(UsageError, match="float32"):
            recognizer.probabilities(wrong)


def test_paths_may_be_bytes_like(recognizer: Recognizer, seven: Path) -> None:
    class Entry:
        def __fspath__(self) -> bytes:
            return bytes(seven)

    assert recognizer.predict(Entry()) == recognizer.predict(seven)  # type: ignore[arg-type]


def test_a_bare_graph_gets_emnists_labels(tmp_path: Path, seven: Path) -> None:
    bare = tmp_path / "mine.tflite"
    shutil.copy(bundle.PACKAGED / "starter" / bundle.GRAPH, bare)
    recognizer = Recognizer(bare)
    assert len(recognizer.labels) == 62
    assert recognizer.predict(seven).label == "7"


def test_class_names_must_fit_the_network(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(bundle.PACKAGED / "starter", tmp_path / "mine"))
    manifest = json.loads((folder / bundle.MANIFEST).read_text())
    (folder / bundle.MANIFEST).write_text(json.dumps({**manifest, "classes": list("abc")}))
    with pytest.raises(ModelError, match="names 3 classes, the network has 62"):
        Recognizer(folder)


def test_the_manifests_temperature_is_applied(tmp_path: Path, seven: Path, recognizer: Recognizer) -> None:
    folder = Path(shutil.copytree(bundle.PACKAGED / "starter", tmp_path / "mine"))
    manifest = json.loads((folder / bundle.MANIFEST).read_text())
    (folder / bundle.MANIFEST).write_text(json.dumps({**manifest, "temperature": 4.0}))
    cold, warm = recognizer.predict(seven), Recognizer(folder).predict(seven)
    assert warm.label == cold.label
    assert warm.confidence is not None
    assert cold.confidence is not None
    assert warm.confidence < cold.confidence


@pytest.mark.parametrize(("fault", "message"), [(MemoryError(), "not enough memory"), (IndexError("9"), "report it")])
def test_what_preprocessing_cannot_do_costs_that_picture_only(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch, fault: Exception, message: str
) -> None:
    """No picture is known to do this; should there be one, the others of its batch go on."""
    real = normalize.preprocess

    def fails(shade: NDArray[np.uint8], ink: str) -> object:
        if shade[0, 0] == 254:
            raise fault
        return real(shade, ink)

    monkeypatch.setattr("emnist_cli.core.preprocessing.prepare.preprocess", fails)
    monkeypatch.setattr(
        "emnist_cli.core.preprocessing.prepare.preprocess_many", lambda s, ink: [fails(x, ink) for x in s]
    )
    good, small = picture("7", 1), picture("7", 1, size=(28, 28))
    bad, small_bad = good.copy(), small.copy()
    for image in (bad, small_bad):
        image.putpixel((0, 0), 254)
    found = list(recognizer.predict_many([good, bad, small, small_bad, good]))
    assert [p.label for p in found][::2] == ["7", "7", "7"]
    assert found[1].status == "error"
    assert message in found[1].error


def test_a_variant_answers_as_one_made_so(recognizer: Recognizer) -> None:
    how = {"charset": "digits,upper", "fold_case": True, "top_k": 5, "min_confidence": 0.5, "ink": "dark"}
    variant = recognizer.variant(**how)  # type: ignore[arg-type]
    made = Recognizer(**how)  # type: ignore[arg-type]
    for character in "Ab5q":
        assert variant.predict(picture(character)) == made.predict(picture(character))
    assert variant.labels == made.labels
    assert recognizer.labels == Recognizer().labels, "the original stays as it was"
    with pytest.raises(UsageError, match="top_k"):
        recognizer.variant(top_k=0)


def test_a_variant_keeps_what_it_is_not_given() -> None:
    digits = Recognizer(charset="digits", min_confidence=0.999999, ink="dark")
    variant = digits.variant(top_k=5)
    assert variant.labels == tuple("0123456789")
    found = variant.predict(picture("7"))
    assert (found.status, len(found.alternatives)) == ("uncertain", 5)
    light = Image.eval(picture("7"), lambda value: 255 - value)
    assert variant.predict(light) == digits.variant(top_k=5, ink="dark").predict(light)
    assert digits.variant(charset=None).labels == Recognizer().labels


def test_a_charset_of_characters_that_only_the_model_has(tmp_path: Path) -> None:
    found = bundle.read_bundle(bundle.PACKAGED / "starter")
    assert found.manifest is not None
    classes = ("\u00c4", *found.manifest.classes[1:])
    manifest = dataclasses.replace(found.manifest, name="umlaut", split="custom", classes=classes)
    bundle.save_bundle(tmp_path / "umlaut", manifest, {bundle.GRAPH: found.graph.read_bytes()})
    assert Recognizer(tmp_path / "umlaut", charset="\u00c41").labels == ("\u00c4", "1")
    with pytest.raises(UsageError, match="--charset"):
        Recognizer(charset="\u00c41")


def test_a_limit_of_pixels(recognizer: Recognizer) -> None:
    stream = io.BytesIO()
    Image.new("L", (1100, 1000), 255).save(stream, "PNG")
    assert recognizer.predict(stream.getvalue()).status == "empty"
    refused = Recognizer(max_megapixels=1).predict(stream.getvalue())
    assert (refused.status, "the limit is 1" in refused.error) == ("error", True)
