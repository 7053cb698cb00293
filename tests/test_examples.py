"""Each example runs as a reader would run it, and reaches what it promises."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def output(name, tmp_path):
    """What an example prints; a warning is an error."""
    run = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name],
        cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_network_without_a_module_system_reads_digits(tmp_path):
    pytest.importorskip("sklearn")
    found = re.search(r"accuracy ([\d.]+)%", output("mlp_digits.py", tmp_path))
    assert float(found[1]) > 97
