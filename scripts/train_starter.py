"""Train the model that ships in the package, measure it, and write its bundle.

    python scripts/train_starter.py ARCHIVE [--sources SOURCES.npz] [--out FOLDER] [--work FOLDER]

ARCHIVE is laid out like NIST's EMNIST archive (gzip.zip); the byclass split is used. SOURCES tells for each picture
of that split which collection it came from (arrays "names", and "byclass_train" and "byclass_test" as indexes into
it); with it the manifest has counts and figures by source. The shipped model was trained on a stand-in for EMNIST,
see docs/model/starter.md. An interrupted run goes on where it stopped; 60 epochs of 106,803 pictures take about half
an hour on two cores.
"""

import argparse
import dataclasses
import sys
from collections import Counter
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emnist_cli.core import bundle, labels
from emnist_cli.core.config import TrainConfig
from emnist_cli.core.data import idx
from emnist_cli.core.data.dataset import Pictures
from emnist_cli.core.inference.runtime import Runtime
from emnist_cli.core.inference.views import make_view
from emnist_cli.core.records import Epoch
from emnist_cli.core.training import checkpoint, export, model
from emnist_cli.core.training.feed import hold_out
from emnist_cli.core.training.trainer import Trainer

CLASSES = tuple(c.characters for c in labels.SPLITS["byclass"].classes)

SOURCES = {
    "unipen": ("UNIPEN train_r01_v07 pen strokes (UNIPEN Consortium 1999, doi 10.5281/zenodo.1195803)", "CC BY 4.0"),
    "nist": ("NIST Special Database 19", "US government work"),
    "mnist": ("MNIST training digits, from NIST Special Databases 1 and 3", "US government work"),
    "chars74k": ("Chars74K hand-drawn characters (de Campos, Babu and Varma, VISAPP 2009)", "free to use, cite"),
    "photos": ("photographed characters, brianzx032/18752s21-Handwritten-Character-Recognition", "none stated"),
    "forms": ("characters from scanned forms, a public repository", "none stated"),
    "canvas": ("characters drawn on a web canvas, kishieel/federated-handwritten-letters", "none stated"),
}


def main() -> None:
    """Run the whole recipe."""
    args = arguments()
    config = TrainConfig(arch="classic", epochs=args.epochs, seed=args.seed, validation=0)
    keras.utils.set_random_seed(config.seed)
    images, ids = idx.read_split(args.archive, "byclass", "train")
    task = checkpoint.describe(config, CLASSES, str(args.archive))
    trainer = Trainer(
        lambda: model.build(config.arch, len(CLASSES)), Pictures(images, ids), hold_out(ids, config), config, task,
        args.work,
    )  # fmt: skip
    if checkpoint.exists(args.work):
        trainer.resume()
    trainer.run(on_epoch=report)
    network = trainer.network
    graph = args.work / "model.tflite"
    graph.write_bytes(export.to_litert(network))
    runtime = Runtime(graph)
    sample = images[:256].astype(np.float32) / 255
    print(f"largest difference to Keras: {export.check_agreement(network, runtime.run(sample), sample):.1e}")
    manifest = bundle.Manifest(
        name=args.out.name,
        description="The classic small CNN, trained on a stand-in for EMNIST byclass",
        split="byclass",
        classes=CLASSES,
        training=dataclasses.asdict(config),
        data=describe_data(args.sources, len(images)),
        metrics=tuple(measure(runtime, args.archive, args.sources)),
        versions={"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__},
    )
    bundle.write(args.out, manifest, {bundle.GRAPH: graph.read_bytes()})
    for metric in manifest.metrics:
        print(f"{metric.value:.4f}  {metric.name}, {metric.on} ({metric.count:,})")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--sources", type=Path)
    parser.add_argument("--out", type=Path, default=bundle.PACKAGED / bundle.DEFAULT_MODEL)
    parser.add_argument("--work", type=Path, default=Path("build/starter"), help="for checkpoints")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=TrainConfig.seed)
    return parser.parse_args()


def report(epoch: Epoch) -> None:
    """Print one epoch's figures."""
    print(
        f"epoch {epoch.epoch}: loss {epoch.loss:.4f}, accuracy {epoch.accuracy:.4f} (augmented training pictures), "
        f"{epoch.seconds:.0f} s, {epoch.pictures_per_second:,.0f} pictures/s",
        flush=True,
    )


def describe_data(sources: Path | None, count: int) -> tuple[dict[str, object], ...]:
    """List what the model was trained on, by source where that is known."""
    if sources is None:
        return ({"source": "byclass training half of the archive given", "count": count},)
    counts = Counter(read_sources(sources, "train").tolist())
    return tuple(
        {"source": SOURCES[name][0], "licence": SOURCES[name][1], "count": number}
        for name, number in counts.most_common()
    )


def read_sources(sources: Path, part: str) -> NDArray[np.str_]:
    """Return the name of the collection that each picture of a half came from."""
    table = np.load(sources)
    names: NDArray[np.str_] = table["names"][table[f"byclass_{part}"]]
    return names


def measure(runtime: Runtime, archive: Path, sources: Path | None) -> list[bundle.Metric]:
    """Score the exported file on the archive's test halves."""
    images, ids = idx.read_split(archive, "byclass", "test")
    probabilities = runtime.run(images.astype(np.float32) / 255)
    on = "stand-in for EMNIST byclass, test half"
    metrics = scores(probabilities, ids, on)
    if sources is not None:
        names = read_sources(sources, "test")
        for name in dict.fromkeys(names.tolist()):
            mine = names == name
            metrics += scores(probabilities[mine], ids[mine], f"{on}, {name} only")
    digits, digit_ids = idx.read_split(archive, "mnist", "test")
    view = make_view(CLASSES, labels.CHARSETS["digits"])
    right = view.apply(runtime.run(digits.astype(np.float32) / 255)).argmax(1) == digit_ids
    metrics.append(
        bundle.Metric("accuracy, charset digits", round(float(right.mean()), 4), "EMNIST mnist test", len(right))
    )
    return metrics


def scores(probabilities: NDArray[np.float32], ids: NDArray[np.int64], on: str) -> list[bundle.Metric]:
    """Accuracy over 62 classes, over EMNIST's 47, and with case folded; each by summing the 62 probabilities."""
    truth = [CLASSES[i] for i in ids]
    merged = {c: group.label for group in labels.SPLITS["bymerge"].classes for c in group.characters}
    foldings = {
        "accuracy": {c: c for c in CLASSES},
        "accuracy, 47 classes": merged,
        "accuracy, case folded": {c: c.upper() for c in CLASSES},
    }
    out = []
    for name, fold in foldings.items():
        answers = list(dict.fromkeys(fold.values()))
        matrix = np.array([[fold[c] == a for a in answers] for c in CLASSES], np.float32)
        best = (probabilities @ matrix).argmax(1)
        right = sum(answers[b] == fold[t] for b, t in zip(best, truth, strict=True))
        out.append(bundle.Metric(name, round(right / len(truth), 4), on, len(truth)))
    return out


if __name__ == "__main__":
    sys.exit(main())
