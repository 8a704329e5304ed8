"""`emnist train`: train a network on EMNIST, on your own images or on a csv file."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from emnist_cli.cli.options import ArchiveOption, DataDir, FormatOption, Output, Quiet, Trust
from emnist_cli.commands.train.epoch_rows import EpochRows
from emnist_cli.commands.train.options import (
    Arch,
    Augment,
    Base,
    BatchSize,
    Csv,
    Epochs,
    Folder,
    Labels,
    LearningRate,
    Limit,
    MixedPrecision,
    Name,
    Out,
    Overwrite,
    Patience,
    Resume,
    Seed,
    Split,
    Strategy,
    Tensorboard,
    Threads,
    Transposed,
    Validation,
)
from emnist_cli.commands.train.training_images import find_csv, find_pictures
from emnist_cli.core.config import ARCHITECTURES, TrainConfig
from emnist_cli.core.errors import ExitCode, MissingError, UsageError, did_you_mean
from emnist_cli.output.formats import Format, choose_format, notify, open_output

if TYPE_CHECKING:
    from emnist_cli.core.bundle import Bundle
    from emnist_cli.core.model_export.output_dir import OutputDir
    from emnist_cli.core.records import Epoch
    from emnist_cli.core.training.job import Outcome, TrainingJob
    from emnist_cli.core.training.training_data import TrainingData


def train(
    split: Split = None,
    folder: Folder = None,
    labels: Labels = None,
    csv: Csv = None,
    transposed: Transposed = None,
    base: Base = None,
    trust: Trust = False,
    arch: Arch = None,
    epochs: Epochs = TrainConfig.epochs,
    batch_size: BatchSize = TrainConfig.batch_size,
    learning_rate: LearningRate = TrainConfig.learning_rate,
    augment: Augment = TrainConfig.augment,
    validation: Validation = TrainConfig.validation,
    patience: Patience = TrainConfig.patience,
    limit: Limit = TrainConfig.limit,
    seed: Seed = TrainConfig.seed,
    out: Out = None,
    name: Name = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    threads: Threads = 0,
    mixed_precision: MixedPrecision = TrainConfig.mixed_precision,
    strategy: Strategy = "one",
    tensorboard: Tensorboard = None,
    data_dir: DataDir = None,
    archive: ArchiveOption = None,
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
        arch=arch or TrainConfig.arch, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
        augment=augment, seed=seed, validation=validation, patience=patience, limit=limit,
        mixed_precision=mixed_precision,
    )  # fmt: skip
    chosen = choose_format(form, output)
    _check_source(split, folder, csv, {"--labels": labels, "--archive": archive}, transposed)
    _check(config, arch if base else None, base is not None, tensorboard)
    from emnist_cli.core.model_export.output_dir import check_output_dir, choose_output_dir

    found, config = _find_base(base, trust, config)
    task_name = csv.stem if csv else split or (folder or Path()).resolve().name
    where = choose_output_dir(out, name, task_name, config.arch)
    check_output_dir(where, resume, overwrite)
    _start_tensorflow(threads)
    if csv:
        task = find_csv(csv, split, transposed, quiet)
    else:
        task = find_pictures(split, folder, labels, found, data_dir, archive, quiet)
    with open_output(output) as stream:
        job = _make_job(task, config, where, found, threads)
        outcome = _train(job, resume, strategy, tensorboard, chosen, stream, quiet)
    if outcome.interrupted:
        _end_interrupted(outcome)


def _find_base(base: str | None, trust: bool, config: TrainConfig) -> "tuple[Bundle | None, TrainConfig]":
    """Return the model that training starts from, if any, and the settings with its architecture."""
    from emnist_cli.core.bundle import find_bundle
    from emnist_cli.core.networks.keras_file import arch_of, check_base

    if base is None:
        return None, config
    found = find_bundle(base, trust)
    check_base(found)
    return found, replace(config, arch=arch_of(found))


def _start_tensorflow(threads: int) -> None:
    from emnist_cli.core.platform.interrupts import interrupts_held
    from emnist_cli.core.platform.tensorflow import load_tensorflow

    load_tensorflow(threads)
    with interrupts_held():  # Keras is as bad at them as TensorFlow
        import emnist_cli.core.training.job  # noqa: F401


def _make_job(
    task: "TrainingData", config: TrainConfig, where: "OutputDir", found: "Bundle | None", threads: int
) -> "TrainingJob":
    from emnist_cli.core.training.job import TrainingJob

    return TrainingJob(task, config, where, found, threads or None)


def _check_source(
    split: str | None,
    folder: Path | None,
    csv: Path | None,
    files: dict[str, Path | None],
    transposed: bool | None,
) -> None:
    """Refuse options that do not say what to train on, or say it twice."""
    from emnist_cli.core.labels import find_split

    if folder and csv:
        raise UsageError("--csv and --folder: expected one of them, not both")
    if not csv and (split is None) == (folder is None):
        raise UsageError(
            "say what to train on: --split (such as --split balanced), --folder DIR or --csv FILE, one of them"
        )
    if split is not None:
        find_split(split)
    source = "--csv" if csv else "--folder" if folder else "--split"
    for option, wanted in (("--labels", "--folder"), ("--archive", "--split")):
        if files[option] is not None and source != wanted:
            raise UsageError(f"{option} goes with {wanted} only")
    if transposed is not None and not csv:
        raise UsageError(f"{'--transposed' if transposed else '--upright'} goes with --csv only")


def _check(config: TrainConfig, arch_of_base: str | None, goes_on: bool, tensorboard: Path | None) -> None:
    """Refuse options that contradict each other, before anything slow is begun."""
    from importlib.util import find_spec

    arch = config.arch
    if arch not in ARCHITECTURES:
        raise UsageError(f"--arch: no architecture is called {arch!r}; {did_you_mean(arch, ARCHITECTURES)}")
    if arch_of_base:
        raise UsageError("--arch makes a new network and --from goes on with one; say one of the two")
    if goes_on and config.mixed_precision:
        raise UsageError("--mixed-precision goes with new networks; one that --from names keeps its own precision")
    if tensorboard is not None:
        if find_spec("tensorboard") is None:
            raise MissingError("tensorboard is not installed; run: pip install tensorboard")
        if tensorboard.exists() and not tensorboard.is_dir():
            raise UsageError(f"--tensorboard: expected a folder. Received: {tensorboard}, a file")


def _train(
    plan: "TrainingJob",
    resume: bool,
    strategy: str,
    tensorboard: Path | None,
    form: Format | None,
    stream: TextIO,
    quiet: bool,
) -> "Outcome":
    """Train, showing it on stderr, and write the results."""
    from emnist_cli.console.training import TrainingDisplay, print_metrics
    from emnist_cli.core.training import job

    rows = EpochRows(form, stream)
    with TrainingDisplay(plan.config.epochs, quiet) as display:

        def on_epoch(epoch: "Epoch") -> None:
            rows.write(epoch)
            display.epoch(epoch)

        watch = job.Watch(display.step, on_epoch, display.stage)
        outcome = job.train(plan, resume=resume, strategy=strategy, tensorboard=tensorboard, watch=watch)
    _tell_model(outcome, plan.place, quiet)  # now: what follows fails where nobody reads stdout any more
    if form is not Format.TABLE or not stream.isatty():  # the table on a terminal has it, and more
        _tell_accuracy(outcome, quiet)
    rows.finish(outcome.history)
    if form is Format.TABLE and outcome.manifest is not None:
        print_metrics(outcome.manifest, stream)
    return outcome


def _tell_model(outcome: "Outcome", place: "OutputDir", quiet: bool) -> None:
    from emnist_cli.core import bundle

    if outcome.manifest is not None and not quiet:
        known = place.folder.parent == bundle.user_folder()
        model = shlex.quote(place.name if known else str(place.folder))
        notify(f"model written to {place.folder}; use it: emnist predict --model {model} PATH")


def _tell_accuracy(outcome: "Outcome", quiet: bool) -> None:
    if outcome.manifest is not None and outcome.manifest.metrics and not quiet:
        first = outcome.manifest.metrics[0]
        notify(f"{first.name} {first.value:.2%} on {first.count:,} images: {first.on}")


def _end_interrupted(outcome: "Outcome") -> None:
    best = max(e.epoch for e in outcome.history if e.best)
    notify(f"interrupted after epoch {len(outcome.history)}; epoch {best}, the best, is kept; go on with --resume")
    raise typer.Exit(ExitCode.INTERRUPTED)
