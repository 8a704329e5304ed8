"""The shared core: labels, models, inference, training. Knows nothing of typer or rich."""
