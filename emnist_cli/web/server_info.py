"""The description of the model that the API (`api`) and the exported page (`site`) give."""

from typing import Any

from emnist_cli.core.bundle import Bundle, summarize_bundle


def describe(model: Bundle, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return what there is to know of a model, its card included.

    Args:
        model: as found on disk.
        labels: its answers, in class order.
    """
    manifest = model.manifest
    about: dict[str, Any] = {"name": model.name, "default": True, "classes": len(labels), "labels": "".join(labels)}
    if manifest is None:
        return about | {"split": "", "bytes": model.graph.stat().st_size, "accuracy": None, "measured_on": ""}
    card = {
        "about": manifest.description,
        "trained_on": [str(source.get("source", "")) for source in manifest.data],
        "metrics": [{"name": m.name, "value": m.value, "on": m.on, "count": m.count} for m in manifest.metrics],
    }
    return about | summarize_bundle(manifest) | {"preprocessing": manifest.preprocessing, "card": card}
