"""What the starter model learns from: every source, its licence, how often it is drawn and shown."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from . import fonts, pens, scans, strokes
from .pool import Source, balanced


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
    "mnist": Origin("MNIST training digits, from NIST Special Databases 1 and 3", "US government work"),
    "fonts": Origin(fonts.SOURCE, "SIL OFL 1.1"),
    "photos": Origin("photographed characters, brianzx032/18752s21-Handwritten-Character-Recognition", "none stated"),
    "forms": Origin("characters from scanned forms, a public repository", "none stated"),
    "canvas": Origin("characters drawn on a web canvas, kishieel/federated-handwritten-letters", "none stated"),
}

LICENSED = ("unipen", "unipen-photo", "tablet", "tablet-strokes", "tablet-photo", "nist", "mnist", "fonts")
UNLICENSED = ("photos", "forms", "canvas")


def origin(name: str) -> str:
    """Return the key in `ORIGINS` of a source."""
    return name.split("-")[0]


def sources(data: Path, font_folder: Path, seed: int) -> list[Source]:
    """List all sources.

    Args:
        data: the data folder; docs/model/starter.md says where each part of it is to be had.
        font_folder: .woff files, named as in `fonts.FONTS`.
        seed: of what is drawn how often.
    """
    rng = np.random.default_rng(seed)
    unipen = strokes.read_unipen(data / "strokes/unipen.npz", "train")
    tablet = scans.read_scans(data / "scans/tablet", "train")
    writers = scans.read_writers(data / "scans/tablet", "train")
    drawn = strokes.read_tablet(data / "strokes/tablet.json", writers)
    glyphs = list(fonts.glyphs(font_folder))
    labels = [c.label for c in unipen]

    def pictures(name: str, weight: int) -> Source:
        found = scans.read_archive(data / "emnist/gzip.zip", data / "emnist/sources.npz", name)
        return Source(name, found, scans.as_it_is, np.ones(len(found), int), weight)

    def originals(name: str, weight: int) -> Source:
        found = scans.read_scans(data / "scans" / name, "train")
        return Source(name, found, scans.prepare, np.ones(len(found), int), weight)

    return [
        Source("unipen", unipen, pens.draw, balanced(labels, 5, rng)),
        Source("unipen-photo", unipen, pens.photograph, balanced(labels, 1, rng)),
        Source("tablet", tablet, scans.prepare, np.ones(len(tablet), int), 4),
        Source("tablet-strokes", drawn, pens.draw, np.full(len(drawn), 16)),
        Source("tablet-photo", drawn, pens.photograph, np.full(len(drawn), 4)),
        pictures("nist", 5),
        pictures("mnist", 4),
        Source("fonts", glyphs, fonts.vary, np.full(len(glyphs), 20)),
        originals("photos", 8),
        pictures("forms", 5),
        originals("canvas", 20),
    ]
