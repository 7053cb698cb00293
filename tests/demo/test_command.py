"""The command line: what it prints, saves and refuses."""

import contextlib
import os
import struct
import subprocess
import sys

import numpy as np
import pytest

import adjoint as ad
from adjoint.__main__ import main
from adjoint.demo import command, terminal

ESCAPE = "\x1b"
SHORT = ["demo", "--samples", "20", "--epochs", "3"]


def assert_picture(path):
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert min(struct.unpack(">II", head[16:])) > 300


def test_tutorial_prints_a_line_a_pass_and_saves_two_pictures(adjoint, tmp_path):
    pytest.importorskip("matplotlib")
    status, out, err = adjoint(*SHORT, "--data", "tutorial", "--out", "deep/down")
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert sum(line.startswith("pass ") for line in lines) == 3
    assert any(line.startswith("accuracy ") and "before" in line for line in lines)
    assert "ad.log_sigmoid" in out and "nan" in out
    for name in ("boundary", "likelihood"):
        path = tmp_path / "deep" / "down" / f"tutorial-{name}.png"
        assert_picture(path)
        assert f"saved {path.relative_to(tmp_path)}" in lines


def test_everything_runs_and_every_path_printed_is_a_picture(adjoint, tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("sklearn")
    status, out, err = adjoint(*SHORT)
    assert (status, err) == (0, "")
    saved = [line.removeprefix("saved ") for line in out.splitlines() if line.startswith("saved ")]
    assert sorted(saved) == sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.png"))
    assert len(saved) == 6
    for path in saved:
        assert_picture(tmp_path / path)
    assert out.count("% test (") == 2


def test_same_seed_same_words_other_seed_others(adjoint):
    def words(seed):
        out = adjoint(*SHORT, "--data", "tutorial", "--seed", seed).out
        return [line for line in out.splitlines() if line.startswith("pass ")]

    assert words("3") == words("3") != words("4")


@pytest.mark.parametrize("classes, kind", [(2, "logistic"), (3, "softmax")])
def test_csv_of_the_user_is_learnt(adjoint, tmp_path, rng, classes, kind):
    label = rng.integers(0, classes, 120)
    table = np.column_stack([4 * label + rng.normal(size=120), rng.normal(size=120), label])
    np.savetxt(tmp_path / "mine.csv", table, delimiter=",", header="a,b,kind", comments="")
    status, out, _ = adjoint("demo", "--data", "mine.csv")
    assert status == 0
    assert f"mine: 120 rows, 2 columns, {classes} classes; {kind} regression" in out
    assert float(out.split("train (96 rows), ")[1].split("%")[0]) > 90


@pytest.mark.parametrize(
    "options, complaint",
    [
        (["--samples", "-5"], "--samples: must be a whole number from 1 on, not '-5'"),
        (["--samples", "2.5"], "--samples: must be a whole number from 1 on, not '2.5'"),
        (["--epochs", "0"], "--epochs: must be a whole number from 1 on, not '0'"),
        (["--seed", "-1"], "--seed: must be a whole number from 0 on, not '-1'"),
        (["--seed", "9" * 5000], "--seed: must be a whole number"),
        (["--rate", "0"], "--rate: must be a positive number, not '0'"),
        (["--rate", "nan"], "--rate: must be a positive number, not 'nan'"),
        (["--data", "cancers"], "--data: must be all, tutorial, cancer, digits or the path of"),
        (["--data", "."], "--data: . cannot be read"),
        (["--data", "words.csv"], "--data: words.csv has no column of numbers"),
        (["--out", "words.csv"], "--out: cannot write into words.csv"),
        (["--out", "words.csv/deeper"], "--out: cannot write into words.csv"),
        (["--colour", "red"], "unrecognized arguments: --colour red"),
    ],
)
def test_bad_option_is_refused_in_one_line(adjoint, tmp_path, options, complaint):
    (tmp_path / "words.csv").write_text("name,label\nx,0\ny,1\n")
    status, out, err = adjoint("demo", *options)
    assert (status, out) == (2, "")
    assert complaint in err and "error: " in err
    assert err.count("\n") == 1 and err.endswith("\n")
    assert [p.name for p in tmp_path.iterdir()] == ["words.csv"]


def test_overflow_by_a_large_rate_ends_with_a_word_and_status_1(adjoint, tmp_path):
    status, out, _ = adjoint("demo", "--data", "tutorial", "--rate", "1e4")
    assert status == 1
    assert "stopped: the formula overflowed in pass" in out
    assert not list(tmp_path.rglob("*.png"))


@pytest.fixture
def without(monkeypatch):
    """Pretend that some libraries are not installed."""

    def hide(*names):
        found = terminal.optional
        stub = lambda module: None if module.split(".")[0] in names else found(module)  # noqa: E731
        monkeypatch.setattr(command, "optional", stub)
        monkeypatch.setattr(terminal, "optional", stub)

    return hide


def test_without_matplotlib_it_learns_and_says_what_is_missing(adjoint, without, tmp_path):
    without("matplotlib")
    status, out, _ = adjoint(*SHORT, "--data", "tutorial")
    assert status == 0
    assert "Matplotlib is not installed: no pictures." in out and '"adjoint[demo]"' in out
    assert "accuracy" in out and not list(tmp_path.rglob("*.png"))


def test_without_scikit_learn_the_rest_goes_on(adjoint, without):
    without("sklearn")
    status, out, _ = adjoint(*SHORT)
    assert status == 0
    assert "cancer: left out, scikit-learn is not installed" in out
    assert "accuracy" in out
    assert adjoint(*SHORT, "--data", "digits").status == 1


def test_a_module_that_is_not_there_is_none():
    assert terminal.optional("adjoint_has_no_such_friend") is None


def test_into_a_pipe_no_escape_code_is_written(process):
    status, out, err = process(*SHORT)
    assert (status, err) == (0, "")
    assert ESCAPE not in out and "\r" not in out


def test_reader_that_leaves_early_causes_no_traceback(process, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    status, _, err = process(
        *SHORT, "--data", "tutorial", capture_output=False, stdout=writer, stderr=-1
    )
    os.close(writer)
    assert (status, err) == (1, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_on_a_terminal_a_bar_moves_and_every_line_is_there(tmp_path):
    pty = pytest.importorskip("pty")
    pytest.importorskip("rich")
    screen, ours = pty.openpty()
    command = [sys.executable, "-m", "adjoint", *SHORT, "--data", "tutorial"]
    run = subprocess.Popen(command, stdout=ours, cwd=tmp_path, env=os.environ | {"TERM": "xterm"})
    os.close(ours)
    shown = b""
    with contextlib.suppress(OSError):  # how a pseudo-terminal ends on Linux
        while piece := os.read(screen, 65536):
            shown += piece
    os.close(screen)
    assert run.wait() == 0
    text = shown.decode()
    assert ESCAPE in text and "100%" in text
    assert text.count("likelihood ") >= 3 and "accuracy " in text


def test_no_command_prints_help(adjoint):
    status, out, err = adjoint()
    assert (status, err) == (0, "")
    assert all(name in out for name in ("demo", "explain", "info"))


def test_unknown_command_is_refused_in_one_line(adjoint):
    status, out, err = adjoint("dmo")
    assert (status, out) == (2, "") and err.count("\n") == 1 and "'dmo'" in err


def test_info_tells_versions_and_counts_every_op(adjoint):
    status, out, _ = adjoint("info")
    assert status == 0
    assert ad.__version__ in out and np.__version__ in out and sys.version.split()[0] in out
    counts = out.split("ops ")[1].split(":")
    assert int(counts[0]) == len(ad.OPS)
    assert sum(int(part.split()[0]) for part in counts[1].split(",")) == len(ad.OPS)


def test_interruption_is_no_traceback(capsys, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run", interrupt)
    assert main(["demo"]) == 130
    assert capsys.readouterr().err == "\ninterrupted\n"
