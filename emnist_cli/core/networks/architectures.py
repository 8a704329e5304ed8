"""The CNN definitions, for training; one small function per architecture, and `build` finds it by name.

Every network takes (n, 28, 28, 1) float32 in [0, 1], white ink on black, and returns (n, classes) float32
probabilities. Besides `default`, there are the architectures that small EMNIST projects describe, for comparison.
Their names are in `config.ARCHITECTURES`.
"""

from collections.abc import Callable

import keras
from keras import layers

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.errors import UsageError, did_you_mean


def default(classes: int) -> keras.Model:
    """Six 3x3 convolutions of 32 to 160 channels in four stages, each with batch norm, and a dense layer of 256.

    Two convolutions a stage at 14 and 7 pixels, where most of what tells characters apart is seen, and one at 28,
    where it would cost most: 0.68 M weights and 29 MFLOP a picture.
    """
    stack = [*_convolution(32), layers.MaxPooling2D()]
    for channels in (48, 96):
        stack += [*_convolution(channels), *_convolution(channels), layers.MaxPooling2D()]
    stack += [*_convolution(160), layers.Flatten()]
    # Little dropout: on pictures that are drawn anew each epoch, more of it cost 0.7 points after two epochs.
    stack += [layers.Dense(256, use_bias=False), *_normalized(), layers.Dropout(0.25)]
    return _network("default", stack, classes)


def classic(classes: int) -> keras.Model:
    """Three 3x3 convolutions of 32, 64 and 128 channels, pooling after the first two, a dense layer of 256.

    The network that most small EMNIST projects describe: 404,446 weights and 6.8 MFLOP a picture at 62 classes.
    """
    stack = [*_convolution(32, "valid"), layers.MaxPooling2D()]
    stack += [*_convolution(64, "valid"), layers.MaxPooling2D()]
    stack += [*_convolution(128, "valid"), layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dropout(0.5)]
    return _network("classic", stack, classes)


def compact(classes: int) -> keras.Model:
    """Two convolutions, one pooling, two dense layers, two dropouts: 1.2 M weights, most of them in one layer."""
    stack = [
        layers.Conv2D(32, 3, activation="relu"),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
    ]
    return _network("compact", stack, classes)


def twolayer(classes: int) -> keras.Model:
    """Two convolutions, each with pooling, and dropout before the output."""
    stack = [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.5),
    ]
    return _network("twolayer", stack, classes)


def mnist(classes: int) -> keras.Model:
    """Four convolutions in two stages and a dense layer of 128, all with batch norm: learns digits in few epochs."""
    stack = [*_convolution(24), *_convolution(24), layers.MaxPooling2D()]
    stack += [*_convolution(48), *_convolution(48), layers.MaxPooling2D(), layers.Flatten()]
    stack += [layers.Dense(128, use_bias=False), *_normalized(), layers.Dropout(0.2)]
    return _network("mnist", stack, classes)


def lenet5(classes: int) -> keras.Model:
    """LeNet-5 as is usual today: tanh, average pooling, softmax (LeCun et al., Proc. IEEE 86(11), 1998, II-B)."""
    stack = [
        layers.Conv2D(6, 5, padding="same", activation="tanh"),
        layers.AveragePooling2D(2),
        layers.Conv2D(16, 5, activation="tanh"),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Dense(120, activation="tanh"),
        layers.Dense(84, activation="tanh"),
    ]
    return _network("lenet5", stack, classes)


def vgg5(classes: int) -> keras.Model:
    """VGG-5, the baseline of SpinalNet: 3.65 M weights, 91.05% on balanced (Kabir et al., arXiv 2007.03347)."""
    stack = []
    for channels in ((64, 64), (128, 128), (256, 256, 256), (256, 256, 256)):
        for width in channels:
            stack += _convolution(width, bias=True)
        stack.append(layers.MaxPooling2D())
    stack += [layers.Flatten(), layers.Dropout(0.5), layers.Dense(512), *_normalized(), layers.Dropout(0.5)]
    return _network("vgg5", stack, classes)


_BY_NAME: dict[str, Callable[[int], keras.Model]] = {
    f.__name__: f for f in (default, classic, compact, twolayer, mnist, lenet5, vgg5)
}


def build(arch: str, classes: int) -> keras.Model:
    """Return a new network with random weights.

    Raises:
        UsageError: no architecture has that name.
    """
    if arch not in _BY_NAME:
        raise UsageError(f"--arch: no architecture is called {arch!r}; {did_you_mean(arch, _BY_NAME)}")
    return _BY_NAME[arch](classes)


def rebuild_head(network: keras.Model, classes: int) -> keras.Model:
    """Return a network that shares every layer of `network` but the last, which is new."""
    return keras.Model(network.inputs, _output(classes)(network.layers[-1].input), name=network.name)


def _convolution(channels: int, padding: str = "same", bias: bool = False) -> list[keras.Layer]:
    return [layers.Conv2D(channels, 3, padding=padding, use_bias=bias), *_normalized()]


def _normalized() -> list[keras.Layer]:
    # Keras' default momentum of 0.99 averages over more steps than a short run has.
    return [layers.BatchNormalization(momentum=0.9), layers.ReLU()]


def _output(classes: int) -> keras.Layer:
    # Probabilities are float32 in mixed precision too: the loss needs the digits.
    return layers.Dense(classes, activation="softmax", dtype="float32")


def _network(name: str, stack: list[keras.Layer], classes: int) -> keras.Model:
    return keras.Sequential([keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1)), *stack, _output(classes)], name=name)
