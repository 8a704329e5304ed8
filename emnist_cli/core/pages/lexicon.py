"""Match the words of a page to a word list; the page pipeline uses it.

Each word becomes the most likely word of the list, or stays as it was read. The case is kept as it was read: a list
in lower case serves a page in capitals.
"""

import string
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.errors import UsageError

_SYMBOLS = string.digits + string.ascii_uppercase  # of every word list; a model with other classes adds theirs
_LONGEST = 40  # characters of a word
_LISTED = 0.9  # of the words on a page, the share that is in the list
_FREE = 10.0  # a word that is not can go on in so many ways after each character
_DOUBT = 0.02  # probability that a character is another than all that was thought of
_SLIP = 0.01  # that one is missing or too many

_CASE = 0.1  # weight of answers that are of the same case only
_NEVER = -1e9  # logarithm of the probability of what is not allowed: so low, and differences of sums stay numbers

_Table = NDArray[np.uint16]


class Listed(NamedTuple):
    """A character of a word as the list has it.

    Attributes:
        glyph: the number of the character on the page that it is read from; None if none was found there.
        label: index of the answer.
        probabilities: (labels,), how likely each answer is now.
    """

    glyph: int | None
    label: int
    probabilities: NDArray[np.float32]


class _Candidate(NamedTuple):
    """The best of the words of one length.

    Attributes:
        score: logarithm of its probability, not normalized.
        total: of all the words of that length together.
        symbols: the word.
        glyphs: for each symbol the character on the page, or None.
    """

    score: float
    total: float
    symbols: _Table
    glyphs: list[int | None]


