import numpy as np
import pytest

from emnist_cli.core.classify.label_view import make_label_view
from emnist_cli.core.errors import UsageError
from emnist_cli.core.labels import SPLITS, parse_charset

BYCLASS = tuple(c.characters for c in SPLITS["byclass"].classes)
BALANCED = tuple(c.characters for c in SPLITS["balanced"].classes)
LETTERS = tuple(c.characters for c in SPLITS["letters"].classes)
RNG = np.random.default_rng(0)


def random_probabilities(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    out = RNG.random((5, count), np.float32)
    return np.asarray(out / out.sum(1, keepdims=True), np.float32)


def test_without_options_nothing_changes() -> None:
    probabilities = random_probabilities(62)
    view = make_label_view(BYCLASS)
    assert view.labels == BYCLASS
    assert np.allclose(view.apply(probabilities), probabilities, atol=1e-6)


@pytest.mark.parametrize(
    ("classes", "charset", "fold", "expected"),
    [
        (BYCLASS, "digits", False, "0123456789"),
        (BYCLASS, "0-9A-F", False, "0123456789ABCDEF"),
        (BYCLASS, "letters", True, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        (BYCLASS, "lower", True, "abcdefghijklmnopqrstuvwxyz"),
        (BALANCED, "lower", False, "cijklmopsuvwxyzabdefghnqrt"),
        (BALANCED, "upper", False, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        (LETTERS, None, False, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        (LETTERS, "lower", False, "abcdefghijklmnopqrstuvwxyz"),
    ],
)
def test_answers(classes: tuple[str, ...], charset: str | None, fold: bool, expected: str) -> None:
    view = make_label_view(classes, None if charset is None else parse_charset(charset), fold)
    assert "".join(view.labels) == expected
    out = view.apply(random_probabilities(len(classes)))
    assert np.allclose(out.sum(axis=1), 1, atol=1e-6)


def test_masking_renormalizes_and_keeps_the_ratio() -> None:
    probabilities = random_probabilities(62)
    out = make_label_view(BYCLASS, "38").apply(probabilities)
    assert np.allclose(out[:, 1] / out[:, 0], probabilities[:, 8] / probabilities[:, 3], rtol=1e-5)


def test_folding_sums_both_cases() -> None:
    probabilities = random_probabilities(62)
    out = make_label_view(BYCLASS, fold_case=True).apply(probabilities)
    assert out.shape == (5, 36)
    assert np.allclose(out[:, 10], probabilities[:, 10] + probabilities[:, 36], atol=1e-6)
    hexadecimal = make_label_view(BYCLASS, "0123456789ABCDEF", fold_case=True)
    assert hexadecimal.matrix.sum() == 22, "a lower-case a counts as the allowed A"


def test_temperature_is_the_softmax_of_divided_logits() -> None:
    logits = RNG.normal(0, 3, (5, 62))
    soft = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = np.exp(logits / 1.7) / np.exp(logits / 1.7).sum(1, keepdims=True)
    assert np.allclose(make_label_view(BYCLASS).apply(soft.astype(np.float32), 1.7), expected, atol=1e-5)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 0.8, 1.0, 3.0])
def test_certainty_elsewhere_leaves_a_question_not_a_crash(temperature: float) -> None:
    certain = np.zeros((1, 62), np.float32)
    certain[0, 10] = 1  # surely an A, but only digits are allowed
    out = make_label_view(BYCLASS, "0123456789").apply(certain, temperature)
    assert np.allclose(out, 0.1)


def test_a_charset_that_the_model_has_not() -> None:
    with pytest.raises(UsageError, match="knows none of 'abc'"):
        make_label_view(tuple("0123456789"), "abc")
