"""`python -m emnist_cli` and the `emnist` command: one entry point, which answers --version at once."""

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] == ["--version"]:
        # Spares the import of typer: scripts ask this often.
        from emnist_cli import __version__

        print(f"emnist {__version__}")
        return
    from emnist_cli.app import app

    app(prog_name="emnist")


if __name__ == "__main__":
    main()
