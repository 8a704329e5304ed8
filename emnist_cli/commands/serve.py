"""`emnist serve`: serve a drawing page and a JSON API."""

from typing import Annotated

import typer

from emnist_cli.cli.options import Model, Quiet, Trust, Workers
from emnist_cli.core.bundle import DEFAULT_MODEL
from emnist_cli.core.config import ServeConfig
from emnist_cli.output.formats import notify


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for every one of this machine.", metavar="ADDRESS")
    ] = ServeConfig.host,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0 for any that is free.", metavar="N")
    ] = ServeConfig.port,
    model: Model = DEFAULT_MODEL,
    trust: Trust = False,
    workers: Workers = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    max_megabytes: Annotated[
        int, typer.Option(min=1, max=1000, metavar="N", help="Larger requests are refused.")
    ] = ServeConfig.max_megabytes,
    max_files: Annotated[
        int, typer.Option(min=1, max=1000, metavar="N", help="Pictures that a request may bring.")
    ] = ServeConfig.max_files,
    max_requests: Annotated[
        int, typer.Option(min=1, max=10_000, metavar="N", help="Answered at a time; more are told to come again.")
    ] = ServeConfig.max_requests,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="That a request may take to arrive or to be answered.")
    ] = ServeConfig.timeout,
    quiet: Quiet = False,
) -> None:
    """Serve a page to draw on, and a JSON API.

    Pictures are read and forgotten: none is stored or logged. Ctrl-C
    ends it. Needs the extra 'serve' to be installed.
    """
    from emnist_cli.core.platform.cpu import available_cores
    from emnist_cli.web.server import serve as run

    def ready(address: str) -> None:
        if not quiet:
            notify(f"serving at {address} (Ctrl-C stops it)")
        if open_page:
            import webbrowser

            webbrowser.open(address)

    config = ServeConfig(
        host=host,
        port=port,
        max_megabytes=max_megabytes,
        max_files=max_files,
        max_requests=max_requests,
        timeout=timeout,
        picture_timeout=timeout / 2,
    )
    run(model, available_cores() if workers is None else workers, config, ready, trust)
