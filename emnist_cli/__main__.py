"""The entry point of `python -m emnist_cli` and of the `emnist` command, built to start and exit fast."""

import atexit
import gc
import os
import signal
import sys


def main() -> None:
    """Run the command line and end the process."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started us (>&-)
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115
    for name in ("SIGTERM", "SIGHUP"):  # so that nothing half-written stays; nohup has the latter ignored
        if (number := getattr(signal, name, None)) and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, frame: sys.exit(128 + number))
    try:
        _run()
    except SystemExit as ending:
        _leave(ending.code if isinstance(ending.code, int) else 0)
    except KeyboardInterrupt:  # before the app could catch it
        _leave(130)
    except OSError:  # help or version that nobody reads, or on a full disk
        _leave(1)
    _leave(0)


def _run() -> None:
    if sys.argv[1:] == ["--version"]:
        # Spares the import of typer: scripts ask this often.
        from emnist_cli import __version__

        print(f"emnist {__version__}", flush=True)
        return
    gc.set_threshold(100_000)  # the imports make 60,000 objects and no garbage
    from emnist_cli.app import app

    app(prog_name="emnist")


def _leave(code: int) -> None:
    """End the process without taking its modules apart, which would cost a sixth of a short run's time."""
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # a reader that has gone, a full disk: what could be said has been
        code = code or 1
    os._exit(code)


if __name__ == "__main__":
    main()
