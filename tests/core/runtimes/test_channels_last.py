"""Networks with channels before rows run on processors where TensorFlow leaves oneDNN off, with the same answers."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own

import keras  # noqa: E402
from keras import layers  # noqa: E402

FIRST = {"data_format": "channels_first"}

RUN = """
import json, sys
from pathlib import Path
import numpy as np
from emnist_cli.core.runtimes.open_runtime import open_runtime
from emnist_cli.core.platform.tensorflow import load_tensorflow
load_tensorflow()
from emnist_cli.core.model_export.output_dir import OutputDir
from emnist_cli.core.model_import.import_spec import make_import_spec
from emnist_cli.core.model_import.importer import import_model
folder = Path(sys.argv[1])
pictures = np.load(folder / "pictures.npy")
for name in ("first.keras", "first"):
    np.save(folder / f"run-{name}.npy", open_runtime(folder / name).run(pictures))
    spec = make_import_spec(folder / name, split="digits", trust=True)
    import_model(spec, OutputDir(folder / f"imported-{name}", name))
    np.save(folder / f"import-{name}.npy", open_runtime(folder / f"imported-{name}" / "model.tflite").run(pictures))
"""


def make(**first: str) -> keras.Model:
    """Make a network of layers in either order of axes, some within a network of their own, one called twice."""
    axis = 1 if first else -1
    shared = layers.DepthwiseConv2D(3, padding="same", activation="relu", **first)
    inner = [layers.AveragePooling2D(2, **first), layers.BatchNormalization(axis=axis), layers.Dropout(0.3)]
    pictures = keras.Input((28, 28, 1))
    x = layers.Permute((3, 1, 2))(pictures) if first else pictures
    x = layers.Conv2D(4, 3, **first)(layers.ZeroPadding2D(1, **first)(x))
    x = layers.SeparableConv2D(4, 3, **first)(shared(shared(x)))
    x = keras.Sequential(inner)(x)
    x = layers.Add()([x, layers.GlobalAveragePooling2D(keepdims=True, **first)(x)])
    x = layers.MaxPooling2D(2, **first)(layers.UpSampling2D(2, **first)(x))
    x = layers.Concatenate()([layers.Flatten(**first)(x), layers.GlobalMaxPooling2D(**first)(x)])
    return keras.Model(pictures, layers.Dense(10, activation="softmax")(x))


@pytest.mark.slow
def test_without_onednn(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    last, first = make(), make(**FIRST)
    first.set_weights(last.get_weights())
    first.save(tmp_path / "first.keras")
    first.export(tmp_path / "first", format="tf_saved_model", verbose=False)
    pictures = np.random.default_rng(1).random((5, 28, 28), np.float32)
    np.save(tmp_path / "pictures.npy", pictures)
    expected = last.predict(pictures[..., None], verbose=0)
    done = subprocess.run(
        [sys.executable, "-c", RUN, tmp_path],
        env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for name in ("run-first.keras", "run-first", "import-first.keras", "import-first"):
        assert np.allclose(np.load(tmp_path / f"{name}.npy"), expected, atol=1e-5), name


@pytest.mark.parametrize(("value", "seen"), [(None, "1"), ("0", "0")])
def test_onednn_is_on_unless_the_user_says_otherwise(value: str | None, seen: str) -> None:
    env = {name: text for name, text in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    code = (
        "import os, sys, types; sys.modules['tensorflow'] = types.ModuleType('tensorflow')\n"
        "from emnist_cli.core.platform import tensorflow\n"
        "try: tensorflow.load_tensorflow()\n"
        "except AttributeError: print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    )
    env |= {} if value is None else {"TF_ENABLE_ONEDNN_OPTS": value}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == seen
