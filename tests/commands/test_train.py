"""`emnist train` as users run it: what it leaves, what it prints, and how it ends when it is stopped."""

import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emnist_cli.core import bundle
from tests.archives import write_csv
from tests.conftest import Emnist
from tests.handwriting import picture
from tests.small_data import pictures

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own

QUICK = ("--arch", "lenet5", "--batch-size", "16", "--no-augment")


@pytest.fixture
def data_dir(digits_data: Path) -> Path:
    return digits_data


@pytest.fixture(scope="module")
def seven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seven") / "7.png"
    picture("7", 1).save(path)
    return path


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.slow
def test_a_run_leaves_a_model_that_the_other_commands_use(emnist: Emnist, data_dir: Path, seven: Path) -> None:
    trained = emnist("train", "--split", "digits", *QUICK, "--epochs", 12, "--data-dir", data_dir, "-f", "jsonl")
    assert trained.code == 0, trained
    epochs = [json.loads(line) for line in trained.out.splitlines()]
    assert [e["epoch"] for e in epochs] == list(range(1, 13))
    assert list(epochs[0]) == [
        "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds", "pictures_per_second", "learning_rate",
        "best",
    ]  # fmt: skip
    assert "emnist predict --model digits-lenet5" in trained.err
    folder = bundle.user_folder()
    assert folder is not None
    names = {path.name for path in (folder / "digits-lenet5").iterdir()}
    assert names == {"manifest.json", "model.tflite", "model.keras", "history.csv", "curves.png"}
    assert [path.name for path in folder.iterdir()] == ["digits-lenet5"], "nothing of the run is left beside it"
    assert len(rows((folder / "digits-lenet5" / "history.csv").read_text())) == 12
    assert emnist("predict", seven, "--model", "digits-lenet5").out.split("\t")[1] == "7"
    listed = {row["name"]: row for row in rows(emnist("models", "-f", "csv").out)}
    scored = json.loads(
        emnist("evaluate", "--model", "digits-lenet5", "--split", "digits", "--data-dir", data_dir, "-f", "json").out
    )
    assert float(listed["digits-lenet5"]["accuracy"]) == pytest.approx(scored["accuracy"], abs=1e-4)
    assert scored["accuracy"] > 0.9
    assert scored["count"] == 90
    measured = "on 90 images: digits of strokes.zip, which is not the published EMNIST, test half"
    assert trained.err.splitlines()[-1] == f"emnist: accuracy {scored['accuracy']:.2%} {measured}"


@pytest.mark.slow
def test_the_manifest_says_what_the_model_was_made_of(emnist: Emnist, data_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "models" / "mine"
    assert emnist("train", "-s", "digits", *QUICK, "--epochs", 2, "--out", out, "--data-dir", data_dir, "-q").code == 0
    manifest = bundle.read_bundle(out).manifest
    assert manifest is not None
    assert (manifest.name, manifest.split, manifest.classes) == ("mine", "digits", tuple("0123456789"))
    assert manifest.training["arch"] == "lenet5"
    assert manifest.training["epochs"] == 2
    assert manifest.data[0]["source"] == "digits of strokes.zip, which is not the published EMNIST"
    assert manifest.data[0]["count"] == 220
    first, *_, last = manifest.metrics
    assert (first.name, first.count, first.on) == ("accuracy", 90, f"{manifest.data[0]['source']}, test half")
    assert (last.count, "held out" in last.on) == (20, True)
    assert 0.2 <= manifest.temperature <= 5
    assert set(manifest.versions) == {"tensorflow", "keras", "numpy"}


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "json", "table", None])
def test_every_format(emnist: Emnist, data_dir: Path, tmp_path: Path, form: str | None) -> None:
    how = ["--format", form] if form else []
    result = emnist(
        "train", "-s", "digits", *QUICK, "--epochs", 2, "--limit", 60, "--out", tmp_path / "m", "--data-dir", data_dir,
        "--quiet", *how,
    )  # fmt: skip
    assert (result.code, result.err) == (0, "")
    if form == "csv":
        assert [row["epoch"] for row in rows(result.out)] == ["1", "2"]
    elif form == "json":
        assert [row["epoch"] for row in json.loads(result.out)] == [1, 2]
    elif form == "table":
        assert "lenet5, trained on digits" in result.out
        assert "held out of training" in result.out
        assert result.out.count("test half") == 1, "what was measured on is said once, above the table"
        lines = [line.split() for line in result.out.splitlines()]
        assert [words[0] for words in lines if len(words) == 2 and re.fullmatch(r"[01]\.\d{4}", words[1])] == [
            *("accuracy", "top3", "macro_f1", "ece"), "accuracy",
        ]  # fmt: skip
    else:
        assert [line.split("\t")[0] for line in result.out.splitlines()] == ["1", "2"]


