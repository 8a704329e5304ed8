"""The parts of scripts/train_starter.py: sources of pictures, training, figures."""
