"""Read Keras models of other projects, including old ones, without running their code; `importer` uses it."""

import json
import shutil
import tempfile
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import h5py  # type: ignore[import-untyped]
import keras
import tensorflow as tf

from emnist_cli.core.errors import ModelError
from emnist_cli.core.exported_models import SAVED_MODEL, read_member
from emnist_cli.core.model_import import legacy_keras
from emnist_cli.core.model_import.import_spec import HDF5, ImportSpec
from emnist_cli.core.platform.stderr import silent_stderr
from emnist_cli.core.runtimes.channels_last import is_channels_first, to_channels_last

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_AS_SAVED_MODEL = (
    "in the project that made it, write a SavedModel, model.export('folder') or in Keras 2 model.save('folder'), and "
    "import the folder with --trust: it has the operations and not the code"
)


class ForeignModel(NamedTuple):
    """A network of another project.

    Attributes:
        call: classifies a batch, of symbolic tensors too.
        input_shape: of one input, without the batch.
        is_keras: its layers are known, so that it can be saved for Keras again.
        version: of the Keras that wrote it, or "".
        changed: what had to be put otherwise for Keras to read it.
        needs_xla: only XLA can run it on every processor.
    """

    call: Callable[[Any], Any]
    input_shape: tuple[int | None, ...]
    is_keras: bool
    version: str
    changed: list[str]
    needs_xla: bool = False


def read_foreign_model(plan: ImportSpec) -> ForeignModel:
    """Read a network.

    Raises:
        ModelError: there is none, it is damaged, needs code of the project's, or takes or gives several things.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # how to write it today is not for the user
        if plan.kind == SAVED_MODEL:
            return _read_saved_model(plan.path)
        with tempfile.TemporaryDirectory() as scratch:
            return _read_keras(plan, Path(scratch))


def _read_keras(plan: ImportSpec, scratch: Path) -> ForeignModel:
    """Load a copy of the file whose description has been put as Keras 3 wants it; the weights are as they were."""
    copy = scratch / ("model.h5" if plan.kind == HDF5 else "model.keras")
    try:
        version, changed = (_copy_hdf5 if plan.kind == HDF5 else _copy_archive)(plan.path, copy)
        with silent_stderr():
            network = keras.models.load_model(copy, compile=False, safe_mode=True)
    except ModelError:
        raise
    except Exception as error:  # of HDF5, zip archives, JSON and every layer
        advice = f"; {_AS_SAVED_MODEL.split(':')[0]}" if plan.kind != SAVED_MODEL else ""
        raise ModelError(f"{plan.path}: Keras {keras.__version__} cannot read it ({_reason(error)}){advice}") from None
    if not isinstance(network, keras.Model) or len(network.inputs or ()) != 1 or len(network.outputs) != 1:
        counts = [len(getattr(network, name, None) or ()) for name in ("inputs", "outputs")]
        raise ModelError(f"{plan.path}: expected one input and one output. Received: {counts[0]} and {counts[1]}")
    network = to_channels_last(network)
    return ForeignModel(
        lambda pictures: network(pictures, training=False), tuple(network.inputs[0].shape[1:]), True, version, changed
    )


def _copy_hdf5(path: Path, copy: Path) -> tuple[str, list[str]]:
    shutil.copyfile(path, copy)
    with h5py.File(copy, "r+") as file:
        text, version = file.attrs.get("model_config"), _text(file.attrs.get("keras_version", ""))
        if text is None:
            weights = {"layer_names", "_layer_checkpoint_dependencies", "layers"} & {*file, *file.attrs}
            advice = (
                "has weights alone, as save_weights() writes them, without the layers; load them in the project that "
                "made them and write all with model.save('whole.h5')"
            )
            raise ModelError(f"{path}: {advice if weights else 'an HDF5 file, but of no Keras model'}")
        config = json.loads(_text(text))
        if version.startswith("1."):
            raise ModelError(f"{path}: Keras {version} wrote it; load it in Keras 2 and write it again: model.save()")
        changed = _check_and_repair(path, config)
        file.attrs["model_config"] = json.dumps(config)
    return version, changed


def _copy_archive(path: Path, copy: Path) -> tuple[str, list[str]]:
    with ZipFile(path) as archive, ZipFile(copy, "w") as new:
        config = json.loads(read_member(archive, _CONFIG))
        version = ""
        if _METADATA in archive.namelist():
            version = str(json.loads(read_member(archive, _METADATA)).get("keras_version", ""))
        changed = _check_and_repair(path, config)
        for name in archive.namelist():
            content = json.dumps(config).encode() if name == _CONFIG else archive.read(name)
            if name == _WEIGHTS and version.startswith("2."):
                content, renamed = _rename_weights(content)
                changed += ["names of weights"] * renamed
            new.writestr(name, content)
    return version, changed


def _rename_weights(content: bytes) -> tuple[bytes, bool]:
    with BytesIO(content) as copy:
        with h5py.File(copy, "r+") as file:
            renamed = legacy_keras.rename_weights(file)
        return copy.getvalue(), renamed


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _check_and_repair(path: Path, config: dict[str, Any]) -> list[str]:
    if code := legacy_keras.find_code(config):
        raise ModelError(f"{path}: {code}; {_AS_SAVED_MODEL}")
    return legacy_keras.repair(config)


def _reason(error: Exception) -> str:
    """Return the innermost reason of Keras' long messages."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text.split("Exception encountered: ")[-1][:200]


def _read_saved_model(path: Path) -> ForeignModel:
    try:
        with silent_stderr():
            saved = tf.saved_model.load(str(path))
        names = [name for name in ("serving_default", "serve") if name in saved.signatures]
        signature: Any = saved.signatures[names[0]] if names else None
        inputs = list(signature.structured_input_signature[1].values()) if signature else []
        outputs = signature.structured_outputs if signature else {}
        needs_xla = bool(signature) and is_channels_first(signature.graph)
    except Exception as error:
        raise ModelError(f"{path}: TensorFlow cannot read it ({_reason(error)})") from None
    if len(inputs) != 1 or len(outputs) != 1 or inputs[0].shape.rank is None:
        raise ModelError(f"{path}: expected one input and one output. Received: {len(inputs)} and {len(outputs)}")
    layer = keras.layers.TFSMLayer(str(path), call_endpoint=names[0])
    return ForeignModel(
        lambda pictures: next(iter(layer(pictures).values())),
        tuple(inputs[0].shape.as_list()[1:]),
        is_keras=False,
        version="",
        changed=[],
        needs_xla=needs_xla,
    )
