"""The benchmarks of compiled functions run, and what is timed agrees with the answers by hand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "compile" / "run.py"
ALONE = ("--small", "--peers", "eager", "--rounds", "2")


def run(tmp_path, *given):
    """What a run prints, and the report it writes."""
    out = tmp_path / "RESULTS.md"
    done = subprocess.run(
        [sys.executable, SCRIPT, *ALONE, "--out", out, *given],
        capture_output=True, text=True, env=os.environ | {"ADJOINT_CACHE": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, out.read_text()


@pytest.fixture(autouse=True)
def private(tmp_path):
    pytest.importorskip("llvmlite")
    tmp_path.chmod(0o700)


def test_every_workload_runs_and_agrees_with_the_answer_by_hand(tmp_path):
    printed, report = run(tmp_path, "--processes", "0")
    assert "Error" not in printed and "wrong" not in printed
    rows = [line for line in report.splitlines() if "| float" in line]
    assert len(rows) == 2 * 9 * 2  # ratios and times, of nine workloads in two dtypes
    assert "The first call" not in report


def test_first_calls_are_timed_in_new_processes_and_judged(tmp_path):
    _, report = run(tmp_path, "--workloads", "tiny", "--dtypes", "float64", "--processes", "1")
    assert "tiny float64: first call in" in report
    assert "tiny float64: with a warm cache in" in report
