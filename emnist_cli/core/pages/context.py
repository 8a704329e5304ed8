"""Decide each character of a page again from its word and its place in the line; the page pipeline uses it.

A shape alone does not distinguish O from o and 0, or 1 from I and l. In this second pass its probabilities are
multiplied with two more. One is how likely its size and place are for each answer (cap height, x-height, descenders,
as people write them). The other is how likely each answer is in a word of each kind (number, lower case, capitals,
code and others). Neither the kinds nor the sizes of a line are known. Both are summed over by Bayes' rule, and the
rest of the line and the page sets what is expected of a word. Nothing depends on which words a language has.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.labels import swap_case
from emnist_cli.core.pages.char_boxes import Layout, TextLine
from emnist_cli.core.pages.sizes import ANY, HANGING, X_PRIOR, Numbers, explain_sizes, shape_of

_FLOOR = 0.005  # probability that the recognizer leaves to what it has not thought of, over all answers together
_TEMPER = 0.8  # power of its probabilities: a word's characters are not independent, nor are pages its training set
_LEAK = 0.02  # share of a kind's prior that is spread over all answers

_WORD_STRENGTH = 3.0  # words that what is usual on the page counts for in a line; and in general, on a page
_PAGE_STRENGTH = 3.0
_RARE = 0.3  # how often codes have letters that look like a digit, in proportion to others
_OTHERS = 0.05  # share of words of another kind than those around them
_SCALE_SPREAD = 0.15  # of the logarithms of cap heights of lines on one page
_ROUNDS = 4


_KINDS = {
    "number": 0.2,
    "lower": 0.22,
    "capitalized": 0.13,
    "upper": 0.3,
    "code": 0.08,
    "numbered": 0.04,
    "mixed": 0.03,
}
"""Kinds of words and how often each is expected before anything is seen of the page; "numbered" is as A4."""


class _Answers(NamedTuple):
    """What is known of a recognizer's answers.

    Attributes:
        shape: int (labels,), as `sizes.shape_of` has it, or `sizes.ANY` for a letter in both cases.
        priors: (2, kinds, labels): of the first character of a word, and of the others.
    """

    shape: NDArray[np.int64]
    priors: Numbers


class _Line(NamedTuple):
    """One line's characters, n of them, in w words.

    Attributes:
        word: int (n,), the word of each.
        likelihood: (n, labels), how well each answer explains the shape.
        prior: int (n,), 0 for the first character of a word, 1 for others.
        place: (n, shapes, sizes), density of its size and place, under each of the line's possible sizes.
        evidence: (n, kinds, sizes), of the character in a word of each kind.
        scales: (sizes,), logarithm of the cap height in pixels.
    """

    word: NDArray[np.int64]
    likelihood: Numbers
    prior: NDArray[np.int64]
    place: Numbers
    evidence: Numbers
    scales: Numbers


def read_in_context(layout: Layout, labels: Sequence[str]) -> list[list[NDArray[np.float32]]]:
    """Return what each character is likely to be, given its word, its line and the page.

    Args:
        layout: the page as found.
        labels: the answers that its glyphs' probabilities are of; others are never given.

    Returns:
        For each line, for each word, float32 (characters, labels); rows sum to 1.
    """
    answers = _describe(labels)
    lines = [_prepare(line, answers) for line in layout.lines]
    sizes, kinds = _explain(lines)
    read = []
    for text, line, size, kind in zip(layout.lines, lines, sizes, kinds, strict=True):
        decided = _decide(line, answers, size, kind)
        ends = np.cumsum([len(word) for word in text.words])[:-1]
        read.append(np.split(decided, ends))
    return read


def _describe(labels: Sequence[str]) -> _Answers:
    """Sort the answers by shape and by the kinds of words that they occur in."""
    known = set(labels)
    both = np.array([c.isalpha() and swap_case(c) not in known for c in labels])
    digit = np.array([c.isdigit() for c in labels])
    upper = np.array([c.isupper() for c in labels]) | both
    lower = np.array([c.islower() for c in labels]) | both
    any_ = np.ones(len(labels), bool)
    code = upper * np.where(np.isin(labels, ["I", "O"]), _RARE, 1.0)
    firsts = (digit, lower, upper, upper, code + digit, code, any_)
    others = (digit, lower, lower, upper, code + digit, digit, any_)
    priors = np.array([[_leaky(allowed) for allowed in kinds] for kinds in (firsts, others)])
    return _Answers(
        np.array([ANY if any_case else shape_of(c) for c, any_case in zip(labels, both, strict=True)]), priors
    )


def _leaky(allowed: NDArray[np.bool_] | Numbers) -> Numbers:
    """A kind's prior: in proportion to `allowed`, and a little of everything."""
    uniform = np.full(len(allowed), _LEAK / len(allowed))
    return np.asarray(uniform + (1 - _LEAK) * allowed / allowed.sum() if allowed.any() else uniform)


