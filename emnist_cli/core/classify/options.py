"""Options of a recognizer and names of its network's outputs; the recognizer, page reading and export use it."""

from typing import NamedTuple

from emnist_cli.core.bundle import Bundle
from emnist_cli.core.errors import ModelError, UsageError
from emnist_cli.core.labels import split_of_size

_INKS = ("auto", "dark", "light")


class RecognizerOptions(NamedTuple):
    """What a recognizer is asked for: arguments of `Recognizer` that need no other network."""

    top_k: int
    charset: str | None
    fold_case: bool
    min_confidence: float
    ink: str

    def check(self) -> None:
        """Raise UsageError for what makes no sense; `charset` is looked at where it is used."""
        if self.ink not in _INKS:
            raise UsageError(f"--ink: expected one of {', '.join(_INKS)}. Received: {self.ink!r}")
        check_range("top_k", self.top_k, 1, 1000)
        if not 0 <= self.min_confidence <= 1:
            raise UsageError(f"min_confidence: expected a number in 0..1. Received: {self.min_confidence!r}")


def check_range(name: str, value: int, least: int, most: int) -> None:
    """Raise UsageError unless `value` is a whole number in that range."""
    if not isinstance(value, int) or not least <= value <= most:
        raise UsageError(f"{name}: expected a whole number in {least}..{most}. Received: {value!r}")


def name_classes(model: Bundle, count: int) -> tuple[str, ...]:
    """Name a network's outputs: by its manifest, else by how many there are.

    Raises:
        ModelError: the manifest contradicts the network, or there is none and no split has so many classes.
    """
    if model.manifest:
        if len(model.manifest.classes) != count:
            raise ModelError(
                f"{model.graph.parent}: the manifest names {len(model.manifest.classes)} classes, "
                f"the network has {count}; this bundle is damaged"
            )
        return model.manifest.classes
    split = split_of_size(count)
    if split is None:
        raise ModelError(
            f"{model.graph}: cannot name its {count} classes (62, 47, 26 and 10 are EMNIST's); "
            "put it into a bundle folder with a manifest.json"
        )
    return tuple(c.characters for c in split.classes)
