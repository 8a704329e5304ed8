"""Download, prepare and read EMNIST, for `emnist data`, training and evaluation.

It is prepared with tensorflow-datasets. Only `builder` needs TensorFlow.
"""
