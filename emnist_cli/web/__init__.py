"""The drawing page and the JSON API: `emnist serve`."""
