"""Adapt a network of another project to the inputs and outputs of the others here; `importer` uses it.

Only Keras' own layers and operations are added around it, so that the result can be saved and loaded anywhere.
"""

import math
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.errors import ModelError
from emnist_cli.core.model_import.foreign_model import ForeignModel
from emnist_cli.core.model_import.import_spec import Interpretation
from emnist_cli.core.model_import.label_files import Naming
from emnist_cli.core.networks.probabilities import add_probabilities, set_compiler
from emnist_cli.core.runtimes.output_kinds import PROBABILITIES, SCORES


class PictureShape(NamedTuple):
    """Where in a network's input a picture goes.

    Attributes:
        shape: of one input, without the batch; what was left open is filled in.
        height, width: of the picture in pixels.
        channels: 1, or 3 with the same gray in each.
        first: channels come before rows and columns.
    """

    shape: tuple[int, ...]
    height: int
    width: int
    channels: int
    first: bool


def find_picture(shape: tuple[int | None, ...], usual: int) -> PictureShape:
    """Find a picture in the shape of a network's input.

    Args:
        shape: without the batch.
        usual: pixels a side where that is left open.

    Raises:
        ModelError: no gray or coloured picture has that shape.
    """
    filled = tuple(usual if size is None else int(size) for size in shape)
    rows, first, channels = filled, False, 1
    if len(filled) == 3 and (filled[-1] in (1, 3) or filled[0] in (1, 3)):
        first = filled[-1] not in (1, 3)
        channels, rows = (filled[0], filled[1:]) if first else (filled[-1], filled[:2])
    elif len(filled) == 2 and 1 in filled:
        rows = (max(filled),)
    if len(rows) == 1:
        rows = (math.isqrt(rows[0]),) * 2
    fits = len(rows) == 2 and math.prod(rows) * channels == math.prod(filled) and 8 <= min(rows) <= max(rows) <= 512
    if not fits:
        raise ModelError(f"its input has the shape {shape}, which is none of a picture such as (28, 28, 1) or (784,)")
    return PictureShape(filled, rows[0], rows[1], channels, first)


def feed(network: ForeignModel, shape: PictureShape, way: Interpretation) -> keras.Model:
    """Put before a network what brings our pictures into its form.

    Returns:
        A network from (n, 28, 28, 1) float32 in [0, 1], upright, white ink on black, to what `network` gives, as one
        row a picture.

    Raises:
        ModelError: it cannot be called so, or gives no row a picture.
    """
    pictures = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1), name="pictures")
    x: Any = pictures
    if way.transposed:
        x = layers.Permute((2, 1, 3))(x)
    scale, offset = way.rescaling()
    if (scale, offset) != (1, 0):
        x = layers.Rescaling(scale, offset)(x)
    if (shape.height, shape.width) != (IMAGE_SIZE, IMAGE_SIZE):
        x = layers.Resizing(shape.height, shape.width)(x)
    if shape.channels == 3:
        x = layers.Concatenate()([x, x, x])
    if shape.first:
        x = layers.Permute((3, 1, 2))(x)
    if tuple(x.shape[1:]) != shape.shape:
        x = layers.Reshape(shape.shape)(x)
    try:
        answers = network.call(x)
    except Exception as error:  # of every layer
        raise ModelError(f"it cannot be given pictures of the shape {shape.shape} ({str(error)[:200]})") from None
    found = tuple(getattr(answers, "shape", ()))
    if len(found) > 2 and None not in found[1:] and max(found[1:]) == np.prod(found[1:]):
        answers = layers.Flatten()(answers)
    elif len(found) != 2 or found[1] is None:
        raise ModelError(f"expected one row of outputs for each picture. Received: outputs of the shape {found}")
    return set_compiler(keras.Model(pictures, answers), network.needs_xla)


def finish(fed: keras.Model, naming: Naming, outputs: str) -> keras.Model:
    """Put behind a network what makes probabilities of the named classes of its outputs.

    Args:
        fed: as `feed` gives it.
        naming: which of the outputs are classes.
        outputs: as `output_kinds.tell_outputs` says.

    Returns:
        A network from pictures to (n, classes), float32, rows summing to 1.
    """
    x = fed.output
    some = len(naming.classes) != x.shape[1]
    if some:
        x = x[:, naming.first : naming.first + len(naming.classes)]
    left = SCORES if some and outputs == PROBABILITIES else outputs  # some of the probabilities sum to less than 1
    return add_probabilities(keras.Model(fed.input, x), left, fed.jit_compile)
