"""Words that are expected: taken where the characters speak for them, left alone where they do not."""

import string
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emnist_cli.core.errors import UsageError
from emnist_cli.core.pages.lexicon import Lexicon

ALL = string.digits + string.ascii_uppercase + string.ascii_lowercase
COLOURS = ["red", "green", "blue", "yellow", "orange", "purple", "black", "white", "brown", "gray"]


def seen(*characters: str, labels: str = ALL) -> NDArray[np.float32]:
    """Characters as they were seen: "g" for sure, "gq" for g rather than q."""
    rows = np.full((len(characters), len(labels)), 1e-4, np.float32)
    for row, text in zip(rows, characters, strict=True):
        for i, label in enumerate(text):
            row[labels.index(label)] = 0.6 / (i + 1)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def spelled(lexicon: Lexicon, word: NDArray[np.float32], labels: str = ALL) -> str | None:
    found = lexicon.find(word, labels)
    return None if found is None else "".join(labels[item.label] for item in found)


def test_the_likeliest_word() -> None:
    lexicon = Lexicon(COLOURS)
    assert spelled(lexicon, seen("9g", "r", "e", "e", "n")) == "green"
    assert spelled(lexicon, seen("b", "1l", "vu", "e")) == "blue"
    assert spelled(lexicon, seen("h", "r", "o", "w", "n")) == "brown", "one that is wrong for sure"


@pytest.mark.parametrize("written", ["green", "Green", "GREEN", "gReEn"])
def test_the_case_is_as_it_was_read(written: str) -> None:
    assert spelled(Lexicon(COLOURS), seen(*written)) == written
    assert spelled(Lexicon([c.upper() for c in COLOURS]), seen(*written)) == written


def test_words_far_from_any_stay() -> None:
    lexicon = Lexicon(COLOURS)
    for word in ("gxqkn", "table", "2024", "x", "blackboards"):
        assert lexicon.find(seen(*word), ALL) is None
    many = Lexicon([*COLOURS, *(f"ab{a}{b}" for a in string.ascii_lowercase for b in string.ascii_lowercase)])
    assert many.find(seen(*"ybyz"), ALL) is None, "among so many words there is always one that is near"


def test_a_character_that_was_not_found() -> None:
    found = Lexicon(COLOURS).find(seen(*"ornge"), ALL)
    assert found is not None
    assert "".join(ALL[item.label] for item in found) == "orange"
    assert [item.glyph for item in found] == [0, 1, None, 2, 3, 4]
    assert spelled(Lexicon(COLOURS), seen(*"ORNGE")) == "ORANGE"
    assert spelled(Lexicon(COLOURS), seen(*"RANGE")) == "ORANGE"


def test_a_character_too_many() -> None:
    found = Lexicon(COLOURS).find(seen(*"yel1low"), ALL)
    assert found is not None
    assert "".join(ALL[item.label] for item in found) == "yellow"
    assert [item.glyph for item in found] in ([0, 1, 2, 4, 5, 6], [0, 1, 3, 4, 5, 6])


def test_a_word_of_the_right_length_goes_first() -> None:
    assert spelled(Lexicon(["cat", "cart", "at"]), seen("c", "ao", "t")) == "cat"


def test_probabilities_say_how_sure_it_is() -> None:
    sure = Lexicon(["cat"]).find(seen("c", "oa", "t"), ALL)
    torn = Lexicon(["cat", "cot", "cut"]).find(seen("c", "oau", "t"), ALL)
    assert sure and torn
    a, o = sure[1].probabilities[ALL.index("a")], torn[1].probabilities[ALL.index("o")]
    assert a > 0.95
    assert 0.4 < o < 0.9
    for item in (*sure, *torn):
        assert item.probabilities.sum() == pytest.approx(1, abs=1e-4)
        assert item.probabilities.argmax() == item.label


def test_only_allowed_answers() -> None:
    labels = string.ascii_uppercase
    word = seen(*"GREEN", labels=labels)
    assert spelled(Lexicon(["green", "gr33n"]), word, labels) == "GREEN"
    assert Lexicon(["gr33n"]).find(word, labels) is None
    assert Lexicon(["gree3n"]).find(word, labels) is None, "nor is what is missing"


def test_words_follow_the_labels_of_the_model() -> None:
    """A model may have other classes than letters and digits of ASCII."""
    labels = string.ascii_uppercase + "ÄØ+"
    lexicon = Lexicon(["Käse", "Øre", "grün"])
    assert spelled(lexicon, seen(*"KASE", labels=labels), labels) == "KÄSE"
    assert spelled(lexicon, seen(*"ORE", labels=labels), labels) == "ØRE"
    assert lexicon.find(seen(*"GRUN", labels=labels), labels) is None, "it has no \u00dc"
    lexicon.check(labels)
    with pytest.raises(UsageError, match="--lexicon: expected words of the characters that the model knows"):
        lexicon.check(ALL)


def test_a_sharp_s_is_two_letters_to_a_model_that_has_none() -> None:
    lexicon = Lexicon(["Straße"])
    assert spelled(lexicon, seen(*"STRASSE")) == "STRASSE"
    assert spelled(lexicon, seen(*"STRAßE", labels=ALL + "ß"), ALL + "ß") == "STRAßE"


def test_a_file_of_words(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes("\ufeffdon't\r\n\r\n  Straße \nnaïve\nX-ray\n".encode())
    lexicon = Lexicon.read(path)
    assert spelled(lexicon, seen(*"dont")) == "dont"
    assert spelled(lexicon, seen(*"Xnay")) == "Xray"
    assert lexicon.find(seen(*"naive"), ALL) is None


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "Received: none"), (b"\xff\xfe\x00", "UTF-8"), (b"...\n", "none")]
)
def test_no_words(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=reason):
        Lexicon.read(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--lexicon: cannot be read: No such file"):
        Lexicon.read(tmp_path / "none.txt")
    with pytest.raises(UsageError, match="--lexicon: cannot be read"):
        Lexicon.read(tmp_path)
