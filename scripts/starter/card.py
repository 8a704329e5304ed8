"""Write the figures and pictures of the model card; the prose around them is written by hand.

    python scripts/starter/card.py MODEL DATA DOCS

MODEL is a bundle folder, DATA what scripts/train_starter.py takes, DOCS the folder docs/. What stands between
`<!-- results -->` and `<!-- /results -->` in DOCS/model/starter.md, and likewise for the other sections, is replaced.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

if __name__ == "__main__":
    sys.path[:0] = [str(folder) for folder in Path(__file__).resolve().parents[1:3]]

from emnist_cli.core import bundle
from emnist_cli.core.config import EvaluateConfig
from emnist_cli.core.evaluation.figures import DPI, figure_to_png, make_figure
from emnist_cli.core.evaluation.metrics import ScoredPredictions, calibration_bins, class_scores, confusions
from emnist_cli.core.evaluation.plots import calibration_plot
from emnist_cli.core.records import ClassScore, Confusion
from starter.figures import Scores, error, rows, score

CARD = "model/starter.md"
CONFUSIONS, CALIBRATION = "confusions.png", "calibration.png"

MOST = 20
EXAMPLES = 8

CREDIT = f"Up to {EXAMPLES} images of each, from EMNIST's byclass test half (NIST, US government work)."

_SCALE = 2  # screen pixels a pixel
_SIDE = 28 * _SCALE
_STRIP = EXAMPLES * _SIDE + 1  # pictures side by side with a line between
_CAPTION, _GAP, _MARGIN, _TITLE = 26, 14, 8, 44


def write(model: Path, data: Path, docs: Path) -> None:
    """Score a model and write its card's figures and pictures.

    Args:
        model: a bundle folder.
        data: holds emnist/genuine.npz, emnist/others.npz and scans/.
        docs: holds model/starter.md.

    Raises:
        ValueError: the card lacks the markers of a section, or the model's classes are not those of byclass.
        DataError, ModelError, OSError, UsageError: the model or something in `data` is missing or cannot be read.
    """
    card = docs / CARD
    text = card.read_text(encoding="utf-8")
    fill(text, dict.fromkeys(_SECTIONS, ""))  # what is missing shows before the work
    manifest = bundle.read_bundle(model).manifest
    assert manifest is not None  # `read` gives none but of a bare file
    scores = score(model, data)
    card.with_name(CONFUSIONS).write_bytes(confusion_sheet(scores, confusions(scores.byclass)[:MOST]))
    pool = pooled(list(scores.scans.values()))
    bins = calibration_bins(pool, EvaluateConfig.bins)
    card.with_name(CALIBRATION).write_bytes(calibration_plot(bins, error(pool)))
    sections = {name: section(manifest, scores) for name, section in _SECTIONS.items()}
    card.write_text(fill(text, sections), encoding="utf-8")


def fill(text: str, sections: Mapping[str, str]) -> str:
    """Replace what stands between the markers of each section.

    Raises:
        ValueError: a section's markers are not there once each, in this order.
    """
    for name, body in sections.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if (text.count(start), text.count(end)) != (1, 1) or text.index(start) > text.index(end):
            raise ValueError(f"the model card: expected {start} and later {end}, once each")
        before, rest = text.split(start)
        text = f"{before}{start}\n\n{body.strip()}\n\n{end}{rest.split(end)[1]}"
    return text


def sources(manifest: bundle.Manifest, scores: Scores) -> str:
    """Tell what the model was trained on, with every key that the manifest has.

    `count` is of characters where it also says how many pictures were drawn of them, else of pictures.
    """
    keys = list(dict.fromkeys(key for entry in manifest.data for key in entry))
    place = {"source": -2, "count": -1, "licence": 1}
    keys.sort(key=lambda key: place.get(key, 0))
    numbers = [key for key in keys if all(isinstance(entry.get(key, 0), int) for entry in manifest.data)]
    drawn = {"count": "characters"} if "pictures" in keys else {"count": "pictures"}
    heads = [drawn.get(key, key) for key in keys]
    cells = [[_cell(entry.get(key, "")) for key in keys] for entry in manifest.data]
    return table(heads, cells, [key in numbers for key in keys])


def results(manifest: bundle.Manifest, scores: Scores) -> str:
    """Tell what the model scored: all classes asked for, then the two tests that ask for some."""
    found = rows(scores)
    full = [row for row in found if row.merged is not None]
    heads = ["test pictures", "count", "62 classes", "47 classes", "case folded", "calibration error"]
    free = table(heads, [[_cell(value) for value in row] for row in full])
    heads = ["test pictures", "count", "accuracy", "calibration error"]
    asked = [(r.name, r.count, r.folded if r.exact is None else r.exact, r.ece) for r in found if r.merged is None]
    return f"{free}\n\n{table(heads, [[_cell(value) for value in row] for row in asked])}"


def classes(manifest: bundle.Manifest, scores: Scores) -> str:
    """Tell how well each class is read: digits in two halves, then upper beside lower case."""
    by_label = {c.label: c for c in class_scores(scores.byclass)}
    labels = scores.byclass.labels
    left, right = labels[:5] + labels[10:36], labels[5:10] + labels[36:]
    heads = ["class", "precision", "recall", "F1", "count"]
    cells = [_class(a, by_label.get(a)) + _class(b, by_label.get(b)) for a, b in zip(left, right, strict=True)]
    return table(heads * 2, cells, [False, True, True, True, True] * 2)


def confused(manifest: bundle.Manifest, scores: Scores) -> str:
    """Tell what is taken for what most often."""
    totals = _totals(scores.byclass)
    cells = [
        [f"`{c.truth}` → `{c.predicted}`", _cell(c.count), _cell(c.count / totals[c.truth])]
        for c in confusions(scores.byclass)[:MOST]
    ]
    listed = table(["is → read as", "pictures", "of the truth"], cells)
    return f"{listed}\n\n![Examples of each confusion]({CONFUSIONS})\n\n{CREDIT}"


def calibration(manifest: bundle.Manifest, scores: Scores) -> str:
    """Tell whether the probabilities that `emnist predict` gives mean what they say."""
    pool = pooled(list(scores.scans.values()))
    each = ", ".join(f"{folder} {error(answers):.4f}" for folder, answers in scores.scans.items())
    return (
        f"Expected calibration error in {EvaluateConfig.bins} bins, at temperature {manifest.temperature:g}: {each}; "
        f"all {len(pool.truth):,} scans together, as drawn, {error(pool):.4f}.\n\n"
        f"![Accuracy against confidence on the scans]({CALIBRATION})"
    )


_SECTIONS: Mapping[str, Callable[[bundle.Manifest, Scores], str]] = {
    "sources": sources,
    "results": results,
    "classes": classes,
    "confusions": confused,
    "calibration": calibration,
}


def table(heads: Sequence[str], cells: Sequence[Sequence[str]], numbers: Sequence[bool] | None = None) -> str:
    """Return a table in Markdown.

    Args:
        heads: of the columns.
        cells: rows of them.
        numbers: which columns are aligned right; None for all but the first.
    """
    numbers = numbers or [False, *[True] * (len(heads) - 1)]
    lines = [heads, ["---:" if number else "---" for number in numbers], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")


def _class(label: str, found: ClassScore | None) -> list[str]:
    if found is None:
        return [f"`{label}`", "", "", "", "0"]
    return [f"`{label}`", *(_cell(value) for value in (found.precision, found.recall, found.f1, found.support))]


def _totals(answers: ScoredPredictions) -> dict[str, int]:
    """How many pictures there are of each class."""
    return dict(zip(answers.labels, np.bincount(answers.truth, minlength=len(answers.labels)).tolist(), strict=True))


def pooled(parts: Sequence[ScoredPredictions]) -> ScoredPredictions:
    """Put answers over the same classes together."""
    truth, probabilities = (np.concatenate([getattr(p, key) for p in parts]) for key in ("truth", "probabilities"))
    return ScoredPredictions(parts[0].classes, truth, probabilities)


def examples(scores: Scores, pair: Confusion) -> NDArray[np.int64]:
    """Choose images of a confusion: up to `EXAMPLES` indexes, spread over all there are."""
    answers, labels = scores.byclass, scores.byclass.labels
    confused_so = (answers.truth == labels.index(pair.truth)) & (answers.predicted == labels.index(pair.predicted))
    mine = np.flatnonzero(confused_so)
    spread: NDArray[np.int64] = mine[np.linspace(0, len(mine) - 1, min(EXAMPLES, len(mine))).round().astype(int)]
    return spread


def confusion_sheet(scores: Scores, pairs: Sequence[Confusion]) -> bytes:
    """Draw examples of confusions, dark ink on paper, in two columns of strips: a PNG."""
    height = -(-max(len(pairs), 1) // 2)
    pitch = _CAPTION + _SIDE + _GAP
    paper = np.full((_TITLE + height * pitch, 2 * (_STRIP + _MARGIN) + _GAP), 255, np.uint8)
    size = (paper.shape[1] / DPI, paper.shape[0] / DPI)
    figure = make_figure(size, "Most frequent confusions: is → read as", layout=None)
    totals = _totals(scores.byclass)
    for number, pair in enumerate(pairs):
        column, row = divmod(number, height)
        x, y = _MARGIN + column * (_STRIP + _GAP), _TITLE + row * pitch
        paper[y + _CAPTION : y + _CAPTION + _SIDE, x : x + _STRIP] = strip(scores.images[examples(scores, pair)])
        note = f"{pair.count:,} of {totals[pair.truth]:,}"
        at = 1 - (y + _CAPTION - 7) / paper.shape[0]
        name = f"{pair.truth} → {pair.predicted}"
        figure.text(x / paper.shape[1], at, name, family="DejaVu Sans Mono", size=11, weight="bold")
        figure.text((x + 80) / paper.shape[1], at, note, size=8, color="#5d636d")
    figure.figimage(paper, cmap="gray", vmin=0, vmax=255, origin="upper", zorder=-1)
    return figure_to_png(figure)


def strip(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put pictures side by side, each pixel a square, with a thin line around each; free places stay white."""
    out = np.full((_SIDE, _STRIP), 255, np.uint8)
    for place, picture in enumerate(pictures):
        left = place * _SIDE
        out[:, left : left + _SIDE] = 255 - picture.repeat(_SCALE, axis=0).repeat(_SCALE, axis=1)
        out[[0, -1], left : left + _SIDE + 1] = out[:, [left, left + _SIDE]] = 200
    return out


def main() -> None:
    """Write the card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("model", "data", "docs"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    write(args.model, args.data, args.docs)


if __name__ == "__main__":
    main()