@pytest.mark.slow
def test_an_earlier_model_is_not_lost(emnist: Emnist, data_dir: Path, tmp_path: Path) -> None:
    command = ["train", "-s", "digits", *QUICK, "--epochs", 1, "--limit", 40, "--out", tmp_path / "m"]
    command += ["--data-dir", data_dir, "-q"]
    assert emnist(*command).code == 0
    before = (tmp_path / "m" / "manifest.json").read_bytes()
    refused = emnist(*command)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        f"emnist: {tmp_path / 'm'} is there already; choose another --name or --out, or replace it: --overwrite\n"
    )
    assert (tmp_path / "m" / "manifest.json").read_bytes() == before
    assert emnist(*command, "--overwrite", "--seed", 2).code == 0
    assert (tmp_path / "m" / "manifest.json").read_bytes() != before


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ([], 2, "say what to train on: --split (such as --split balanced), --folder DIR or --csv FILE, one of them"),
        (["--split", "digits", "--folder", "."], 2, "say what to train on"),
        (["--split", "digit"], 2, "no EMNIST split is called 'digit'; did you mean digits?"),
        (["--split", "digits", "--arch", "resnet"], 2, "--arch: no architecture is called 'resnet'"),
        (["--split", "digits", "--labels", "x.csv"], 2, "--labels goes with --folder only"),
        (["--folder", ".", "--archive", "x.zip"], 2, "--archive goes with --split only"),
        (["--split", "digits", "--epochs", "0"], 2, "Invalid value for '--epochs'"),
        (["--split", "digits", "--validation", "1"], 2, "Invalid value for '--validation'"),
        (["--split", "digits", "--strategy", "cloud"], 2, "--strategy: expected one of one, mirrored, multiworker"),
        (["--split", "digits", "--strategy", "multiworker"], 2, "--strategy multiworker: expected TF_CONFIG such as"),
        (["--split", "digits", "--resume"], 2, "--resume: there is no interrupted run of 'digits-default'"),
        (["--split", "digits", "--name", "a/b"], 2, "--name: expected a plain name without slashes"),
        (["--split", "digits", "--from", "nosuch"], 4, "no model, folder or file is called 'nosuch'"),
        (["--split", "letters", "--archive", "nosuch.zip"], 5, "nosuch.zip"),
        (["--split", "digits", "--name", "starter"], 2, "--name: 'starter' is a model of the package"),
        (["--split", "digits", "--name", "n" * 250], 2, "--name: expected a plain name without slashes, not too long"),
        (["--split", "digits", "--from", "starter", "--arch", "vgg5"], 2, "--arch makes a new network and --from"),
        (["--split", "digits", "--from", "starter", "--mixed-precision"], 2, "--mixed-precision goes with new"),
        (["--split", "digits", "--resume", "--overwrite"], 2, "--resume goes on with a run, --overwrite starts it"),
        (["--split", "digits", "--tensorboard", __file__], 2, "--tensorboard: expected a folder. Received: "),
        (["--split", "digits", "--seed", str(2**32)], 2, "Invalid value for '--seed'"),
        (["--split", "digits", "--out", __file__], 2, f"{__file__}: expected a new folder, an empty one or an"),
        (["--split", "digits", "--out", "/dev/null/x"], 1, "/dev/null: cannot be written to"),
        (["--csv", "x.csv", "--folder", "."], 2, "--csv and --folder: expected one of them, not both"),
        (["--csv", "x.csv", "--archive", "x.zip"], 2, "--archive goes with --split only"),
        (["--csv", "x.csv", "--split", "digit"], 2, "no EMNIST split is called 'digit'; did you mean digits?"),
        (["--split", "digits", "--transposed"], 2, "--transposed goes with --csv only"),
        (["--csv", "nosuch.csv"], 2, "--csv: expected a csv file. Received: nosuch.csv"),
        (["--folder", "nosuch"], 2, "--folder: expected a folder of pictures. Received: nosuch"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    emnist: Emnist, data_dir: Path, options: list[str], code: int, message: str
) -> None:
    result = emnist("train", *options, "--data-dir", data_dir)
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith(f"emnist: {message}"), result.err
    assert result.err.count("\n") == 1


