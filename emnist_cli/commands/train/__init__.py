"""`emnist train`: train a network on EMNIST or on one's own pictures."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from emnist_cli.commands.options import Archive, DataDir, FormatOption, Output, Quiet
from emnist_cli.commands.train.pictures import find_pictures
from emnist_cli.commands.train.rows import EpochRows
from emnist_cli.core.config import ARCHITECTURES, TrainConfig
from emnist_cli.core.errors import ExitCode, MissingError, UsageError, did_you_mean
from emnist_cli.output import Format, choose_format, open_output, tell

if TYPE_CHECKING:
    from emnist_cli.core.records import Epoch
    from emnist_cli.core.training.place import Place
    from emnist_cli.core.training.run import Outcome, Plan


_WHAT, _HOW, _WHERE, _MACHINE = "What to train on", "How to train", "Where the model goes", "The machine"
"""Headings of --help."""


def train(
    split: Annotated[
        str | None,
        typer.Option("--split", "-s", metavar="SPLIT", help="EMNIST split to train on.", rich_help_panel=_WHAT),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Train on your own pictures instead.", rich_help_panel=_WHAT)
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="csv with the columns file and label; else DIR/labels.csv or sub-folders.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="MODEL", help="Start from this bundle's network, not from nothing.", rich_help_panel=_WHAT
        ),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help=f"One of {', '.join(ARCHITECTURES)}; see docs/training.md.", rich_help_panel=_HOW
        ),
    ] = None,
    epochs: Annotated[
        int, typer.Option(min=1, metavar="N", help="Passes over the pictures.", rich_help_panel=_HOW)
    ] = TrainConfig.epochs,
    batch_size: Annotated[
        int, typer.Option(min=1, metavar="N", help="Pictures a step, over all devices.", rich_help_panel=_HOW)
    ] = TrainConfig.batch_size,
    learning_rate: Annotated[
        float,
        typer.Option(min=1e-7, max=1, metavar="R", help="Adam's, falling to 0 along a cosine.", rich_help_panel=_HOW),
    ] = TrainConfig.learning_rate,
    augment: Annotated[
        bool,
        typer.Option("--augment/--no-augment", help="Vary every picture anew in each epoch.", rich_help_panel=_HOW),
    ] = TrainConfig.augment,
    validation: Annotated[
        float,
        typer.Option(
            min=0,
            max=0.9,
            metavar="P",
            help="Part of the pictures held out to choose the best epoch.",
            rich_help_panel=_WHAT,
        ),
    ] = TrainConfig.validation,
    patience: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="Stop after N epochs without a better one; 0 never.", rich_help_panel=_HOW
        ),
    ] = TrainConfig.patience,
    limit: Annotated[
        int, typer.Option(min=0, metavar="N", help="Use N pictures, drawn at random; 0 for all.", rich_help_panel=_WHAT)
    ] = TrainConfig.limit,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, metavar="N", help="Of everything random.", rich_help_panel=_HOW)
    ] = TrainConfig.seed,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Bundle folder to write; else NAME in your models folder.", rich_help_panel=_WHERE
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What --model calls it; else SPLIT-ARCH.", rich_help_panel=_WHERE)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted run.", rich_help_panel=_WHERE)
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace a model, or start an interrupted run anew.", rich_help_panel=_WHERE),
    ] = False,
    threads: Annotated[
        int, typer.Option(min=0, metavar="N", help="CPU threads; 0 for one a core.", rich_help_panel=_MACHINE)
    ] = 0,
    mixed_precision: Annotated[
        bool,
        typer.Option(
            "--mixed-precision", help="Compute in 16 bits, where the machine is faster at it.", rich_help_panel=_MACHINE
        ),
    ] = TrainConfig.mixed_precision,
    strategy: Annotated[
        str,
        typer.Option(
            metavar="one|mirrored|multiworker",
            help="One device, all GPUs, or the machines of TF_CONFIG.",
            rich_help_panel=_MACHINE,
        ),
    ] = "one",
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write logs for TensorBoard there.", rich_help_panel=_WHERE)
    ] = None,
    data_dir: DataDir = None,
    archive: Archive = None,
    form: FormatOption = None,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Train a network and leave a model that the other commands use.

    A split of EMNIST is downloaded the first time. Some pictures are held
    out of training to choose the best epoch by; the test half is scored
    once, at the end. Ctrl-C keeps the best epoch so far. Results are one
    record an epoch.
    """
    config = TrainConfig(
        arch or TrainConfig.arch,
        epochs,
        batch_size,
        learning_rate,
        augment,
        seed,
        validation,
        patience,
        limit,
        mixed_precision,
    )
    chosen = choose_format(form, output)
    _check(split, folder, labels, archive, config, arch if base else None, base is not None, tensorboard)
    from emnist_cli.core import bundle
    from emnist_cli.core.data.startup import load_tensorflow
    from emnist_cli.core.training import place

    found = bundle.find(base) if base else None
    if found:
        place.check_base(found)
        config = replace(
            config, arch=str(found.manifest.training.get("arch", "custom") if found.manifest else "custom")
        )
    where = place.choose(out, name, split or (folder or Path()).resolve().name, config.arch)
    place.check(where, resume, overwrite)
    load_tensorflow(threads)
    from emnist_cli.core.training import run

    task = find_pictures(split, folder, labels, found, data_dir, archive, quiet)
    plan = run.Plan(task, config, where, found, threads or None)
    with open_output(output) as stream:
        outcome = _train(plan, resume, strategy, tensorboard, chosen, stream, quiet)
    if outcome.interrupted:
        _end_interrupted(outcome)


