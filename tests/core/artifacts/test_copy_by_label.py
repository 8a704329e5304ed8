"""Pictures copied by their answers: nothing lost, nothing replaced, ready to be trained on."""

import errno
import hashlib
import os
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from emnist_cli.core.artifacts import copy_by_label
from emnist_cli.core.artifacts.copy_by_label import LabelSorter, check_copy_dir, reader_of
from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.errors import OutputError, UsageError
from emnist_cli.core.files.labelled import read_folder
from emnist_cli.core.labels import CHARSETS
from emnist_cli.core.records import Prediction
from tests.handwriting import picture


def file(path: Path, content: bytes = b"content") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(path)


def ok(path: str, label: str = "7") -> Prediction:
    return Prediction(path, "ok", label, 0.9)


def sha(content: bytes, length: int = 8) -> str:
    return hashlib.sha256(content).hexdigest()[:length]


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_answers_are_read_back_as_labels(recognizer: Recognizer, tmp_path: Path) -> None:
    for i, character in enumerate("07AaBbEeGgRrTt"):
        picture(character, i % 3).save(tmp_path / f"{i}.png")
    picture("A").resize((200, 200)).point(lambda _: 255).save(tmp_path / "blank.png")
    file(tmp_path / "broken.png")
    predictions = list(recognizer.predict_many(sorted(map(str, tmp_path.iterdir()))))
    predictions[0] = replace(predictions[0], status="uncertain", label="")
    sorter = LabelSorter(tmp_path / "out" / "sorted")
    assert all(sorter.add(prediction) for prediction in predictions)
    skipped: list[str] = []
    found = {Path(item.found.path).name: item.label for item in read_folder(sorter.folder, on_skip=skipped.append)}
    assert found == {Path(p.path).name: p.label for p in predictions if p.status == "ok"}
    assert len(found) == 13
    assert {"R", "r"} <= set(found.values())
    assert [Path(path).name for path in skipped] == ["_empty", "_error", "_uncertain"]
    assert tree(sorter.folder)["_empty/blank.png"] == (tmp_path / "blank.png").read_bytes()
    assert tree(sorter.folder)["_error/broken.png"] == b"content"
    assert (sorter.copied, sorter.present, sorter.missing) == (len(predictions), 0, 0)


def test_every_label_has_a_folder_of_its_own_on_every_file_system(tmp_path: Path) -> None:
    sorter, labels = LabelSorter(tmp_path / "out"), [*CHARSETS["alnum"], "é", "É", "/", ".", "_", "手", "\U0001f600"]
    for i, label in enumerate(labels):
        sorter.add(ok(file(tmp_path / f"{i}.png"), label))
    names = [path.name for path in sorter.folder.iterdir()]
    assert len({name.casefold() for name in names}) == len(labels)
    assert all(name.isascii() and not name.endswith(".") and set(name).isdisjoint('/\\:*?"<>|') for name in names)
    found = {Path(item.found.path).stem: item.label for item in read_folder(sorter.folder)}
    assert found == {str(i): label for i, label in enumerate(labels)}


def test_a_second_run_repeats_nothing_and_nothing_is_replaced(tmp_path: Path) -> None:
    sources = [file(tmp_path / str(i) / "a.b.png", content) for i, content in enumerate([b"1", b"2", b"33", b"1"])]
    for copied, present in ((3, 1), (0, 4)):
        sorter = LabelSorter(tmp_path / "out")
        assert all(sorter.add(ok(path)) for path in sources)
        assert (sorter.copied, sorter.present) == (copied, present)
        assert tree(sorter.folder) == {
            "7/a.b.png": b"1",
            f"7/a.b-{sha(b'2')}.png": b"2",
            f"7/a.b-{sha(b'33')}.png": b"33",
        }
    assert [Path(path).read_bytes() for path in sources] == [b"1", b"2", b"33", b"1"]


def test_a_large_file_that_differs_at_its_end_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_by_label, "_BLOCK", 1000)
    contents = [b"x" * 2999 + b"y", b"x" * 3000, b"x" * 3001, b""]
    for _ in range(2):
        for i, content in enumerate(contents):
            LabelSorter(tmp_path / "out").add(ok(file(tmp_path / str(i) / "a", content)))
    ends = ["", *(f"-{sha(content)}" for content in contents[1:])]
    assert [tree(tmp_path / "out")[f"7/a{end}"] for end in ends] == contents
    assert len(tree(tmp_path / "out")) == 4


