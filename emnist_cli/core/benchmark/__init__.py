"""How fast models are on this machine. Used by `emnist benchmark`."""
