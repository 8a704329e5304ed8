"""What the starter model learns from: every source, its licence, how often it is drawn and shown."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import fonts, pens, scans, strokes
from .pool import Draw, Source, balanced


class Origin(NamedTuple):
    """Where a source comes from, for the manifest and the model card."""

    text: str
    licence: str


ORIGINS = {
    "unipen": Origin(
        "UNIPEN train_r01_v07, pen strokes drawn afresh (UNIPEN Consortium 1999, doi 10.5281/zenodo.1195803)",
        "CC BY 4.0",
    ),
    "tablet": Origin(
        "Chars74K, hand-drawn characters, scans and pen strokes (de Campos, Babu and Varma, VISAPP 2009)",
        "free to use, cite",
    ),
    "nist": Origin("NIST Special Database 19, digits", "US government work"),
    "mnist": Origin("MNIST training digits (LeCun and Cortes, from NIST Special Databases 1 and 3)", "CC BY-SA 3.0"),
    "emnist": Origin(
        "EMNIST byclass, a sixth of its training half (Cohen, Afshar, Tapson and van Schaik, 2017)",
        "US government work",
    ),
    "fonts": Origin(fonts.SOURCE, "SIL OFL 1.1"),
    "photos": Origin("photographed characters, brianzx032/18752s21-Handwritten-Character-Recognition", "none stated"),
    "forms": Origin("characters from scanned forms, a public repository", "none stated"),
    "canvas": Origin("characters drawn on a web canvas, kishieel/federated-handwritten-letters", "none stated"),
}


def origin(name: str) -> str:
    """Return the key in `ORIGINS` of a source."""
    return name.split("-")[0]


def sources(data: Path, font_folder: Path, seed: int, unlicensed: bool = False) -> list[Source]:
    """List what there is to learn from.

    Args:
        data: the data folder; docs/model/starter.md says where each part of it is to be had.
        font_folder: .woff files, named as in `fonts.FONTS`.
        seed: of what is drawn how often.
        unlicensed: the sources without a licence too.

    Raises:
        OSError, ValueError: one of them is not there.
    """
    rng = np.random.default_rng(seed)
    unipen = strokes.read_unipen(data / "strokes/unipen.npz", "train")
    tablet = scans.read_scans(data / "scans/tablet", "train")
    drawn = strokes.read_tablet(data / "strokes/tablet.json", scans.read_writers(data / "scans/tablet", "train"))
    glyphs = list(fonts.glyphs(font_folder))
    labels = [c.label for c in unipen]
    found = [
        Source("unipen", unipen, pens.draw, balanced(labels, 5, rng)),
        Source("unipen-photo", unipen, pens.photograph, balanced(labels, 1, rng)),
        _once("tablet", tablet, scans.prepare, 4),
        Source("tablet-strokes", drawn, pens.draw, np.full(len(drawn), 16)),
        Source("tablet-photo", drawn, pens.photograph, np.full(len(drawn), 4)),
        Source("fonts", glyphs, fonts.vary, np.full(len(glyphs), 20)),
    ]
    finished = scans.read_others(data / "emnist/others.npz", "train")
    finished["emnist"] = scans.read_training_half(data / "emnist/genuine.npz")
    weights = {"nist": 5, "mnist": 4, "emnist": 1} | ({"forms": 5} if unlicensed else {})
    found += [_once(name, finished[name].items(), scans.as_it_is, weight) for name, weight in weights.items()]
    if unlicensed:
        found += [
            _once(name, scans.read_scans(data / "scans" / name, "train"), scans.prepare, weight)
            for name, weight in (("photos", 16), ("canvas", 20))
        ]
    return found


def _once(name: str, items: Sequence[Any], draw: Draw, weight: int) -> Source:
    """Pictures that are there already: each is taken once, and shown `weight` times an epoch."""
    return Source(name, items, draw, np.ones(len(items), np.int64), weight)
