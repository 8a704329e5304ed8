"""Distribute training over devices and machines with tf.distribute; `training.job` uses it."""

import json
import os
from typing import NamedTuple

import tensorflow as tf

from emnist_cli.core.errors import UsageError

STRATEGIES = ("one", "mirrored", "multiworker")


class DistributionStrategy(NamedTuple):
    """A way to spread training.

    Attributes:
        strategy: of tf.distribute.
        chief: whether this process writes checkpoints and the bundle.
    """

    strategy: tf.distribute.Strategy
    chief: bool


def make_strategy(name: str, batch_size: int) -> DistributionStrategy:
    """Set up the devices.

    Args:
        name: "one" device (a GPU where there is one), "mirrored" over all GPUs of this machine, or "multiworker"
            over the machines that the environment variable TF_CONFIG lists.
        batch_size: pictures a step over all devices.

    Raises:
        UsageError: there is no such strategy, TF_CONFIG is missing or malformed, or the batch cannot be shared out.
    """
    if name not in STRATEGIES:
        raise UsageError(f"--strategy: expected one of {', '.join(STRATEGIES)}. Received: {name!r}")
    if name == "one":
        return DistributionStrategy(tf.distribute.get_strategy(), True)
    spread = _multiworker() if name == "multiworker" else DistributionStrategy(tf.distribute.MirroredStrategy(), True)
    devices = spread.strategy.num_replicas_in_sync
    if batch_size % devices:
        raise UsageError(f"--batch-size: expected a multiple of the {devices} devices. Received: {batch_size}")
    return spread


def _multiworker() -> DistributionStrategy:
    example = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text)
        workers, index = config["cluster"]["worker"], int(config["task"]["index"])
        if config["task"]["type"] != "worker" or not 0 <= index < len(workers):
            raise ValueError("task")
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"--strategy multiworker: expected TF_CONFIG such as {example}. Received: {text!r}") from None
    return DistributionStrategy(tf.distribute.MultiWorkerMirroredStrategy(), index == 0)