def test_a_name_that_a_folder_or_a_broken_link_has_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out" / "7" / "a.png").mkdir(parents=True)
    (tmp_path / "out" / "7" / f"a-{sha(b'content')}.png").symlink_to("nowhere")
    LabelSorter(tmp_path / "out").add(ok(file(tmp_path / "a.png")))
    assert tree(tmp_path / "out") == {f"7/a-{sha(b'content', 16)}.png": b"content"}


def test_where_every_name_is_taken_it_is_said(tmp_path: Path) -> None:
    for name in ("a", *(f"a-{sha(b'content', length)}" for length in (8, 16, 64))):
        (tmp_path / "out" / "7" / f"{name}.png").mkdir(parents=True)
    with pytest.raises(OutputError, match="a file has that name"):
        LabelSorter(tmp_path / "out").add(ok(file(tmp_path / "a.png")))
    assert tree(tmp_path / "out") == {}


def test_the_longest_names_can_be_told_apart(tmp_path: Path) -> None:
    name = "é" * 125 + ".png"
    sorter = LabelSorter(tmp_path / "out")
    assert all([sorter.add(ok(file(tmp_path / str(i) / name, b"%d" % i))) for i in range(3)])
    assert sorted(tree(sorter.folder).values()) == [b"0", b"1", b"2"]


def test_a_picture_that_is_sorted_already_stays(tmp_path: Path) -> None:
    path = file(tmp_path / "out" / "7" / "a.png")
    assert LabelSorter(tmp_path / "out").add(ok(path))
    assert tree(tmp_path) == {"out/7/a.png": b"content"}


def test_the_time_is_kept_and_permissions_are_the_usual_ones(tmp_path: Path) -> None:
    path = file(tmp_path / "a.png")
    os.utime(path, ns=(1_000_000_000_000_000_000, 1_234_567_890_000_000_000))
    Path(path).chmod(0o400)
    LabelSorter(tmp_path / "out").add(ok(path))
    status = (tmp_path / "out" / "7" / "a.png").stat()
    assert status.st_mtime_ns == 1_234_567_890_000_000_000
    if os.name == "posix":
        umask = os.umask(0)
        os.umask(umask)
        assert stat.S_IMODE(status.st_mode) == 0o666 & ~umask
        assert status.st_nlink == 1


def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    name = os.fsdecode(b"bad\xff.png")
    try:
        path = file(tmp_path / name)
    except OSError:
        pytest.skip("this file system takes no such name")
    assert LabelSorter(tmp_path / "out").add(ok(path))
    assert os.listdir(tmp_path / "out" / "7") == [name]  # noqa: PTH208 - as the system spells it


