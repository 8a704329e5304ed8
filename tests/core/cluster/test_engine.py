"""On a real Ray, two CPUs of this machine, started once."""

import json
import os
import pickle
import shutil
import signal
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from emnist_cli.core import bundle
from emnist_cli.core.cluster import engine
from emnist_cli.core.cluster.session import open_session
from emnist_cli.core.errors import MissingError, ModelError, OutputError, UsageError
from emnist_cli.core.files.discovery import ImageRef, find_pictures
from emnist_cli.core.parallel.run_files import predict_files
from emnist_cli.core.records import Prediction
from tests.conftest import Emnist
from tests.core.cluster.test_session import descendants, needs_proc, wait_until
from tests.handwriting import picture

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
    pytest.mark.filterwarnings(r"ignore:`use_\w+` is deprecated:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))  # where Ray keeps a token
        with open_session("local", 2):
            yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 pictures, a folder, and whatever can be wrong with a file."""
    folder = tmp_path_factory.mktemp("scans")
    for i, character in enumerate("0123456789ABCDEFGHIJabcdefgh"):
        for donor in range(3):
            picture(character, donor).save(folder / f"{i:02}-{donor}.png")
    (folder / "inner").mkdir()
    shutil.copy(folder / "07-0.png", folder / "inner" / "seven.png")
    shutil.copy(folder / "07-0.png", folder / ".hidden.png")
    (folder / "notes.txt").write_text("no picture")
    (folder / "20-broken.png").write_bytes((folder / "20-0.png").read_bytes()[:200])
    (folder / "21-nothing.png").write_bytes(b"")
    picture("A", pen=0, margin=0.49).point(lambda _: 255).save(folder / "30-white.png")
    if sys.platform == "linux":
        shutil.copy(folder / "00-0.png", os.fsencode(folder) + b"/40-\xe9.png")
    return folder


def paths_of(folder: Path) -> list[str]:
    return [str(folder), str(folder / "missing.png"), str(folder / "07-0.png"), str(folder / "0*-1.png")]


def local(paths: list[str], recursive: bool = False, **options: Any) -> list[Prediction]:
    return list(predict_files(find_pictures(paths, recursive), options))


def test_same_rows_as_the_local_engine(cluster: None, folder: Path, tmp_path: Path) -> None:
    paths, skipped = paths_of(folder), []
    if hasattr(os, "mkfifo"):  # whoever opens it waits for ever
        os.mkfifo(tmp_path / "pipe.png")
        paths.insert(1, str(tmp_path / "pipe.png"))
    expected = list(predict_files(find_pictures(paths, True), timeout=1))
    found = list(engine.predict_on_ray(paths, True, {}, timeout=1, on_skip=skipped.append))
    assert found == expected
    assert {p.status for p in found} == {"ok", "empty", "error"}
    assert skipped == [str(folder / "notes.txt")]


def test_options_and_the_model_go_along(
    cluster: None, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starter = bundle.find_bundle()
    assert starter.manifest
    bundle.save_bundle(
        tmp_path / "unsure",
        bundle.Manifest.from_dict({**starter.manifest.as_dict(), "temperature": 3.0}),
        {bundle.GRAPH: starter.graph.read_bytes()},
    )
    monkeypatch.chdir(folder.parent)  # after Ray was started
    options = {"model": str(tmp_path / "unsure"), "top_k": 2, "min_confidence": 0.5, "fold_case": True, "ink": "dark"}
    expected = local([folder.name], **options, charset="letters")
    done = {str(Path(folder.name) / "05-0.png")}
    found = list(
        engine.predict_on_ray([folder.name], False, {**options, "charset": "letters"}, is_done=done.__contains__)
    )
    assert found == [p for p in expected if p.path not in done]
    assert len(found) == len(expected) - 1
    assert {p.status for p in found} == {"ok", "uncertain", "empty", "error"}
    assert found != local([folder.name], **{**options, "model": "starter"}, charset="letters")


@pytest.mark.parametrize("kind", ["bundle", "file"])
def test_a_worker_needs_nothing_of_the_drivers_disk(folder: Path, tmp_path: Path, kind: str) -> None:
    from emnist_cli.core.cluster.actor import Reader, describe_actor
    from emnist_cli.core.cluster.arrow import make_block, read_rows

    starter = bundle.find_bundle()
    if kind == "bundle":
        shutil.copytree(starter.graph.parent, tmp_path / "mine")
    else:
        shutil.copy(starter.graph, tmp_path / "mine.tflite")
    options = {"model": str(next(tmp_path.iterdir()))}
    paths = [str(path) for path in sorted(folder.glob("0*.png"))]
    expected = local(paths, **options)
    arguments = pickle.dumps(describe_actor(options, 30))
    shutil.rmtree(tmp_path)
    with closing(Reader(*pickle.loads(arguments))) as reader:
        assert list(read_rows(reader(make_block([ImageRef(path) for path in paths])))) == expected


def test_wrong_options_are_told_before_anything_starts(folder: Path) -> None:
    with pytest.raises(ModelError, match="is called 'x'"):
        next(engine.predict_on_ray([str(folder)], False, {"model": "x"}))
    with pytest.raises(UsageError, match="--charset"):
        engine.write_parts([str(folder)], False, {"charset": "é"}, "out", "jsonl")
    with pytest.raises(UsageError, match="--timeout"):
        next(engine.predict_on_ray([str(folder)], False, {}, timeout=0))


def parts(destination: Path, form: str) -> list[Path]:
    found = sorted(destination.glob(f"part-*.{form}"))
    assert [*sorted(destination.iterdir())] == [destination / "_SUCCESS", *found]
    return found


def test_parquet_parts(cluster: None, folder: Path, tmp_path: Path) -> None:
    from pyarrow import parquet

    counts = engine.write_parts(paths_of(folder), True, {}, str(tmp_path / "new" / "out"), "parquet", rows_per_part=30)
    rows = [p.as_dict() for p in local(paths_of(folder), recursive=True)]
    expected = [
        {**row, "path": row["path"].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")}
        for row in rows
    ]
    files = parts(tmp_path / "new" / "out", "parquet")
    assert len(files) > 1
    assert [row for file in files for row in parquet.read_table(file).to_pylist()] == expected
    whole = parquet.read_table(tmp_path / "new" / "out")
    assert str(whole.schema.field("alternatives").type) == "list<element: struct<label: string, confidence: double>>"
    assert whole.schema.types[:4] == ["string", "string", "string", "double"]
    assert counts == Counter(row["status"] for row in rows)
    summary = json.loads((tmp_path / "new" / "out" / "_SUCCESS").read_text())
    assert (summary["rows"], summary["parts"], summary["error"]) == (len(rows), len(files), counts["error"])


def test_jsonl_parts_are_the_lines_of_the_command(cluster: None, folder: Path, tmp_path: Path, emnist: Emnist) -> None:
    engine.write_parts(paths_of(folder), False, {"top_k": 5}, str(tmp_path), "jsonl", rows_per_part=40)
    written = b"".join(file.read_bytes() for file in parts(tmp_path, "jsonl"))
    assert written.decode() == emnist("predict", *paths_of(folder), "--top-k", 5, "-f", "jsonl", "-q").out


def test_a_destination_that_is_not_empty_stays_as_it_is(cluster: None, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for destination, problem in [
        (str(tmp_path), "expected an empty folder or none yet"),
        (tmp_path.as_uri(), "expected an empty folder or none yet"),
        (str(tmp_path / "mine.txt"), "expected a folder"),
        ("nothing://at/all", "Protocol not known: nothing"),
    ]:
        with pytest.raises(UsageError, match=problem):
            engine.write_parts([str(folder)], False, {}, destination, "jsonl")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_parts_that_are_not_where_they_should_be(cluster: None, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot be written \(Not a directory|cannot be written"):
        engine.write_parts([str(folder)], False, {}, str(tmp_path / "file" / "out"), "jsonl")
    zipfile.ZipFile(tmp_path / "out.zip", "w").close()
    with pytest.raises(OutputError, match=r"^zip://::.*: cannot be written"):  # by the task
        engine.write_parts([str(folder)], False, {}, f"zip://::{tmp_path / 'out.zip'}", "jsonl")
    with pytest.raises(OutputError, match="1 of 1 parts are not there; name a folder that all workers share"):
        engine.write_parts([str(folder)], False, {}, "memory://out", "jsonl")  # each process has a memory of its own


def test_uris(cluster: None, folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "scans.zip", "w") as archive:
        for file in sorted(folder.glob("2*.png")):
            archive.write(file, f"in/{file.name}")
    with tarfile.open(tmp_path / "scans.tar", "w") as tar:
        tar.add(folder / "07-0.png", "07-0.png")
    uris = {
        (folder / "inner").as_uri(): [folder / "inner" / "seven.png"],
        f"zip://in::{(tmp_path / 'scans.zip').as_uri()}": sorted(folder.glob("2*.png")),
        f"tar://*.png::{tmp_path / 'scans.tar'}": [folder / "07-0.png"],
    }
    found = list(engine.predict_on_ray([*uris, "zip://x.png::missing.zip"], False, {}))
    expected = local([str(path) for paths in uris.values() for path in paths])
    assert [p.as_dict() | {"path": ""} for p in found[:-1]] == [p.as_dict() | {"path": ""} for p in expected]
    assert found[0].path == (folder / "inner" / "seven.png").as_uri()
    assert found[1].path == f"zip://in/20-0.png::{(tmp_path / 'scans.zip').as_uri()}"
    assert found[-2].path == f"tar://07-0.png::{tmp_path / 'scans.tar'}"
    assert found[-1] == Prediction("zip://x.png::missing.zip", "error", error="no such file or folder")


def test_a_uri_that_nothing_installed_can_read(cluster: None) -> None:
    with pytest.raises(MissingError, match="dropbox://"):
        next(engine.predict_on_ray(["dropbox://x/7.png"], False, {}))


@needs_proc
def test_actors_that_are_killed_cost_no_row(cluster: None, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    paths = [str(folder / f"{i % 28:02}-{i % 3}.png") for i in range(2500)]
    expected = {p.path: p for p in local(sorted(set(paths)))}
    predictions = engine.predict_on_ray(paths, False, {})
    found = [next(predictions)]
    killed = {pid for pid, command in descendants(os.getpid()).items() if "MapWorker" in command}
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    for prediction in predictions:
        found.append(prediction)
        if len(found) == 2000:
            again = {pid for pid, command in descendants(os.getpid()).items() if "MapWorker" in command}
    assert found == [expected[path] for path in paths]
    assert again - killed, "others must have taken their place"
    assert capfd.readouterr() == ("", "")


@needs_proc
def test_a_run_that_is_left_early_ends_its_actors(cluster: None, folder: Path) -> None:
    predictions = engine.predict_on_ray([str(folder)] * 5, False, {})
    next(predictions)
    predictions.close()  # type: ignore[attr-defined]
    wait_until(lambda: not any("MapWorker" in command for command in descendants(os.getpid()).values()))
