"""The label-mapping table: which class id of which EMNIST split stands for which character, for every module.

Source of classes and sizes: Cohen, Afshar, Tapson, van Schaik, "EMNIST: an extension of MNIST to handwritten
letters", arXiv 1702.05373, section II and table II, and the files of the published archive. Standard library only.
Every module that names a class takes the name from here.
"""

import string
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from emnist_cli.core.errors import UsageError, did_you_mean, nearest

MERGED = "CIJKLMOPSUVWXYZ"
"""Letters whose two cases EMNIST merges into one class in bymerge and balanced (section II-C)."""

_SWAP = str.maketrans(string.ascii_letters, string.ascii_uppercase + string.ascii_lowercase)

CUSTOM = "custom"
"""The `split` of a model whose classes are not those of an EMNIST split."""

CHARSETS = {
    "digits": string.digits,
    "upper": string.ascii_uppercase,
    "lower": string.ascii_lowercase,
    "letters": string.ascii_letters,
    "alnum": string.digits + string.ascii_letters,
}
"""The character sets that `--charset` knows by name."""


class LabelClass(NamedTuple):
    """One class of a split.

    Attributes:
        id: class id as models count it, from 0.
        stored_id: the id in the published files; differs from `id` for `letters` only (1..26).
        label: the character shown for the class.
        characters: every character the class stands for, `label` first ("Cc" where cases are merged).
    """

    id: int
    stored_id: int
    label: str
    characters: str

    def as_dict(self) -> dict[str, str | int]:
        """Return the class as `emnist labels` writes it."""
        return {
            "id": self.id,
            "stored_id": self.stored_id,
            "label": self.label,
            "ascii": ord(self.label),
            "characters": self.characters,
        }


class Split(NamedTuple):
    """One of EMNIST's six ways to divide its pictures into classes.

    Attributes:
        name: as in the archive's file names.
        classes: in order of id.
        train, test: pictures in the published archive.
        paper_train, paper_test: pictures according to table II; less than the archive for `letters`.
        about: one line on what the split is for.
    """

    name: str
    classes: tuple[LabelClass, ...]
    train: int
    test: int
    paper_train: int
    paper_test: int
    about: str

    @property
    def first_id(self) -> int:
        """The lowest class id in the published files: 1 for letters, else 0."""
        return self.classes[0].stored_id


def _classes(characters: Sequence[str], first_id: int = 0) -> tuple[LabelClass, ...]:
    return tuple(LabelClass(i, i + first_id, c[0], c) for i, c in enumerate(characters))


_BYCLASS = _classes(CHARSETS["digits"] + CHARSETS["upper"] + CHARSETS["lower"])
_BYMERGE = _classes(
    [*string.digits]
    + [c + c.lower() if c in MERGED else c for c in string.ascii_uppercase]
    + [c for c in string.ascii_lowercase if c.upper() not in MERGED]
)
_LETTERS = _classes([c + c.lower() for c in string.ascii_uppercase], first_id=1)
_DIGITS = _classes(string.digits)

SPLITS = {
    split.name: split
    for split in (
        Split("byclass", _BYCLASS, 697_932, 116_323, 697_932, 116_323, "digits and letters in both cases"),
        Split("bymerge", _BYMERGE, 697_932, 116_323, 697_932, 116_323, "as byclass, look-alike cases merged"),
        Split("balanced", _BYMERGE, 112_800, 18_800, 112_800, 18_800, "as bymerge, equally many of each class"),
        Split("letters", _LETTERS, 124_800, 20_800, 88_800, 14_800, "letters, both cases in one class"),
        Split("digits", _DIGITS, 240_000, 40_000, 240_000, 40_000, "digits, equally many of each"),
        Split("mnist", _DIGITS, 60_000, 10_000, 60_000, 10_000, "MNIST's own pictures, converted as EMNIST's"),
    )
}
"""The six splits by name, in the paper's order."""


def find_split(name: str) -> Split:
    """Return the split called `name`.

    Raises:
        UsageError: no split has that name.
    """
    if name in SPLITS:
        return SPLITS[name]
    raise UsageError(f"no EMNIST split is called {name!r}; {did_you_mean(name, SPLITS)}")


def split_of_size(count: int) -> Split | None:
    """Return the split that a network with `count` outputs was most likely trained on, if any."""
    sizes = {62: "byclass", 47: "balanced", 26: "letters", 10: "digits"}
    return SPLITS[sizes[count]] if count in sizes else None


LIKE_A_NAME = 0.7
"""How much a text shares with the name of a charset where it is more likely a slip than a list of characters."""


def parse_charset(text: str, known: Iterable[str] = CHARSETS["alnum"]) -> frozenset[str]:
    """Turn the value of `--charset` into a set of characters.

    Args:
        text: a name of `CHARSETS`, several joined by commas, or literal characters and ranges ("0-9A-F").
        known: the characters of the model's classes. EMNIST's own are always accepted.

    Raises:
        UsageError: nothing in it, a range that runs backwards, a character that neither EMNIST nor the model has, or a
            name that is written nearly as one of those: "digit" would allow the letters d, g, i and t.
    """
    if text in CHARSETS:
        return frozenset(CHARSETS[text])
    names = text.split(",")
    if len(names) > 1 and all(name in CHARSETS for name in names):
        return frozenset("".join(CHARSETS[name] for name in names))
    if text.isalpha() and text[1:].islower() and (near := nearest(text, CHARSETS, LIKE_A_NAME)):
        raise UsageError(
            f"--charset: did you mean {near}? Received: {text!r}; in another order its characters themselves are taken"
        )
    found = set(_expand_ranges(text))
    strangers = sorted(found - set(CHARSETS["alnum"]).union(known))
    if not found or strangers:
        what = f"{''.join(strangers)!r} in {text!r}" if strangers else repr(text)
        raise UsageError(
            f"--charset: expected {', '.join(CHARSETS)} or characters and ranges such as 0-9A-F. Received: {what}"
        )
    return frozenset(found)


def _expand_ranges(text: str) -> str:
    out, i = [], 0
    while i < len(text):
        if i + 2 < len(text) and text[i + 1] == "-":
            first, last = text[i], text[i + 2]
            if first > last:
                raise UsageError(f"--charset: the range {first}-{last} runs backwards; write {last}-{first}.")
            out.append("".join(map(chr, range(ord(first), ord(last) + 1))))
            i += 3
        else:
            out.append(text[i])
            i += 1
    return "".join(out)


def swap_case(character: str) -> str:
    """Return the other case of an ASCII letter; anything else unchanged."""
    return character.translate(_SWAP)
