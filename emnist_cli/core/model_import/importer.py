"""Import a Keras model of another project as a bundle, for `emnist models import`.

Every command takes the bundle by name.
"""

import operator
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emnist_cli.core import bundle, exported_models
from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.errors import ModelError, OutputError
from emnist_cli.core.labels import CHARSETS, swap_case
from emnist_cli.core.model_export import parity_samples, to_litert
from emnist_cli.core.model_export.output_dir import OutputDir
from emnist_cli.core.model_import import adapter, foreign_model
from emnist_cli.core.model_import.foreign_model import ForeignModel
from emnist_cli.core.model_import.import_spec import ImportSpec, Interpretation, interpretations
from emnist_cli.core.model_import.label_files import Naming, name_outputs
from emnist_cli.core.networks.keras_file import KERAS_FILE
from emnist_cli.core.platform.interrupts import interrupts_held
from emnist_cli.core.platform.stderr import silent_stderr
from emnist_cli.core.runtimes.litert import LiteRtRuntime
from emnist_cli.core.runtimes.output_kinds import tell_outputs

_TRIED = 248
"""Drawn characters that are tried: each of 62 four times, of fewer classes more often."""
_BETTER = 0.15
"""By how much more of the drawn characters another way must read for it to be told: five standard errors."""
_SAME = 0.03
"""Ways that differ by less are not told apart: one standard error."""
_FEW = 0.25
"""A network that reads fewer of them in every way was trained on something else, or has other labels."""


class Imported(NamedTuple):
    """What was made.

    Attributes:
        name: of the model.
        model: what --model takes: its name, or the folder where that is not among one's models.
        split: whose classes it has, or "custom".
        classes: how many.
        bytes: of all its files but the manifest.
        largest_difference: of a probability, between the LiteRT file and the Keras network.
        drawn_accuracy: share of drawn characters that it reads, in [0, 1].
        folder: of the bundle.
        notes: what the user should know, a line each.
    """

    name: str
    model: str
    split: str
    classes: int
    bytes: int
    largest_difference: float
    drawn_accuracy: float
    folder: Path
    notes: list[str]


def import_model(plan: ImportSpec, where: OutputDir, progress: Callable[[str], None] = lambda stage: None) -> Imported:
    """Make a bundle of a Keras model, whole or not at all.

    Args:
        plan: what, and as what.
        where: where to; has been checked.
        progress: called with what is done next, in words.

    Raises:
        ModelError: it cannot be read, takes no pictures, has other outputs than are named, or its LiteRT file
            disagrees with it.
        OutputError: the bundle cannot be written.
    """
    with interrupts_held():  # TensorFlow is bad at them
        progress("reading the network")
        network = foreign_model.read_foreign_model(plan)
        try:
            return _make(plan, where, network, progress)
        except ModelError as error:
            raise ModelError(f"{plan.path}: {error}") from None


def _make(plan: ImportSpec, where: OutputDir, network: ForeignModel, progress: Callable[[str], None]) -> Imported:
    pictures = parity_samples.draw_pictures(parity_samples.COMPARED)
    shape = adapter.find_picture(network.input_shape, IMAGE_SIZE)
    usual = adapter.feed(network, shape, Interpretation())
    progress("trying it on drawn characters")
    naming = name_outputs(usual.output_shape[-1], plan.labels, plan.split)
    outputs = tell_outputs(_answer(usual, as_meant(pictures, plan.way)))
    read = read_in_every_way(usual, naming)
    wrapped = adapter.finish(adapter.feed(network, shape, plan.way), naming, outputs)
    progress("converting to LiteRT")
    files, difference = _make_files(wrapped, network.is_keras, pictures)
    manifest = _manifest(plan, where.name, network, naming, outputs)
    try:
        bundle.save_bundle(where.folder, manifest, files)
    except OSError as error:
        raise OutputError(f"{where.folder}: cannot be written ({error.strerror or error})") from None
    return Imported(
        name=where.name,
        model=where.name if where.folder.parent == bundle.user_folder() else str(where.folder),
        split=naming.split,
        classes=len(naming.classes),
        bytes=sum(map(len, files.values())),
        largest_difference=difference,
        drawn_accuracy=read[plan.way],
        folder=where.folder,
        notes=_notes(network, naming, plan.way, read),
    )


