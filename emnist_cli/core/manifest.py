"""The description of a model in `manifest.json`, beside its network; `bundle` and `exported_models` use it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from emnist_cli.core.config import IMAGE_SIZE

GRAPH = "model.tflite"
FORMAT = 1
"""Version of the manifest's own layout."""

PREPROCESSING = 1
"""Version of `core/preprocessing/normalize.py` that models are trained for; changes when its pictures do."""


@dataclass(frozen=True)
class Metric:
    """A figure and what it was measured on."""

    name: str
    value: float
    on: str
    count: int


@dataclass(frozen=True)
class Manifest:
    """What a model is, was trained on and scored.

    Attributes:
        name: how `--model` finds it.
        description: one line.
        split: the EMNIST split whose classes it has, or "custom".
        classes: in order of the network's outputs, the characters each stands for, the one shown first.
        temperature: the network's logits are divided by it; 1 leaves probabilities as they are.
        training: the training configuration.
        data: what it was trained on, a mapping for each source.
        metrics: the first is the one that lists show.
        versions: of the libraries that made it.
        files: name -> {"sha256", "bytes"} of every file beside the manifest.
        input_shape: of one picture.
        preprocessing: the version of the preprocessing it expects.
    """

    name: str
    description: str
    split: str
    classes: tuple[str, ...]
    temperature: float = 1.0
    training: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[Mapping[str, Any], ...] = ()
    metrics: tuple[Metric, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    input_shape: tuple[int, ...] = (IMAGE_SIZE, IMAGE_SIZE, 1)
    preprocessing: int = PREPROCESSING

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Manifest":
        """Build a manifest from parsed JSON.

        Raises:
            KeyError, TypeError, ValueError: a field is missing or not what it should be.
        """
        fields = dict(data)
        if fields.pop("format") != FORMAT:
            raise ValueError(f"'format' is {data['format']!r}, this emnist-cli reads {FORMAT}")
        fields["classes"] = tuple(str(c) for c in fields["classes"])
        fields["input_shape"] = tuple(fields["input_shape"])
        fields["data"] = tuple(fields["data"])
        fields["metrics"] = tuple(Metric(**m) for m in fields["metrics"])
        manifest = cls(**fields)
        manifest._check()
        return manifest

    def _check(self) -> None:
        """Raise ValueError, or TypeError or KeyError, where the fields contradict what they stand for."""
        if not self.classes or not all(self.classes):
            raise ValueError("'classes' must name at least one character each")
        if self.preprocessing != PREPROCESSING:
            raise ValueError(f"'preprocessing' is {self.preprocessing!r}, this emnist-cli has {PREPROCESSING}")
        if self.input_shape != (IMAGE_SIZE, IMAGE_SIZE, 1):
            raise ValueError(f"'input_shape' is {self.input_shape}, this emnist-cli makes pictures of 28x28")
        if not 0.01 <= self.temperature <= 100:
            raise ValueError(f"'temperature' is {self.temperature!r}, not within 0.01..100")
        if GRAPH not in self.files:
            raise ValueError(f"'files' must list {GRAPH}")
        for name, file in self.files.items():
            if Path(name).name != name or not isinstance(file["bytes"], int) or not isinstance(file["sha256"], str):
                raise ValueError(f"'files' has a bad entry for {name!r}")
        for metric in self.metrics:
            if not isinstance(metric.value, int | float):
                raise ValueError(f"'metrics' has {metric.value!r} for {metric.name!r}")

    def as_dict(self) -> dict[str, Any]:
        """Return the manifest as it is written to JSON."""
        return {"format": FORMAT, **asdict(self)}
