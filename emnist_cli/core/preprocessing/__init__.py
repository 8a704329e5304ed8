"""From a grayscale array to ink and to 28x28 pixels in EMNIST's form; the recognizer uses it."""
