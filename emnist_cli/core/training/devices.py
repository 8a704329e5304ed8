"""List the GPUs that TensorFlow can train on, for `emnist doctor`."""

from emnist_cli.core.platform.tensorflow import load_tensorflow


def list_gpus() -> list[str]:
    """Return the name of each GPU that TensorFlow can use."""
    load_tensorflow()
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    return [str(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)) for gpu in gpus]
