"""Summarize a benchmark in words, for the terminal output of `emnist benchmark`.

The summary names the machine, and says what share of its speed each network reaches.
"""

from emnist_cli.core.benchmark.results import Benchmark, BenchmarkRow


def describe_how(benchmark: Benchmark) -> list[str]:
    """Return what was measured on what, and how."""
    machine, settings = benchmark.machine, benchmark.settings
    cores, load = machine["cores"], machine["load"]
    cores = "1 core" if cores == 1 else f"{cores} cores"
    runs = "1 run" if settings["runs"] == 1 else f"medians of {settings['runs']} runs in turns, lowest-highest below"
    lines = [
        f"{machine['cpu']}, {cores}, {machine['system']}, {machine['date']}",
        ", ".join(f"{name} {version}" for name, version in machine["versions"].items()),
        f"{settings['data']}; {runs}; a bare interpreter starts in {benchmark.bare_start.median:.3f} s",
    ]
    if load is not None and load > 0.3 * machine["cores"]:
        lines.append(
            f"Other work ran beside (a load of {load} on {cores} at the start): the machine is faster than this."
        )
    return lines


def describe_load(benchmark: Benchmark) -> list[str]:
    """Return for each row how much of what this machine can compute its network gets (a roofline's roof)."""
    return [line for row in benchmark.rows if (line := _load(row))]


def _load(row: BenchmarkRow) -> str:
    if row.flops is None or row.achieved is None:
        return ""
    threads = "1 thread" if row.threads == 1 else f"{row.threads} threads"
    share = row.achieved / row.peak
    beyond = ", which 8-bit arithmetic may exceed" if row.weights == "int8" else ""
    return (
        f"{row.model} {row.form}, {threads}: {row.flops / 1e6:.1f} MFLOP a picture, in batches of {row.best} "
        f"{row.achieved / 1e9:.0f} GFLOP/s, {share:.0%} of the {row.peak / 1e9:.0f} that a float32 matrix product "
        f"gets here{beyond}."
    )
