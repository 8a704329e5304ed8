"""What a pattern with ** finds, on a disk and in an object store."""

import fnmatch
from collections.abc import Callable

import pytest

from emnist_cli.core.files.patterns import path_matches


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("a.png", "*.png", True),
        ("a/b.png", "*.png", False),
        ("a/b.png", "*/*.png", True),
        ("b.png", "**/*.png", True),
        ("a/b/c/d.png", "**/*.png", True),
        ("a/b/c/d.png", "a/**/d.png", True),
        ("a/d.png", "a/**/d.png", True),
        ("a/b/c/d.png", "b/**/d.png", False),
        ("a/b/c/d.png", "**/b/*.png", False),
        ("a/b/c/d.png", "**/b/**/*.png", True),
        ("a/b/c.txt", "a/**", True),
        ("a/b/c.txt", "**", True),
        ("a", "a/b", False),
        ("", "**", True),
    ],
)
@pytest.mark.parametrize("name_matches", [fnmatch.fnmatch, fnmatch.fnmatchcase])
def test_two_stars_are_any_number_of_folders(
    path: str, pattern: str, expected: bool, name_matches: Callable[[str, str], bool]
) -> None:
    assert path_matches(path.split("/") if path else [], pattern.split("/"), name_matches) == expected


def test_case_counts_where_it_is_asked_for() -> None:
    assert not path_matches(["a", "B.PNG"], ["**", "*.png"], fnmatch.fnmatchcase)
    assert path_matches(["a", "B.PNG"], ["**", "*.png"], lambda name, part: fnmatch.fnmatchcase(name.lower(), part))
