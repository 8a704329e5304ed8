"""Train networks with TensorFlow and Keras, for `emnist train`.

Inference never imports it.
"""
