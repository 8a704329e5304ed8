"""Recognize handwritten characters in images: the public Python API and the version, for users of the library.

    from emnist_cli import Recognizer
    Recognizer().predict("a.png").label

Importing the package is cheap: each public name is loaded when it is first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emnist_cli.core.classify.recognizer import Recognizer as Recognizer
    from emnist_cli.core.errors import EmnistError as EmnistError
    from emnist_cli.core.page_records import Page as Page
    from emnist_cli.core.pages.lexicon import Lexicon as Lexicon
    from emnist_cli.core.pages.pipeline import read_page as read_page
    from emnist_cli.core.pages.run_pages import read_pages as read_pages
    from emnist_cli.core.parallel.run_files import predict_files as predict_files
    from emnist_cli.core.records import Alternative as Alternative
    from emnist_cli.core.records import Prediction as Prediction

__version__ = "0.1.0"

_HOME = {
    "Alternative": "emnist_cli.core.records",
    "EmnistError": "emnist_cli.core.errors",
    "Lexicon": "emnist_cli.core.pages.lexicon",
    "Page": "emnist_cli.core.page_records",
    "Prediction": "emnist_cli.core.records",
    "Recognizer": "emnist_cli.core.classify.recognizer",
    "predict_files": "emnist_cli.core.parallel.run_files",
    "read_page": "emnist_cli.core.pages.pipeline",
    "read_pages": "emnist_cli.core.pages.run_pages",
}

__all__ = [
    "Alternative",
    "EmnistError",
    "Lexicon",
    "Page",
    "Prediction",
    "Recognizer",
    "__version__",
    "predict_files",
    "read_page",
    "read_pages",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home module on first use."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
