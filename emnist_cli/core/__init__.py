"""The shared core that the commands, the server and the Python API use; it imports neither typer nor rich."""
