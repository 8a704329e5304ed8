"""EMNIST itself: getting it, preparing it with tensorflow-datasets, reading it. Only `builder` needs TensorFlow."""