@pytest.mark.slow
def test_own_characters(emnist: Emnist, tmp_path: Path) -> None:
    """A folder with a $ in its name, a table, two classes EMNIST does not have, one picture broken; then on from it."""
    folder = tmp_path / "cost $5 $x"
    folder.mkdir()
    table = ["file,label"]
    for character, label in (("A", "Δ"), ("O", "Ω")):
        for donor in range(3):
            for pen in (0.04, 0.06, 0.08, 0.1):
                name = f"{label}-{donor}-{pen}.png"
                picture(character, donor, pen=pen).save(folder / name)
                table.append(f"{name},{label}")
    (folder / "broken.png").write_bytes(b"nothing")
    (folder / "labels.csv").write_text("\n".join([*table, "broken.png,Δ"]) + "\n", encoding="utf-8")
    out = tmp_path / "model"
    command = ["train", "--folder", folder, "--arch", "lenet5", "--epochs", 20, "--batch-size", 4, "--out"]
    result = emnist(*command, out)
    assert result.code == 0, result
    assert "left out" in result.err
    assert "broken.png" in result.err
    manifest = bundle.read_bundle(out).manifest
    assert manifest is not None
    assert (manifest.split, manifest.classes) == ("custom", ("Δ", "Ω"))
    picture("A", 1, pen=0.07).save(tmp_path / "new.png")
    assert emnist("predict", tmp_path / "new.png", "--model", out).out.split("\t")[1] == "Δ"

    command = [c for c in command if c not in ("--arch", "lenet5")]
    further = emnist(*command, tmp_path / "further", "--from", out, "-f", "jsonl", "-q", "--epochs", 1)
    assert further.code == 0, further
    started, anew = json.loads(further.out), rows((out / "history.csv").read_text())[0]
    assert started["loss"] < float(anew["loss"]), "it goes on from what was learned"


@pytest.mark.slow
def test_a_csv_file(emnist: Emnist, tmp_path: Path) -> None:
    """MNIST's train.csv: names of the columns, labels first, upright; no split is needed for digits."""
    path = write_csv(tmp_path / "train.csv", *pictures("0123456789", "train"), names=True)
    command = ["train", "--csv", path, *QUICK, "--epochs", 2, "-f", "jsonl"]
    result = emnist(*command, "--out", tmp_path / "m")
    assert result.code == 0, result
    told = result.err.splitlines()
    assert told[0].startswith("emnist: train.csv: 240 images, upright; labels of digits, where 0 means 0 (")
    manifest = bundle.read_bundle(tmp_path / "m").manifest
    assert manifest is not None
    assert (manifest.split, manifest.classes) == ("digits", tuple("0123456789"))
    assert manifest.data == ({"source": "240 images of train.csv", "count": 220},)
    held = "240 images of train.csv, held out of training; the best epoch was chosen by it"
    assert [(m.name, m.count, m.on) for m in manifest.metrics] == [("accuracy", 20, held)]
    assert told[-1] == f"emnist: accuracy {manifest.metrics[0].value:.2%} on 20 images: {held}"

    transposed = write_csv(tmp_path / "emnist.csv", *pictures("0123456789", "train"), transposed=True)
    again = emnist("train", "--csv", transposed, *command[3:], "--split", "mnist", "--name", "again")
    assert again.code == 0, again
    figures = [[{**json.loads(line), "seconds": 0, "pictures_per_second": 0} for line in run.out.splitlines()]
               for run in (result, again)]  # fmt: skip
    assert figures[0] == figures[1], "the same images, and the same ones held out"
    folder = bundle.user_folder()
    assert folder is not None
    assert [path.name for path in folder.iterdir()] == ["again"]


@pytest.mark.slow
def test_own_handwriting_starts_from_the_starter(emnist: Emnist, tmp_path: Path) -> None:
    """The starter has no model.keras; what it has learned is there all the same after a short training."""
    mine = tmp_path / "mine"
    for character in "AgRw7":
        (mine / character).mkdir(parents=True)
        for donor in range(3):
            for pen in (0.05, 0.07, 0.09):
                picture(character, donor, pen=pen).save(mine / character / f"{donor}-{pen}.png")
    command = ["train", "--folder", mine, "--from", "starter", "--epochs", 1, "--learning-rate", 1e-4, "-q"]
    result = emnist(*command, "--validation", 0, "--batch-size", 9, "--out", tmp_path / "model", "-f", "jsonl")
    assert result.code == 0, result
    assert json.loads(result.out)["accuracy"] > 0.5, "with random weights it would be one in 62"
    manifest = bundle.read_bundle(tmp_path / "model").manifest
    assert manifest is not None
    assert (len(manifest.classes), manifest.training["from"]) == (62, "starter")


