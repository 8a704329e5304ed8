"""Import TensorFlow without its messages on stderr; every module that uses TensorFlow calls this first."""

import os

from emnist_cli.core.platform.interrupts import interrupts_held
from emnist_cli.core.platform.stderr import silent_stderr


def load_tensorflow(threads: int = 0) -> None:
    """Import TensorFlow and look for devices; several seconds the first time.

    Args:
        threads: that one operation may use; 0 for every core. Has an effect the first time only.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # 3 leaves fatal errors
    # Left off by TensorFlow on processors without AVX-512 or AVX-VNNI, where it pays as well.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's own projects want
    with interrupts_held(), silent_stderr():  # as it is imported, an interrupt can be lost
        import tensorflow as tf

        if threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(max(threads, 2))
        tf.config.list_physical_devices()
        tf.get_logger().setLevel("ERROR")  # how to call it faster is not for the user