def test_what_is_no_file_is_left_out(tmp_path: Path) -> None:
    paths = ["-", "", str(tmp_path), str(tmp_path / "gone.png"), "a\0b.png"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        paths.append(str(tmp_path / "pipe"))
    sorter = LabelSorter(tmp_path / "out")
    assert not any(sorter.add(ok(path)) for path in paths)
    assert not any(sorter.add(Prediction(path, "error", error="cannot be read")) for path in paths)
    assert (sorter.copied, sorter.missing) == (0, 2 * len(paths))
    assert list(sorter.folder.iterdir()) == []


@pytest.mark.skipif(not os.access("/proc/self/mem", os.R_OK), reason="needs a file that opens and cannot be read")
def test_a_file_that_fails_when_read_is_left_out(tmp_path: Path) -> None:
    sorter = LabelSorter(tmp_path / "out")
    assert not sorter.add(Prediction("/proc/self/mem", "error", error="cannot be read"))
    assert (tree(tmp_path), sorter.missing) == ({}, 1)


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_without_links_it_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def link(*args: object, **kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", link)
    sources = [file(tmp_path / str(i) / "a.png", b"%d" % (i % 2)) for i in range(3)]
    sorter = LabelSorter(tmp_path / "out")
    assert all(sorter.add(ok(path)) for path in sources)
    assert tree(sorter.folder) == {"7/a.png": b"0", f"7/a-{sha(b'1')}.png": b"1"}
    if os.name == "posix":
        monkeypatch.setattr(os, "replace", link)
        with pytest.raises(OutputError):
            sorter.add(ok(file(tmp_path / "b.png")))
        assert len(tree(sorter.folder)) == 2, "neither the name nor the scratch file stays"


@pytest.mark.parametrize("links", [True, False])
def test_a_name_that_another_run_takes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    def link(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    if not links:
        monkeypatch.setattr(os, "link", link)
    monkeypatch.setattr(os.path, "lexists", lambda path: False)  # as it was when this run looked
    sources = [file(tmp_path / str(i) / "a.png", b"%d" % (i % 2)) for i in range(4)]
    sorter = LabelSorter(tmp_path / "out")
    assert all(sorter.add(ok(path)) for path in sources)
    assert tree(sorter.folder) == {"7/a.png": b"0", f"7/a-{sha(b'1')}.png": b"1"}
    assert (sorter.copied, sorter.present) == (2, 2)


def test_several_runs_at_once(tmp_path: Path) -> None:
    sources = [file(tmp_path / str(i % 4) / f"{i // 4}.png", b"%d" % (i // 2)) for i in range(120)]
    sorters = [LabelSorter(tmp_path / "out") for _ in range(4)]

    def run(sorter: LabelSorter) -> None:
        for path in sources:
            sorter.add(ok(path))

    threads = [threading.Thread(target=run, args=(sorter,)) for sorter in sorters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(tree(tmp_path / "out").values()) == sorted(b"%d" % i for i in range(60)), "each content once"
    assert sum(sorter.copied for sorter in sorters) == 60
    assert sum(sorter.copied + sorter.present for sorter in sorters) == 4 * 120


FULL = """
import resource, sys
from pathlib import Path
from emnist_cli.core.errors import OutputError
from emnist_cli.core.artifacts.copy_by_label import LabelSorter
from emnist_cli.core.records import Prediction
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
try:
    LabelSorter(Path(sys.argv[2])).add(Prediction(sys.argv[1], "ok", "7", 0.9))
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    path = file(tmp_path / "a.png", b"x" * 5000)
    done = subprocess.run(
        [sys.executable, "-c", FULL, path, str(tmp_path / "out")], capture_output=True, text=True, check=True
    )
    place = tmp_path / "out" / "7"
    assert done.stdout == (
        f"--copy-to: {place} cannot be written ({os.strerror(errno.EFBIG)}); what was copied before is complete\n"
    )
    assert list(place.iterdir()) == []


def test_a_file_where_a_folder_is_wanted(tmp_path: Path) -> None:
    path = file(tmp_path / "a.png")
    for folder in (Path(path), Path(path) / "sorted"):
        with pytest.raises(OutputError, match="cannot be written"):
            LabelSorter(folder)
    file(tmp_path / "out" / "7")
    with pytest.raises(OutputError, match=r"7 cannot be written \(a file has that name\)"):
        LabelSorter(tmp_path / "out").add(ok(path))
    with pytest.raises(UsageError, match="--copy-to: expected a folder"):
        check_copy_dir(Path(path), [], False)


@pytest.mark.parametrize(
    ("folder", "path", "recursive", "refused"),
    [
        ("scans", "scans", False, True),
        ("scans", "scans/sub/..", False, True),
        ("scans/out", "scans", False, False),
        ("scans/out", "scans", True, True),
        ("scans/sub/out/deep", "scans/", True, True),
        ("link/out", "scans", True, True),
        ("scans/out", "link/..", True, True),
        ("scans/../out", "scans", True, False),
        ("out", "scans", True, False),
        ("scans2", "scans", True, False),
        ("out", ".", True, True),
        ("out", ".", False, False),
        ("out", "-", True, False),
        ("out", "scans/1.png", True, False),
        ("out", "gone.png", True, False),
        ("scans/out", "scans/**/*.png", False, True),
        ("scans/out", "sc*/**", False, True),
        ("out", "scans/**/*.png", True, False),
        ("scans/out", "scans/*", False, True),
        ("scans/out", "scans/s*", True, False),
        ("scans/out/deep", "scans/*", False, False),
        ("scans/out/deep", "scans/*", True, True),
        ("scans/out", "scans/*.png", True, False),
    ],
)
def test_folders_that_would_be_read_again_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, path: str, recursive: bool, refused: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    file(tmp_path / "scans" / "1.png")
    (tmp_path / "scans" / "sub").mkdir()
    (tmp_path / "link").symlink_to("scans/sub", target_is_directory=True)
    for paths in ([path], ["scans/1.png", path]):
        if refused:
            with pytest.raises(UsageError, match=r"--copy-to: .*Received: "):
                check_copy_dir(Path(folder), paths, recursive)
        else:
            check_copy_dir(Path(folder), paths, recursive)


def test_a_link_to_itself_is_read_by_nothing(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert reader_of(tmp_path / "loop", [str(tmp_path / "loop"), "a\0b*"], True) is None
    with pytest.raises(OutputError):
        LabelSorter(tmp_path / "loop")
