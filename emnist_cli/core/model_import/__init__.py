"""Models from other projects made into bundles; `emnist models import` uses it."""
