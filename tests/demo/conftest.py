"""A run of the command line in this process, and one in a process of its own."""

import os
import subprocess
import sys
from typing import NamedTuple

import pytest

from adjoint.__main__ import main


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def adjoint(capsys, tmp_path, monkeypatch):
    """`adjoint("demo", "--data", "cancer")` -> status, out, err, in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def run(*argv):
        try:
            status = main(argv)
        except SystemExit as end:
            status = end.code
        return Outcome(status, *capsys.readouterr())

    return run


@pytest.fixture
def process(tmp_path):
    """As `adjoint`, by `python -W error -m adjoint`."""

    def run(*argv, **options):
        command = [sys.executable, "-W", "error", "-m", "adjoint", *argv]
        keep = {"capture_output": True, "text": True, "cwd": tmp_path, **options}
        done = subprocess.run(command, env=os.environ | {"TERM": "xterm"}, **keep)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run
