"""The drawing page and the JSON API, for `emnist serve`."""
