import string
import zipfile

import pytest

from emnist_cli.core.errors import UsageError
from emnist_cli.core.labels import SPLITS, find_split, parse_charset, split_of_size

# Table II of arXiv 1702.05373 (letters: what the published archive holds, which is more).
SIZES = {
    "byclass": (62, 697932, 116323),
    "bymerge": (47, 697932, 116323),
    "balanced": (47, 112800, 18800),
    "letters": (26, 124800, 20800),
    "digits": (10, 240000, 40000),
    "mnist": (10, 60000, 10000),
}


@pytest.mark.parametrize("name", SIZES)
def test_classes_and_sizes(name: str) -> None:
    split = SPLITS[name]
    assert (len(split.classes), split.train, split.test) == SIZES[name]
    assert [c.id for c in split.classes] == list(range(len(split.classes)))
    assert all(c.characters[0] == c.label for c in split.classes)
    labels = [c.label for c in split.classes]
    assert len(set(labels)) == len(labels)


def test_every_class_of_byclass_is_in_one_class_of_bymerge() -> None:
    merged = "".join(c.characters for c in SPLITS["bymerge"].classes)
    assert sorted(merged) == sorted(c.label for c in SPLITS["byclass"].classes)


def test_merged_pairs_are_the_papers() -> None:
    pairs = {c.characters for c in SPLITS["balanced"].classes if len(c.characters) > 1}
    assert pairs == {f"{c}{c.lower()}" for c in "CIJKLMOPSUVWXYZ"}
    assert [c.label for c in SPLITS["balanced"].classes[36:]] == list("abdefghnqrt")


def test_letters_are_stored_from_one() -> None:
    letters = SPLITS["letters"].classes
    assert [(c.stored_id, c.label) for c in letters] == list(enumerate(string.ascii_uppercase, 1))
    assert SPLITS["letters"].first_id == 1
    assert SPLITS["balanced"].first_id == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["letters", "mnist"])
@pytest.mark.shared
def test_mapping_agrees_with_the_archives_mapping_file(name: str, request: pytest.FixtureRequest) -> None:
    with zipfile.ZipFile(request.getfixturevalue(f"{name}_archive")) as archive:
        lines = archive.read(f"gzip/emnist-{name}-mapping.txt").decode().split("\n")
    rows = [list(map(int, line.split())) for line in lines if line.strip()]
    assert [(row[0], chr(row[1])) for row in rows] == [(c.stored_id, c.label) for c in SPLITS[name].classes]


def test_a_mistyped_split_gets_advice() -> None:
    with pytest.raises(UsageError, match=r"no EMNIST split is called 'leters'; did you mean letters\?"):
        find_split("leters")
    with pytest.raises(UsageError, match="expected one of: byclass, bymerge"):
        find_split("qqq")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("digits", string.digits),
        ("alnum", string.digits + string.ascii_letters),
        ("digits,lower", string.digits + string.ascii_lowercase),
        ("0-9A-F", "0123456789ABCDEF"),
        ("xyz", "xyz"),
        ("a-a", "a"),
    ],
)
def test_charset(text: str, expected: str) -> None:
    assert parse_charset(text) == frozenset(expected)


@pytest.mark.parametrize("text", ["", "9-0", "é", "0-9_", "a-", "digits,nosuch"])
def test_charset_refuses(text: str) -> None:
    with pytest.raises(UsageError, match="--charset"):
        parse_charset(text)


def test_split_is_told_from_the_number_of_outputs() -> None:
    found = {count: split_of_size(count) for count in (62, 47, 26, 10, 37)}
    assert {count: split and split.name for count, split in found.items()} == {
        62: "byclass", 47: "balanced", 26: "letters", 10: "digits", 37: None,
    }  # fmt: skip
