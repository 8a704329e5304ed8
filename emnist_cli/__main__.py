"""`python -m emnist_cli` and the `emnist` command: one entry point, quick to start and quick to leave."""

import atexit
import gc
import os
import sys


def main() -> None:
    """Run the command line."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started us (>&-)
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115
    if sys.argv[1:] == ["--version"]:
        # Spares the import of typer: scripts ask this often.
        from emnist_cli import __version__

        print(f"emnist {__version__}")
        return
    gc.set_threshold(100_000)  # the imports make 60,000 objects and no garbage
    from emnist_cli.app import app

    try:
        app(prog_name="emnist")
    except SystemExit as ending:
        _leave(ending.code if isinstance(ending.code, int) else 0)


def _leave(code: int) -> None:
    """End the process without taking its modules apart, which would cost a third of a short run's time."""
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # a reader that has gone, a full disk: what could be said has been
        code = code or 1
    os._exit(code)


if __name__ == "__main__":
    main()
