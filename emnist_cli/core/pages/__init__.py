"""From a page to its lines, words and characters; `emnist read` uses it."""
