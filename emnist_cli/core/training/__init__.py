"""Training: the only part that imports TensorFlow and Keras. Inference never imports it."""
