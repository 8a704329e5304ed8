"""Match the parts of a path with those of a pattern that has **; `files.discovery` and `files.uri_search` use it."""

import fnmatch
from collections.abc import Callable, Sequence


def path_matches(
    parts: Sequence[str], pattern: Sequence[str], name_matches: Callable[[str, str], bool] = fnmatch.fnmatch
) -> bool:
    """Tell whether a path matches a pattern; ** stands for any number of folders, at the end for everything.

    Args:
        parts: of the path.
        pattern: its parts.
        name_matches: tells whether a name matches a part of a pattern other than **. The default ignores case where
            the operating system does.
    """
    if not pattern:
        return not parts
    if pattern[0] == "**":
        rest = pattern[1:]
        return not rest or any(path_matches(parts[i:], rest, name_matches) for i in range(len(parts)))
    if not parts or not name_matches(parts[0], pattern[0]):
        return False
    return path_matches(parts[1:], pattern[1:], name_matches)
