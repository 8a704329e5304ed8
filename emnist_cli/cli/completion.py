"""Shell completion for options that take one of a few names; the commands use it.

For an option without names to offer, the shell completes file names.
"""

from collections.abc import Callable, Iterable

from emnist_cli.core import bundle
from emnist_cli.core.benchmark.benchmark_config import AGAINST
from emnist_cli.core.labels import SPLITS


def offer(names: Iterable[str]) -> Callable[[], list[str]]:
    """Return a function that returns the names. Typer calls it and offers those that begin with what was typed."""
    known = list(names)
    return lambda: known


def offer_models() -> list[str]:
    """Return the names of the models in the package and in the user's folder."""
    return [folder.name for folder in bundle.list_bundles()]


def offer_forms(incomplete: str) -> list[str]:
    """Forms after a comma, too: each with the forms that were typed before it."""
    before = incomplete.rpartition(",")[0]
    typed = before.split(",")
    return [f"{before},{form}" if before else form for form in AGAINST if form not in typed]


offer_splits = offer(SPLITS)