def _check(
    split: str | None,
    folder: Path | None,
    labels: Path | None,
    archive: Path | None,
    config: TrainConfig,
    arch_of_base: str | None,
    goes_on: bool,
    tensorboard: Path | None,
) -> None:
    """Refuse options that contradict each other, before anything slow is begun."""
    from importlib.util import find_spec

    from emnist_cli.core.labels import find_split

    arch = config.arch
    if arch not in ARCHITECTURES:
        raise UsageError(f"--arch: no architecture is called {arch!r}; {did_you_mean(arch, ARCHITECTURES)}")
    if (split is None) == (folder is None):
        raise UsageError("say what to train on: --split (such as --split balanced) or --folder DIR, one of the two")
    if split is not None:
        find_split(split)
    if arch_of_base:
        raise UsageError("--arch makes a new network and --from goes on with one; say one of the two")
    if goes_on and config.mixed_precision:
        raise UsageError("--mixed-precision goes with new networks; one that --from names keeps its own precision")
    if tensorboard is not None:
        if find_spec("tensorboard") is None:
            raise MissingError("tensorboard is not installed; run: pip install tensorboard")
        if tensorboard.exists() and not tensorboard.is_dir():
            raise UsageError(f"--tensorboard: expected a folder. Received: {tensorboard}, a file")
    for option, value in (("--labels", labels if split else None), ("--archive", archive if folder else None)):
        if value is not None:
            raise UsageError(f"{option} goes with {'--folder' if split else '--split'} only")


def _train(
    plan: "Plan",
    resume: bool,
    strategy: str,
    tensorboard: Path | None,
    form: Format | None,
    stream: TextIO,
    quiet: bool,
) -> "Outcome":
    """Train, showing it on stderr, and write the results."""
    from emnist_cli.console.training import TrainingDisplay
    from emnist_cli.core.training import run

    rows = EpochRows(form, stream)
    with TrainingDisplay(plan.config.epochs, quiet) as display:

        def on_epoch(epoch: "Epoch") -> None:
            rows.write(epoch)
            display.epoch(epoch)

        watch = run.Watch(display.step, on_epoch, display.stage)
        outcome = run.train(plan, resume=resume, strategy=strategy, tensorboard=tensorboard, watch=watch)
    _tell_model(outcome, plan.place, quiet)  # now: what follows fails where nobody reads stdout any more
    rows.finish(outcome.history)
    if form is Format.TABLE:
        _print_metrics(outcome, stream)
    return outcome


def _print_metrics(outcome: "Outcome", stream: TextIO) -> None:
    from emnist_cli.console.tables import print_table

    if outcome.manifest is None:
        return
    rows = [{"name": m.name, "value": f"{m.value:.4f}", "count": m.count, "on": m.on} for m in outcome.manifest.metrics]
    columns = {"name": "measured", "value": "value", "count": "pictures", "on": "on"}
    print_table(rows, columns, stream, outcome.manifest.description, ("value", "count"), ("on",))


def _tell_model(outcome: "Outcome", place: "Place", quiet: bool) -> None:
    from emnist_cli.core import bundle

    if outcome.manifest is not None and not quiet:
        known = place.folder.parent == bundle.user_folder()
        model = shlex.quote(place.name if known else str(place.folder))
        tell(f"model written to {place.folder}; use it: emnist predict --model {model} PATH")


def _end_interrupted(outcome: "Outcome") -> None:
    best = max(e.epoch for e in outcome.history if e.best)
    tell(f"interrupted after epoch {len(outcome.history)}; epoch {best}, the best, is kept; go on with --resume")
    raise typer.Exit(ExitCode.INTERRUPTED)
