"""`emnist train`: train a network on EMNIST or on one's own pictures."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from emnist_cli.commands.options import Archive, DataDir, FormatOption, Output, Quiet
from emnist_cli.core.config import ARCHITECTURES, TrainConfig
from emnist_cli.core.errors import ExitCode, UsageError, did_you_mean
from emnist_cli.output import Format, choose_format, open_output, tell, write

if TYPE_CHECKING:
    from emnist_cli.console.progress import Bars
    from emnist_cli.core.bundle import Bundle
    from emnist_cli.core.records import Epoch
    from emnist_cli.core.training.place import Place
    from emnist_cli.core.training.run import Outcome
    from emnist_cli.core.training.task import Task

COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds", "pictures_per_second", "learning_rate",
           "best")  # fmt: skip
PLAIN = ("epoch", "loss", "accuracy", "val_accuracy")


def train(
    split: Annotated[
        str | None, typer.Option("--split", "-s", metavar="SPLIT", help="EMNIST split to train on.")
    ] = None,
    folder: Annotated[Path | None, typer.Option(metavar="DIR", help="Train on your own pictures instead.")] = None,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="csv with the columns file and label; else DIR/labels.csv or sub-folders."),
    ] = None,
    base: Annotated[
        str | None, typer.Option("--from", metavar="MODEL", help="Start from this bundle's network, not from nothing.")
    ] = None,
    arch: Annotated[
        str,
        typer.Option(metavar="NAME", help=f"One of {', '.join(ARCHITECTURES)}; see docs/training.md."),
    ] = TrainConfig.arch,
    epochs: Annotated[int, typer.Option(min=1, metavar="N", help="Passes over the pictures.")] = TrainConfig.epochs,
    batch_size: Annotated[
        int, typer.Option(min=1, metavar="N", help="Pictures a step, over all devices.")
    ] = TrainConfig.batch_size,
    learning_rate: Annotated[
        float, typer.Option(min=1e-7, max=1, metavar="R", help="Adam's, falling to 0 along a cosine.")
    ] = TrainConfig.learning_rate,
    augment: Annotated[
        bool, typer.Option("--augment/--no-augment", help="Vary every picture anew in each epoch.")
    ] = TrainConfig.augment,
    validation: Annotated[
        float, typer.Option(min=0, max=0.9, metavar="P", help="Part of the pictures held out to choose the best epoch.")
    ] = TrainConfig.validation,
    patience: Annotated[
        int, typer.Option(min=0, metavar="N", help="Stop after N epochs without a better one; 0 never.")
    ] = TrainConfig.patience,
    limit: Annotated[
        int, typer.Option(min=0, metavar="N", help="Use N pictures, drawn at random; 0 for all.")
    ] = TrainConfig.limit,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of everything random.")] = TrainConfig.seed,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Bundle folder to write; else NAME in your models folder.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="What --model calls it; else SPLIT-ARCH.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a model, or start an interrupted run anew.")
    ] = False,
    threads: Annotated[int, typer.Option(min=0, metavar="N", help="CPU threads; 0 for one a core.")] = 0,
    mixed_precision: Annotated[
        bool, typer.Option("--mixed-precision", help="Compute in 16 bits, where the machine is faster at it.")
    ] = TrainConfig.mixed_precision,
    strategy: Annotated[
        str,
        typer.Option(metavar="one|mirrored|multiworker", help="One device, all GPUs, or the machines of TF_CONFIG."),
    ] = "one",
    tensorboard: Annotated[Path | None, typer.Option(metavar="DIR", help="Write logs for TensorBoard there.")] = None,
    data_dir: DataDir = None,
    archive: Archive = None,
    form: FormatOption = None,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Train a network and leave a model that the other commands use.

    A split of EMNIST is downloaded the first time. Some pictures are held out of training to choose the best epoch
    by; the test half is scored once, at the end. Ctrl-C keeps the best epoch so far. Results are one record an epoch.
    """
    config = TrainConfig(
        arch, epochs, batch_size, learning_rate, augment, seed, validation, patience, limit, mixed_precision
    )
    chosen = choose_format(form, output)
    _check(split, folder, labels, archive, arch)
    from emnist_cli.core import bundle
    from emnist_cli.core.data.startup import load_tensorflow
    from emnist_cli.core.training import place

    found = bundle.find(base) if base else None
    where = place.choose(out, name, split or (folder or Path()).resolve().name, arch)
    place.check(where, resume, overwrite)
    load_tensorflow(threads)
    task = _find_pictures(split, folder, labels, found, data_dir, archive, quiet)
    if found and found.manifest:
        config = replace(config, arch=str(found.manifest.training.get("arch", arch)))
    with open_output(output) as stream:
        outcome = _train(task, config, where, found, resume, strategy, tensorboard, chosen, stream, quiet)
    _tell_outcome(outcome, where, quiet)


