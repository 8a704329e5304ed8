"""The classifier, its label views and the recognizer; every command that predicts uses them."""
