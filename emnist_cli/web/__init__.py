"""The drawing page and the JSON API: `emnist serve`, and `emnist export --to web`."""
