"""A Typer group that suggests the command that was probably meant; `app`, `emnist data` and `emnist models` use it."""

import shlex
from pathlib import Path
from typing import Any

from typer.core import TyperGroup

from emnist_cli.core.errors import UsageError, did_you_mean

_CALLED_ELSEWHERE = {
    **dict.fromkeys(("recognize", "recognise", "classify", "identify", "infer", "guess"), "predict"),
    **dict.fromkeys(("ocr", "transcribe", "page"), "read"),
    **dict.fromkeys(("test", "score", "eval"), "evaluate"),
    **dict.fromkeys(("web", "gui", "ui", "draw", "app"), "serve"),
    **dict.fromkeys(("speed", "time"), "benchmark"),
    **dict.fromkeys(("convert", "save"), "export"),
    **dict.fromkeys(("check", "diagnose", "info"), "doctor"),
    "version": "--version",
    "download": "data download",
    "classes": "labels",
    "fit": "train",
}
"""Names that other programs give to such a command, and its name here."""


class CommandGroup(TyperGroup):
    """A group of commands that answers an unknown name with a suggestion."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is named; `help NAME` is `NAME --help`.

        Raises:
            UsageError: there is none; the text says which was probably meant.
        """
        if args[0] == "help":
            if not args[1:]:
                print(ctx.get_help())
                ctx.exit()
            args = [*args[1:], "--help"]
        if args[0] not in self.commands and not ctx.resilient_parsing:
            raise UsageError(f"{_advise(args[0], args, list(self.commands))} See: {ctx.command_path} --help")
        return super().resolve_command(ctx, args)


def _advise(name: str, args: list[str], known: list[str]) -> str:
    if "predict" in known and Path(name).exists():
        return f"a command must come first; did you mean: emnist predict {shlex.join(args)}?"
    elsewhere = _CALLED_ELSEWHERE.get(name.lower(), "")
    there = elsewhere.split(" ")[0] in (*known, "--version")
    advice = f"did you mean {elsewhere}?" if there else did_you_mean(name, known)
    return f"no command is called {name!r}; {advice}{'' if advice.endswith('?') else '.'}"
