"""Inference: numpy, Pillow and LiteRT only; never imports TensorFlow or the training half."""