def _check(split: str | None, folder: Path | None, labels: Path | None, archive: Path | None, arch: str) -> None:
    """Refuse options that contradict each other."""
    from emnist_cli.core.labels import find_split

    if arch not in ARCHITECTURES:
        raise UsageError(f"--arch: no architecture is called {arch!r}; {did_you_mean(arch, ARCHITECTURES)}")
    if (split is None) == (folder is None):
        raise UsageError("say what to train on: --split (such as --split balanced) or --folder DIR, one of the two")
    if split is not None:
        find_split(split)
    for option, value in (("--labels", labels if split else None), ("--archive", archive if folder else None)):
        if value is not None:
            raise UsageError(f"{option} goes with {'--folder' if split else '--split'} only")


def _find_pictures(
    split: str | None,
    folder: Path | None,
    labels: Path | None,
    base: "Bundle | None",
    data_dir: Path | None,
    archive: Path | None,
    quiet: bool,
) -> "Task":
    from emnist_cli.console.progress import Bars
    from emnist_cli.core.data import dataset
    from emnist_cli.core.training import task

    bars = Bars(quiet)
    if split is None:
        assert folder is not None
        return _read_folder(folder, labels, base, bars, quiet)
    place = dataset.data_folder(data_dir)
    with bars.count(f"preparing {split}") as prepare, bars.download("downloading EMNIST") as fetch:
        dataset.provide(split, place, archive, lambda name, done, total: prepare(done, total), fetch)
    return task.from_split(split, place)


def _read_folder(folder: Path, labels: Path | None, base: "Bundle | None", bars: "Bars", quiet: bool) -> "Task":
    from emnist_cli.core.inference.labelled import read_folder
    from emnist_cli.core.training import task

    known = base.manifest.classes if base and base.manifest else ()
    items = read_folder(folder, labels, names=known)
    failures: list[str] = []
    with bars.count("reading pictures") as update:
        seen = 0

        def advance() -> None:
            nonlocal seen
            seen += 1
            update(seen, len(items))

        found = task.from_folder(folder, items, known, advance, lambda path, why: failures.append(f"{path}: {why}"))
    if failures and not quiet:
        more = f", and {len(failures) - 1:,} more" if len(failures) > 1 else ""
        tell(f"left out {failures[0]}{more}")
    return found


def _train(
    task: "Task",
    config: TrainConfig,
    place: "Place",
    base: "Bundle | None",
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

    streams = form in (Format.JSONL, None)
    with TrainingDisplay(config.epochs, quiet) as display:

        def on_epoch(epoch: "Epoch") -> None:
            display.epoch(epoch)
            if streams:
                write([epoch._asdict()], form, stream, COLUMNS, PLAIN)
                stream.flush()

        watch = run.Watch(display.step, on_epoch, display.stage)
        outcome = run.train(
            task, config, place, base=base, resume=resume, strategy=strategy, tensorboard=tensorboard, watch=watch
        )
    if form is Format.TABLE:
        _print_metrics(outcome, stream)
    elif not streams:
        write((epoch._asdict() for epoch in outcome.history), form, stream, COLUMNS, PLAIN)
    return outcome


def _print_metrics(outcome: "Outcome", stream: TextIO) -> None:
    from emnist_cli.console.tables import print_table

    if outcome.manifest is None:
        return
    rows = [{"name": m.name, "value": f"{m.value:.4f}", "count": m.count, "on": m.on} for m in outcome.manifest.metrics]
    columns = {"name": "measured", "value": "value", "count": "pictures", "on": "on"}
    print_table(rows, columns, stream, outcome.manifest.description, ("value", "count"), ("on",))


def _tell_outcome(outcome: "Outcome", place: "Place", quiet: bool) -> None:
    if outcome.manifest is not None and not quiet:
        from emnist_cli.core import bundle

        known = place.folder.parent == bundle.user_folder()
        told = json.dumps(str(place.folder)) if " " in str(place.folder) else place.folder
        tell(f"model written to {place.folder}; use it: emnist predict --model {place.name if known else told} PATH")
    if outcome.interrupted:
        best = max(e.epoch for e in outcome.history if e.best)
        tell(f"interrupted after epoch {len(outcome.history)}; epoch {best}, the best, is kept; go on with --resume")
        raise typer.Exit(ExitCode.INTERRUPTED)
