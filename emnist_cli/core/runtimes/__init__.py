"""LiteRT, ONNX and Keras runtimes: arrays in, arrays out; the classifier uses them."""