def _answer(network: keras.Model, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    try:
        answers: NDArray[np.float32] = network.predict_on_batch(pictures[..., None])
    except tf.errors.OpError as error:
        reason = " ".join(error.message.split())[:200]
        raise ModelError(f"TensorFlow cannot run it on this machine ({reason})") from None
    return answers


def as_meant(pictures: NDArray[np.float32], way: Interpretation) -> NDArray[np.float32]:
    """Bring pictures, float32 (n, 28, 28) in [0, 1], into the form that a network was trained on."""
    scale, offset = way.rescaling()
    turned = pictures.transpose(0, 2, 1) if way.transposed else pictures
    return (turned * np.float32(scale) + np.float32(offset)).astype(np.float32)


def read_in_every_way(usual: keras.Model, naming: Naming) -> dict[Interpretation, float]:
    """Return the share of drawn characters that a network reads, for each way in which it may be given pictures.

    Args:
        usual: takes pictures as they are, and gives its outputs as they are.
        naming: which of them stand for what.
    """
    every, known = CHARSETS["alnum"], frozenset("".join(naming.classes))
    # A network for one case is asked for that one only.
    turns = [i for i in range(_TRIED * len(every)) if every[i % len(every)] in known][:_TRIED]
    if not turns:
        return dict.fromkeys(interpretations(), 0.0)
    pictures = parity_samples.draw_pictures(turns[-1] + 1)[turns]
    read = {}
    for way in interpretations():
        answers = _answer(usual, as_meant(pictures, way))[:, naming.first :][:, : len(naming.classes)]
        shown = (every[i % len(every)] for i in turns)
        right = [{c, swap_case(c)} & set(naming.classes[k]) for c, k in zip(shown, answers.argmax(axis=1), strict=True)]
        read[way] = sum(map(bool, right)) / len(turns)
    return read


def _make_files(wrapped: keras.Model, is_keras: bool, pictures: NDArray[np.float32]) -> tuple[dict[str, bytes], float]:
    """Return the bundle's files, and the largest difference of a probability between LiteRT and Keras."""
    try:
        with silent_stderr():
            graph = to_litert.to_litert(wrapped)
    except Exception as error:  # of the converter, and of TensorFlow below it
        reason = " ".join(str(error).split()).split("error: ")[-1][:200]
        raise ModelError(f"it cannot be converted to LiteRT ({reason})") from None
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / bundle.GRAPH
        file.write_bytes(graph)
        runtime = LiteRtRuntime(file)
        answers = np.concatenate([runtime.run(pictures[:1]), runtime.run(pictures[1:])])
        difference = to_litert.check_agreement(wrapped, answers, pictures)
        files = {bundle.GRAPH: graph}
        if is_keras:  # a SavedModel's layers are not known, so that nothing else can be made of it
            wrapped.save(Path(scratch) / KERAS_FILE, include_optimizer=False)
            files[KERAS_FILE] = (Path(scratch) / KERAS_FILE).read_bytes()
    return files, difference


def _manifest(plan: ImportSpec, name: str, network: ForeignModel, naming: Naming, outputs: str) -> bundle.Manifest:
    source = exported_models.describe_model_file(
        plan.path / exported_models.SAVED_MODEL if plan.path.is_dir() else plan.path
    )
    training: dict[str, Any] = {
        "imported_from": plan.path.resolve().name,
        "sha256": source["sha256"],
        "keras": network.version,
        "input_shape": list(network.input_shape),
        **plan.way._asdict(),
        "outputs": outputs,
    }
    return bundle.Manifest(
        name=name,
        description=f"imported from {plan.path.resolve().name}; not calibrated",
        split=naming.split,
        classes=naming.classes,
        training=training,
        versions={"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__},
    )


def _notes(network: ForeignModel, naming: Naming, way: Interpretation, read: dict[Interpretation, float]) -> list[str]:
    notes = [naming.note] if naming.note else []
    if network.changed:
        what = ", ".join(network.changed)
        notes.append(f"Keras {network.version or 'of old'} wrote it; changed to be read by {keras.__version__}: {what}")
    # Of those that read about the same, the one that is most like what was asked for.
    most = max(read.values())
    near = [other for other in read if read[other] >= most - _SAME]
    best = min(near, key=lambda other: sum(map(operator.ne, other, way)))
    share, asked = read[best], f"it reads {read[way]:.0%} of drawn characters as imported"
    if share >= read[way] + _BETTER:
        options = f"with {best.options}" if best.options else f"without {way.options}"
        notes.append(f"{asked}, {share:.0%} {options}: if it was trained so, import it again {options} --overwrite")
    elif share < _FEW:
        notes.append(f"{asked} and no more in any other way; was it trained on other characters, or are labels others?")
    return [*notes, "its confidences are the network's own, not calibrated"]