def _prepare(line: TextLine, answers: _Answers) -> _Line:
    """Work out everything about a line that does not depend on the rest of the page."""
    glyphs = [glyph for word in line.words for glyph in word]
    word = np.repeat(np.arange(len(line.words)), [len(w) for w in line.words])
    probabilities = np.array([glyph.probabilities for glyph in glyphs], np.float64)
    count = probabilities.shape[1]
    likelihood = ((1 - _FLOOR) * probabilities + _FLOOR / count) ** _TEMPER
    likelihood /= likelihood.mean(axis=1, keepdims=True)
    boxes = np.array([glyph.box for glyph in glyphs], np.float64)
    place, scales = explain_sizes(boxes, probabilities @ np.isin(answers.shape, HANGING))
    prior = (np.diff(word, prepend=-1) == 0).astype(np.int64)
    weighted = likelihood[:, None, :] * answers.priors[prior]
    summed = weighted @ np.eye(ANY + 1)[answers.shape]
    return _Line(word, likelihood, prior, place, summed @ place, scales)


def _explain(lines: list[_Line]) -> tuple[list[Numbers], list[Numbers]]:
    """Weigh the sizes of each line and the kinds of its words against all the others on the page.

    Returns:
        For each line: probabilities (sizes,); and (words, kinds, sizes) of the kinds given the size.
    """
    general = np.array(list(_KINDS.values()))
    words = [np.add.reduceat(np.log(x.evidence), np.flatnonzero(np.diff(x.word, prepend=-1)), axis=0) for x in lines]
    usual = [np.tile(general, (len(w), 1)) for w in words]
    expected = [np.log(X_PRIOR) for _ in lines]
    sizes: list[Numbers] = []
    kinds: list[Numbers] = []
    for turn in range(_ROUNDS if lines else 0):
        joint = [w + np.log(u)[:, :, None] for w, u in zip(words, usual, strict=True)]
        totals = [np.logaddexp.reduce(j, axis=1) for j in joint]
        kinds = [np.exp(j - t[:, None]) for j, t in zip(joint, totals, strict=True)]
        sizes = [_softmax(t.sum(axis=0) + e) for t, e in zip(totals, expected, strict=True)]
        trust = min(1.0, turn / 2)  # a line's words must not settle each other's kind before its size is compared
        usual = _usual_kinds([k @ s for k, s in zip(kinds, sizes, strict=True)], general, trust)
        expected = _expected_sizes(lines, sizes)
    return sizes, kinds


def _softmax(logarithms: Numbers) -> Numbers:
    weights = np.exp(logarithms - logarithms.max())
    return np.asarray(weights / weights.sum())


def _usual_kinds(kinds: list[Numbers], general: Numbers, trust: float) -> list[Numbers]:
    """Return for each word what its kind is expected to be from the others of its line, the page and in general."""
    page = sum((k.sum(axis=0) for k in kinds), np.zeros_like(general))
    usual = []
    for k in kinds:
        rest = _PAGE_STRENGTH * general + page - k  # a word says nothing about itself
        near = _WORD_STRENGTH * rest / rest.sum(axis=1, keepdims=True) + trust * (k.sum(axis=0) - k)
        usual.append(near / near.sum(axis=1, keepdims=True) @ _beside(general))
    return usual


def _beside(general: Numbers) -> Numbers:
    """How often a word of each kind (column) stands where words of a kind (row) are usual: among words in lower case
    there are always capitalized ones, and any other now and then."""
    kinds = list(_KINDS)
    share = (1 - _OTHERS) * np.eye(len(kinds)) + _OTHERS * general
    for kind, other, part in (("lower", "capitalized", 0.2), ("capitalized", "lower", 0.4)):
        row = kinds.index(kind)
        share[row, kinds.index(other)] += part * share[row, row]
        share[row, row] *= 1 - part
    return np.asarray(share)


def _expected_sizes(lines: list[_Line], sizes: list[Numbers]) -> list[Numbers]:
    """Return for each line the logarithm of how likely its sizes are beside those of the other lines."""
    means = np.array([size @ line.scales for line, size in zip(lines, sizes, strict=True)])
    spreads = np.array([size @ (line.scales - m) ** 2 for line, size, m in zip(lines, sizes, means, strict=True)])
    counts = np.array([len(line.word) for line in lines], np.float64)
    weights = counts / (1 + counts / 20) / (1 + spreads / _SCALE_SPREAD**2)
    expected = []
    for i, line in enumerate(lines):
        near = weights * (np.arange(len(lines)) != i)
        distance = (line.scales[:, None] - means) ** 2 / (2 * (_SCALE_SPREAD**2 + spreads))
        beside = np.exp(-distance) @ near / (2 + near.sum())
        expected.append(np.log((beside + 0.1) * X_PRIOR))
    return expected


def _decide(line: _Line, answers: _Answers, sizes: Numbers, kinds: Numbers) -> NDArray[np.float32]:
    """Sum each character's answers over what its word and line may be."""
    weight = (kinds * sizes)[line.word] / line.evidence
    by_shape = np.einsum("nks,nts->nkt", weight, line.place, optimize=True)
    decided = line.likelihood * np.einsum("nkl,nkl->nl", answers.priors[line.prior], by_shape[:, :, answers.shape])
    return np.asarray(decided / decided.sum(axis=1, keepdims=True), np.float32)
