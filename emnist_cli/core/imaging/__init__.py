"""From a file, bytes or an array to a grayscale array; the recognizer and the page reader use it."""
