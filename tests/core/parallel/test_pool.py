import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from emnist_cli.core.errors import EmnistError, ModelError, UsageError
from emnist_cli.core.parallel.pool import Pool
from tests import work


def give_up(item: str, reason: str) -> str:
    return f"{item} given up: {reason}"


def run(chunks: object, size: int = 2, timeout: float = 30, make: Callable[..., object] = work.make) -> list[str]:
    pool: Pool[str, str] = Pool(make, size, timeout, give_up)  # type: ignore[arg-type]
    try:
        return [result for results in pool.map(chunks) for result in results]  # type: ignore[arg-type]
    finally:
        pool.close()


@pytest.mark.parametrize("size", [1, 2, 3])
def test_results_come_in_order(size: int) -> None:
    chunks = [[f"{i}.{k}" for k in range(i % 4 + 1)] for i in range(60)]
    assert run(chunks, size) == [f"{item} done" for chunk in chunks for item in chunk]


def test_nothing_to_do() -> None:
    assert run([]) == []


def test_who_dies_is_given_up_alone() -> None:
    found = run([["a", "die", "b"], ["c", "d"], ["die 2"], ["e"]])
    assert [result.split(":")[0] for result in found] == [
        "a done", "die given up", "b done", "c done", "d done", "die 2 given up", "e done",
    ]  # fmt: skip
    assert found[1] == "die given up: the process that reads it ends each time (exit code 9)"


@pytest.mark.slow
def test_who_hangs_is_given_up_alone() -> None:
    found = run([["a", "hang", "b"], ["c"], ["hang 2"], ["d"]], timeout=1)
    assert [result.split(":")[0] for result in found] == [
        "a done", "hang given up", "b done", "c done", "hang 2 given up", "d done",
    ]  # fmt: skip
    assert found[1] == "hang given up: took longer than 1 s and was given up"


@pytest.mark.parametrize("chunk", [["a", "{}", "b"], ["{}"]])
def test_a_process_killed_from_outside_costs_nothing(tmp_path: Path, chunk: list[str]) -> None:
    items = [item.format(f"die-once {tmp_path / 'mark'}") for item in chunk]
    assert run([items]) == [f"{item} done" for item in items]


def test_errors_meant_for_the_user_arrive() -> None:
    with pytest.raises(UsageError, match="cannot be meant"):
        run([["a"], ["b", "refuse"], ["c"]])
    with pytest.raises(ModelError, match="no model: there is none"):
        run([["a"]], make=work.make_none)
    with pytest.raises(EmnistError, match=r"ended before it could begin \(exit code 7\)"):
        run([["a"]], make=work.make_and_die)


def test_reads_only_a_little_ahead() -> None:
    taken = count()

    def chunks() -> Iterator[list[str]]:
        while True:
            yield [str(next(taken))]

    pool: Pool[str, str] = Pool(work.make, 2, 30, give_up)
    try:
        results = pool.map(chunks())
        assert [next(results) for _ in range(50)] == [[f"{i} done"] for i in range(50)]
        assert next(taken) < 70
    finally:
        pool.close()


def test_closing_ends_the_processes_whatever_they_are_at() -> None:
    pool: Pool[str, str] = Pool(work.make, 2, 600, give_up)
    results = pool.map([["a"], ["hang"], ["b"], ["c"]])
    assert next(results) == ["a done"]
    processes = [process._process for process in pool._processes]
    assert processes
    pool.close()  # or this test would take the ten minutes for which it hangs
    assert all(process.returncode is not None for process in processes)


@pytest.mark.slow
def test_a_users_script_is_not_run_again(tmp_path: Path) -> None:
    """A script without a guard around its main part, and files called like modules beside it."""
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong one')")
    script = tmp_path / "mine" / "script.py"
    script.parent.mkdir()
    script.write_text(
        "print('begun')\n"
        "from emnist_cli.core.parallel.run_files import predict_files\n"
        "print([p.status for p in predict_files(['a.png', 'b.png'])])\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "begun\n['error', 'error']\n", done.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_who_is_killed_before_it_has_begun_is_replaced() -> None:
    pool: Pool[str, str] = Pool(work.make_slowly, 2, 30, give_up)
    results = pool.map([["a", "b"], ["c"], ["d"]])
    threading.Timer(0.3, lambda: [process.kill() for process in list(pool._processes)]).start()
    try:
        assert [result for part in results for result in part] == ["a done", "b done", "c done", "d done"]
    finally:
        pool.close()


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_where_all_are_killed_before_they_have_begun_it_is_said() -> None:
    with pytest.raises(EmnistError, match="worker processes end before they can begin"):
        run([["a", "b"], ["c"]], make=work.make_and_be_killed)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals and /proc")
@pytest.mark.parametrize("last", ["b", "hang"])
def test_processes_end_with_the_one_that_started_them(tmp_path: Path, last: str) -> None:
    """Killed without a chance to end them, whatever they are at; who hangs ends when its time is over."""
    script = (
        "import sys\n"
        "from emnist_cli.core.parallel.pool import Pool\n"
        "from tests import work\n"
        "pool = Pool(work.make, 2, 3, None)\n"
        f"results = pool.map([['a'], ['{last}'], ['c']])\n"
        "next(results)\n"
        "print(*[p._process.pid for p in pool._processes], flush=True)\n"
        "sys.stdin.read()\n"
    )
    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert pids
    process.kill()
    process.communicate(timeout=30)
    deadline = time.monotonic() + 30
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in pids if _alive(pid)]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")  # one that nobody waits for any more is not alive
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def test_work_that_is_refused_does_not_cost_the_next() -> None:
    pool: Pool[str, str] = Pool(work.make, 1, 30, give_up)
    try:
        assert pool.submit([]).result() == []
        with pytest.raises(UsageError, match="cannot be meant"):
            pool.submit(["refuse"]).result()
        assert pool.submit(["a"]).result() == ["a done"]
    finally:
        pool.close()
