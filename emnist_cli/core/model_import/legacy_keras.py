"""Update the network description of old Keras files to what Keras 3 accepts; `foreign_model` uses it.

Keras 3 reads few of the .keras files that Keras 2.12 to 2.15 wrote, and fails on some layers in .h5 files. No change
made here alters what a network computes. A setting that the computation needs is left in place, so that Keras refuses
it.
"""

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import keras

Config = dict[str, Any]
"""Of a layer or network: its "class_name", its own "config", and in .keras files the "module" it comes from."""

_MODELS = {"Sequential": "keras", "Functional": "keras.src.models.functional", "Model": "keras"}
_CODE = ("Lambda", "TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
_FOR_TRAINING = ("trainable", "_initializer", "_regularizer", "_constraint")
_WRAPPED = ("layer", "forward_layer", "backward_layer")


_LAYERS, _LAYERS_OF_2_13 = "layers", "_layer_checkpoint_dependencies"
"""Of the groups of weights in a .keras file, the one with a group for each layer."""


def layers_of(network: Config) -> Iterator[Config]:
    """Yield a network and every layer in it, within other networks and wrappers too, the outer ones first."""
    yield network
    config = network.get("config")
    if isinstance(config, list):  # Sequential before Keras 2.2.3
        inner = config
    elif isinstance(config, dict):
        inner = [*config.get("layers", ()), *(config[name] for name in _WRAPPED if config.get(name))]
    else:
        inner = []
    for layer in inner:
        if isinstance(layer, dict) and "class_name" in layer:
            yield from layers_of(layer)


def find_code(network: Config) -> str | None:
    """Return the first layer that Keras could not make without Python code of the project, in words, or None."""
    for layer in layers_of(network):
        kind, config = str(layer["class_name"]), layer.get("config") or {}
        name = f"layer {config.get('name', '')!r}" if isinstance(config, dict) else "layer"
        if kind == "Lambda":
            return f"its {name} is Python code (Lambda), which is never run from a file"
        if kind == "TFSMLayer":
            return f"its {name} is a SavedModel in another folder, whose graph can run code"
        if kind in _CODE:
            return f"its {name} is an operation of TensorFlow's ({kind}), which Keras no longer reads"
        if not str(layer.get("module") or "keras").startswith("keras") or not _is_known(layer):
            return f"its {name} is of a class of its own, {kind}, whose code the file does not have"
    return None


def repair(network: Config) -> list[str]:
    """Put a network's description as Keras 3 wants it, in place.

    Returns:
        What was changed, in the file's words, sorted.
    """
    changed: set[str] = set()
    for layer in layers_of(network):
        kind = layer["class_name"]
        if isinstance(layer["config"], list):
            layer["config"] = {"name": "sequential", "layers": layer["config"]}
            changed.add("a Sequential without a name")
        if kind in _MODELS:
            if layer.get("module") not in (None, _MODELS[kind]):
                layer["module"] = _MODELS[kind]
                changed.add("the place of classes")
            _shift_nodes(layer["config"])
            _unlist_ends(layer["config"])
            if kind == "Sequential":
                _name_input(layer["config"]["layers"])
        changed |= _repair_layer(layer)
    return sorted(changed)


def rename_weights(file: Any) -> bool:
    """Call the groups of weights in a .keras file's HDF5 file as Keras 3 looks for them, in place.

    Windows had a backslash between the names of groups within groups. Keras 2.13 counted layers with weights twice, so
    that a second dense layer is called dense_2 and not dense_1.

    Returns:
        Whether any was called otherwise.
    """
    joined = sorted((name for name in file if "\\" in name), key=len)
    for name in joined:
        file.move(name, name.replace("\\", "/"))
    return _rename_layers(file) or bool(joined)


def _rename_layers(group: Any) -> bool:
    renamed = [_rename_layers(inner) for inner in group.values() if hasattr(inner, "keys")]
    if _LAYERS_OF_2_13 not in group or _LAYERS in group:
        return any(renamed)
    layers = group[_LAYERS_OF_2_13]
    counted = {name: re.fullmatch(r"(.+?)(?:_(\d+))?", name).groups() for name in layers}  # type: ignore[union-attr]
    seen: Counter[str] = Counter()
    for name in sorted(counted, key=lambda name: int(counted[name][1] or 0)):
        kind = counted[name][0]
        new = f"{kind}_{seen[kind]}" if seen[kind] else kind
        seen[kind] += 1
        if new != name:
            layers.move(name, new)
    group.move(_LAYERS_OF_2_13, _LAYERS)
    return True


def _repair_layer(layer: Config) -> set[str]:
    kind, config = layer["class_name"], layer["config"]
    changed = set()
    shape = config.pop("batch_input_shape", None)
    if shape is not None:
        changed.add("batch_input_shape")
        if kind == "InputLayer":
            config["batch_shape"] = shape
    if kind == "InputLayer" and config.get("batch_shape"):
        config["batch_shape"] = [None, *config["batch_shape"][1:]]  # any number of pictures
    axis = config.get("axis")
    if kind == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        config["axis"] = axis[0]
        changed.add("axis")
    if kind == "ThresholdedReLU":
        layer["class_name"] = kind = "ReLU"
        config["threshold"] = config.pop("theta")
        changed.add("ThresholdedReLU")
    if config.get("dtype", "float32") != "float32" and kind not in _MODELS:
        config["dtype"] = "float32"  # 16 bits were for training; what the wrapper gives is float32
        changed.add("dtype")
    if "unroll" in config:
        config["unroll"] = True  # LiteRT has no loops over a state
    for name in _unknown(kind, config):
        del config[name]
        changed.add(name)
    return changed


def _name_input(layers: list[Config]) -> None:
    """Say by a layer of its own what a Sequential takes, where its first layer says it beside all else."""
    shape = layers[0]["config"].get("batch_input_shape") if layers else None
    if shape is not None and layers[0]["class_name"] != "InputLayer":
        new = {"class_name": "InputLayer", "config": {"batch_shape": shape, "dtype": "float32", "name": "input"}}
        layers.insert(0, new | ({"module": "keras.layers"} if "module" in layers[0] else {}))


def _unlist_ends(config: Config) -> None:
    """Let a network take and give one tensor, not a list of one, which the layer after it would stumble over."""
    for name in ("input_layers", "output_layers"):
        ends = config.get(name)
        if isinstance(ends, list) and len(ends) == 1 and isinstance(ends[0], list):
            config[name] = ends[0]


def _shift_nodes(config: Config) -> None:
    """Count calls of a Sequential within a network from 0: Keras 2 counted how it was made as the first."""
    layers = config.get("layers", ())
    names = {layer.get("name") for layer in layers if layer["class_name"] == "Sequential"}
    calls = [
        call for layer in layers for node in layer.get("inbound_nodes", ()) if isinstance(node, list) for call in node
    ]
    calls += config.get("output_layers", ())
    for name in names:
        found = [call for call in calls if isinstance(call, list) and call and call[0] == name]
        least = min((call[1] for call in found), default=0)
        for call in found:
            call[1] -= least


def _unknown(kind: str, config: Config) -> list[str]:
    """Return the settings that the layer no longer has and that were off, or mattered in training only."""
    cls = _class(kind)
    if cls is None:
        return []
    known: set[str] = set()
    for base in cls.__mro__:  # as far as they hand settings on
        if "__init__" not in vars(base):
            continue
        parameters = inspect.signature(vars(base)["__init__"]).parameters
        known |= set(parameters)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            break
    off = {name for name, value in config.items() if value in (None, [], {}) or value is False or _is_one(value)}
    for_training = {name for name in config if name.endswith(_FOR_TRAINING)}
    return [name for name in config if name not in known and name in off | for_training]


def _is_one(value: object) -> bool:
    return value == 1 and not isinstance(value, bool)


def _is_known(layer: Config) -> bool:
    # Networks of Keras 3 have operations among their layers, which are where their module says.
    return (
        layer["class_name"] in _MODELS or _class(layer["class_name"]) is not None or ".ops" in str(layer.get("module"))
    )


def _class(kind: str) -> type | None:
    found = getattr(keras.layers, "ReLU" if kind == "ThresholdedReLU" else kind, None)
    return found if isinstance(found, type) else None
