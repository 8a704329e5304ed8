"""The CNN definitions. One small function an architecture; `build` finds it by name.

Every network takes (n, 28, 28, 1) float32 in [0, 1], white ink on black, and gives (n, classes) probabilities.
"""

from collections.abc import Callable

import keras
from keras import layers

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.errors import UsageError


def classic(classes: int) -> keras.Model:
    """Three 3x3 convolutions of 32, 64 and 128 channels, pooling after the first two, a dense layer of 256.

    The network that most small EMNIST projects describe: 404,446 weights and 6.8 MFLOP a picture at 62 classes.
    """
    stack: list[keras.Layer] = [keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1))]
    for channels, pool in ((32, True), (64, True), (128, False)):
        stack += [
            layers.Conv2D(channels, 3, use_bias=False),
            # Keras' default momentum of 0.99 averages over more steps than a short run has.
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
        ]
        if pool:
            stack.append(layers.MaxPooling2D())
    stack += [
        layers.Flatten(),
        layers.Dense(256, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(classes, activation="softmax"),
    ]
    return keras.Sequential(stack, name="classic")


ARCHITECTURES: dict[str, Callable[[int], keras.Model]] = {"classic": classic}


def build(arch: str, classes: int) -> keras.Model:
    """Return a new network with random weights.

    Raises:
        UsageError: no architecture has that name.
    """
    if arch not in ARCHITECTURES:
        raise UsageError(f"--arch: expected one of {', '.join(ARCHITECTURES)}. Received: {arch!r}")
    return ARCHITECTURES[arch](classes)