def test_nothing_to_start_from_is_one_line(emnist: Emnist, data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "bare.tflite").write_bytes(bundle.find_bundle().graph.read_bytes())
    result = emnist("train", "--split", "digits", "--from", tmp_path / "bare.tflite", "--data-dir", data_dir)
    assert (result.code, result.out) == (4, "")
    assert result.err.startswith("emnist: --from: bare.tflite has no model.keras and does not say")
    assert result.err.count("\n") == 1


def test_a_label_is_one_character(emnist: Emnist, seven: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(f"file,label\n{seven},cat\n{seven},c\n")
    result = emnist("train", "--folder", tmp_path, "--out", tmp_path / "m")
    assert (result.code, result.out) == (5, "")
    assert result.err == "emnist: a label is one character, any that there is. Received: 'cat'\n"


@pytest.mark.slow
def test_overwrite_replaces_models_only(
    emnist: Emnist, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["train", "-s", "digits", *QUICK, "--limit", 40, "--epochs", 1, "--data-dir", data_dir, "--overwrite"]
    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    for out in (mine, mine / "thesis.txt"):
        result = emnist(*command, "--out", out)
        assert (result.code, result.err.count("\n")) == (2, 1)
    monkeypatch.chdir(mine)
    assert emnist(*command, "--out", ".").code == 2
    assert (mine / "thesis.txt").read_text() == "years of work"
    assert emnist(*command, "--out", tmp_path / "m", "-q").code == 0
    (tmp_path / "m" / "notes.txt").write_text("mine")
    assert emnist(*command, "--out", tmp_path / "m", "-q").code == 2, "a file that is no part of the model"


@pytest.mark.slow
def test_a_reader_that_leaves_does_not_cost_the_model(data_dir: Path, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = ["train", "-s", "digits", *QUICK, "--limit", 40, "--epochs", 3, "--data-dir", data_dir]
    done = subprocess.run(
        [sys.executable, "-m", "emnist_cli", *map(str, [*command, "--out", tmp_path / "m"])],
        stdout=writer, stderr=subprocess.PIPE, text=True, check=False, timeout=100,
    )  # fmt: skip
    os.close(writer)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    *_, written, accuracy = done.stderr.splitlines()
    assert "model written to" in written and "test half" in accuracy
    assert bundle.read_bundle(tmp_path / "m").manifest


class Worker:
    """A training process in the background whose lines can be waited for."""

    def __init__(self, *args: object, **env: str) -> None:
        command = [sys.executable, "-m", "emnist_cli", "train", *map(str, args)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **env}
        )

    def wait_for_epoch(self, number: int) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if json.loads(line)["epoch"] == number:
                return
        pytest.fail(f"ended before epoch {number}: {self.process.communicate()}")

    def end(self, timeout: float = 100) -> tuple[int, str]:
        _, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, err


@pytest.fixture
def workers() -> Iterator[list[Worker]]:
    started: list[Worker] = []
    yield started
    for worker in started:
        worker.process.kill()
        worker.process.communicate()


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_epoch_and_resume_ends_as_if_nothing_had_been(
    emnist: Emnist, data_dir: Path, seven: Path, tmp_path: Path, workers: list[Worker]
) -> None:
    options = ["--split", "digits", "--arch", "mnist", "--batch-size", 16, "--epochs", 15, "--data-dir", data_dir]
    options += ["-f", "jsonl", "--out"]
    workers.append(Worker(*options, tmp_path / "m"))
    workers[0].wait_for_epoch(3)
    workers[0].process.send_signal(signal.SIGINT)
    code, err = workers[0].end()
    assert code == 130, err
    assert "interrupted after epoch" in err.splitlines()[-1]
    assert "go on with --resume" in err.splitlines()[-1]
    stopped = bundle.read_bundle(tmp_path / "m").manifest
    assert stopped is not None
    assert stopped.training["interrupted"] is True
    assert emnist("predict", seven, "--model", tmp_path / "m").code == 0

    again = emnist("train", *options, tmp_path / "m")
    assert again.code == 2
    assert "go on with --resume, or start anew with --overwrite" in again.err
    changed = emnist("train", *options, tmp_path / "m", "--resume", "--batch-size", 8)
    assert (changed.code, "batch_size was 16, is 8" in changed.err) == (2, True)

    resumed = emnist("train", *options, tmp_path / "m", "--resume")
    assert resumed.code == 0, resumed
    whole = emnist("train", *options, tmp_path / "whole")
    assert whole.code == 0, whole
    assert (tmp_path / "m" / "model.tflite").read_bytes() == (tmp_path / "whole" / "model.tflite").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m", "whole"]


@pytest.mark.slow
def test_two_trainings_do_not_write_to_one_place(
    emnist: Emnist, data_dir: Path, tmp_path: Path, workers: list[Worker]
) -> None:
    options = ["--split", "digits", *QUICK, "--epochs", 2000, "--data-dir", data_dir, "-f", "jsonl", "--out"]
    workers.append(Worker(*options, tmp_path / "m"))
    workers[0].wait_for_epoch(2)
    second = emnist("train", *options, tmp_path / "m", "--overwrite")
    assert (second.code, second.out) == (2, "")
    assert second.err.startswith(f"emnist: another training writes to {tmp_path / 'm'}")
    assert workers[0].process.poll() is None


@pytest.mark.slow
def test_ctrl_c_before_the_first_epoch_leaves_nothing(data_dir: Path, tmp_path: Path, workers: list[Worker]) -> None:
    workers.append(Worker("--split", "digits", "--data-dir", data_dir, "--epochs", 9, "--out", tmp_path / "m"))
    time.sleep(0.5)
    workers[0].process.send_signal(signal.SIGINT)
    code, err = workers[0].end()
    assert code == 130, err
    assert "Traceback" not in err
    assert not (tmp_path / "m").exists()


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    ports = [int(s.getsockname()[1]) for s in sockets]
    for s in sockets:
        s.close()
    return ports


def start_two(workers: list[Worker], *args: object) -> None:
    hosts = [f"localhost:{port}" for port in free_ports(2)]
    for index in range(2):
        config = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
        workers.append(Worker("--strategy", "multiworker", *args, TF_CONFIG=json.dumps(config)))


@pytest.mark.slow
def test_two_workers_train_as_one_does(emnist: Emnist, data_dir: Path, tmp_path: Path, workers: list[Worker]) -> None:
    options = ["--split", "digits", *QUICK, "--epochs", 4, "--data-dir", data_dir, "-f", "jsonl", "--out"]
    start_two(workers, *options, tmp_path / "two" / "m")
    assert [worker.end()[0] for worker in workers] == [0, 0]
    assert [p.name for p in (tmp_path / "two").iterdir()] == ["m"], "one bundle, and nothing beside it"
    assert emnist("train", *options, tmp_path / "one", "-q").code == 0
    two, one = (rows((folder / "history.csv").read_text()) for folder in (tmp_path / "two" / "m", tmp_path / "one"))
    for a, b in zip(two, one, strict=True):
        assert float(a["loss"]) == pytest.approx(float(b["loss"]), rel=1e-3)
        assert float(a["val_loss"]) == pytest.approx(float(b["val_loss"]), rel=1e-3)


@pytest.mark.slow
def test_a_worker_that_dies_ends_the_run_and_the_checkpoint_is_good(
    emnist: Emnist, data_dir: Path, tmp_path: Path, workers: list[Worker]
) -> None:
    options = ["--split", "digits", *QUICK, "--epochs", 2000, "--data-dir", data_dir, "-f", "jsonl"]
    options += ["--out", tmp_path / "m"]
    start_two(workers, *options)
    workers[0].wait_for_epoch(3)
    workers[1].process.kill()
    code, err = workers[0].end()
    assert code == 1, err
    told = [line for line in err.splitlines() if not line.startswith("emnist: epoch")]
    assert told == [line for line in told if line.startswith("emnist: another worker is gone")], err
    assert len(told) == 1
    assert "--resume" in told[0]
    assert not (tmp_path / "m").exists()
    from emnist_cli.core.training import checkpoint

    assert len(checkpoint.read_checkpoint(tmp_path / ".m.training").history) >= 3


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_out(data_dir: Path, tmp_path: Path, workers: list[Worker]) -> None:
    start_two(workers, "--split", "digits", "--batch-size", 17, "--data-dir", data_dir, "--out", tmp_path / "m")
    for worker in workers:
        code, err = worker.end()
        assert code == 2
        assert "--batch-size: expected a multiple of the 2 devices. Received: 17" in err


@pytest.mark.slow
def test_tensorboard_logs(emnist: Emnist, data_dir: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    result = emnist(
        "train", "-s", "digits", *QUICK, "--epochs", 1, "--limit", 40, "--out", tmp_path / "m", "--data-dir", data_dir,
        "--tensorboard", logs, "-q",
    )  # fmt: skip
    assert result.code == 0, result
    assert list(logs.glob("events.out.tfevents.*"))