class Lexicon:
    """A word list."""

    def __init__(self, words: Iterable[str]) -> None:
        """Take words; punctuation in them is left out, as it is on pages.

        Raises:
            UsageError: no word is left.
        """
        kept = ("".join(c for c in word.strip() if c.isalnum()) for word in words)
        self._words = sorted({word for word in kept if word and len(word) <= _LONGEST})
        self._tables: dict[str, _WordTables] = {}
        if not self._words:
            raise UsageError("--lexicon: expected words of letters and digits, one a line. Received: none")

    @classmethod
    def read(cls, path: Path) -> "Lexicon":
        """Read a UTF-8 text file, one word a line.

        Raises:
            UsageError: it cannot be read, or has no words.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise UsageError(f"--lexicon: cannot be read: {error.strerror or error}. Received: {path}") from None
        except UnicodeDecodeError:
            raise UsageError(f"--lexicon: expected a text file in UTF-8. Received: {path}") from None
        return cls(text.splitlines())

    def check(self, labels: Sequence[str]) -> None:
        """Check that a model can read at least one word of the list.

        Args:
            labels: the answers of the model.

        Raises:
            UsageError: every word has a character that the model does not know.
        """
        if not self._tables_for(labels).by_length:
            raise UsageError(
                "--lexicon: expected words of the characters that the model knows. "
                f"Received: {self._words[0]!r} and the like"
            )

    def find(self, word: NDArray[np.float32], labels: Sequence[str]) -> list[Listed] | None:
        """Find the likeliest listed word; one character may be missing or too many on the page.

        Words with a character that is neither ASCII nor among the answers are passed over.

        Args:
            word: (characters, labels), what each character is likely to be.
            labels: the answers.

        Returns:
            The word's characters, or None where it is likelier to be a word that is not listed.
        """
        return self._tables_for(labels).find(word, labels)

    def _tables_for(self, labels: Sequence[str]) -> "_WordTables":
        """Return the words that a model with these answers can read."""
        others = sorted({_fold(label) for label in labels} - set(_SYMBOLS))
        symbols = _SYMBOLS + "".join(others)
        if symbols not in self._tables:
            self._tables[symbols] = _WordTables(self._words, symbols)
        return self._tables[symbols]


def _fold(character: str) -> str:
    """Return the upper case of a character, where that is one character: not of a sharp s."""
    upper = character.upper()
    return upper if len(upper) == 1 else character


class _WordTables:
    """The words of a list that have no other characters than `symbols`.

    Attributes:
        by_length: for each length of a word, uint16 (words, length), numbers of symbols.
    """

    def __init__(self, words: Sequence[str], symbols: str) -> None:
        entries: dict[int, set[tuple[int, ...]]] = {}
        for word in words:
            # A sharp s is two letters to a model that does not know it.
            spelled = "".join(_fold(c) if _fold(c) in symbols else c.upper() for c in word)
            if set(spelled) <= set(symbols):
                entries.setdefault(len(spelled), set()).add(tuple(map(symbols.index, spelled)))
        self._symbols = symbols
        self.by_length = {length: np.array(sorted(rows), np.uint16) for length, rows in entries.items()}

    def find(self, word: NDArray[np.float32], labels: Sequence[str]) -> list[Listed] | None:
        """See `Lexicon.find`."""
        logs = _by_symbol(word, labels, self._symbols)
        candidates = [*self._same(logs), *self._missing(logs), *self._extra(logs)]
        if not candidates:
            return None
        best = max(candidates, key=lambda candidate: candidate.score)
        count = sum(len(self.by_length.get(len(word) + more, ())) for more in (-1, 0, 1))
        prior = np.log(_LISTED / count)
        free = np.log(1 - _LISTED) - len(word) * np.log(_FREE) + logs.max(axis=1).sum()
        if best.score + prior <= free:
            return None
        total = np.logaddexp.reduce([free, *(candidate.total + prior for candidate in candidates)])
        return _spell(best, float(np.exp(best.score + prior - total)), word, labels, self._symbols)

    def _same(self, logs: NDArray[np.float64]) -> list[_Candidate]:
        """Words of as many characters."""
        table = self.by_length.get(len(logs))
        if table is None:
            return []
        scores = logs[np.arange(len(logs)), table].sum(axis=1)
        best = int(scores.argmax())
        return [_Candidate(scores[best], np.logaddexp.reduce(scores), table[best], [*range(len(logs))])]

    def _missing(self, logs: NDArray[np.float64]) -> list[_Candidate]:
        """Words of one character more, which was not found on the page."""
        count = len(logs)
        table = self.by_length.get(count + 1)
        if table is None:
            return []
        before = _sums(logs[np.arange(count), table[:, :-1]])
        after = _sums(logs[np.arange(count), table[:, 1:]])
        known = (logs[0] > _NEVER)[table]  # what is not allowed cannot be missing either
        scores = np.where(known, before + after[:, -1:] - after, -np.inf) + np.log(_SLIP / (count + 1))
        row, gap = np.unravel_index(int(scores.argmax()), scores.shape)
        glyphs = [*range(gap), None, *range(int(gap), count)]
        return [_Candidate(scores[row, gap], np.logaddexp.reduce(scores, axis=None), table[row], glyphs)]

    def _extra(self, logs: NDArray[np.float64]) -> list[_Candidate]:
        """Words of one character less: one on the page is none, or a part of its neighbour."""
        count = len(logs)
        table = self.by_length.get(count - 1)
        if table is None:
            return []
        before = _sums(logs[np.arange(count - 1), table])
        after = _sums(logs[np.arange(1, count), table])
        scores = before + after[:, -1:] - after + np.log(_SLIP / count / len(self._symbols))
        row, skipped = np.unravel_index(int(scores.argmax()), scores.shape)
        glyphs: list[int | None] = [i for i in range(count) if i != skipped]
        return [_Candidate(scores[row, skipped], np.logaddexp.reduce(scores, axis=None), table[row], glyphs)]


def _by_symbol(word: NDArray[np.float32], labels: Sequence[str], symbols: str) -> NDArray[np.float64]:
    """Logarithm of the probability of each symbol, both cases together."""
    symbol = np.array([symbols.index(_fold(label)) for label in labels])
    summed = word.astype(np.float64) @ np.eye(len(symbols))[symbol]
    allowed = np.isin(np.arange(len(symbols)), symbol)
    return np.where(allowed, np.log((1 - _DOUBT) * summed + _DOUBT / len(symbols)), _NEVER)


def _sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of the first 0, 1, ... of each row."""
    return np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], axis=1)


def _spell(
    found: _Candidate, weight: float, word: NDArray[np.float32], labels: Sequence[str], symbols: str
) -> list[Listed]:
    """Give a listed word the case that it was read in."""
    answers = [[i for i, label in enumerate(labels) if _fold(label) == symbols[s]] for s in found.symbols]
    upper, lower = (np.array([case(label) for label in labels]) for case in (str.isupper, str.islower))
    alike = np.outer(upper, upper) | np.outer(lower, lower)
    share = word + np.float32(_CASE) * word @ alike  # a character that was read wrongly may still tell its case
    read = [
        None if glyph is None else max(choices, key=lambda i: share[glyph, i])
        for glyph, choices in zip(found.glyphs, answers, strict=True)
    ]
    capitals = all(labels[i].isupper() for i in read[1:] if i is not None and labels[i].isalpha())
    spelled = []
    for glyph, label, choices in zip(found.glyphs, read, answers, strict=True):
        if label is None or glyph is None:
            label = next((i for i in choices if labels[i].isupper() == capitals), choices[0])
            row = np.zeros(len(labels), np.float32)
        else:
            row = word[glyph] * np.float32(1 - weight)
        row[label] += weight
        spelled.append(Listed(glyph, label, row))
    return spelled
