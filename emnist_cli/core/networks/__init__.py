"""The CNN definitions and the augmentation of training images; training and model export use it."""
