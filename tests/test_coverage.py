"""The pages of coverage and of accuracy say what is so, and no function of others is forgotten."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import peers
import pytest
import scipy.special

import adjoint as ad

ROOT = Path(__file__).parents[1]


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def covered():
    return script("covered")


def test_every_function_of_numpy_and_of_others_is_here_or_has_a_reason(covered):
    missing, needless = covered.unexplained()
    assert not missing, "make it public, or give a reason in benchmarks/covered.py"
    assert not needless, "this has a reason in benchmarks/covered.py, and needs none"


@pytest.mark.parametrize("library", ["numpy", "numpy.linalg", "numpy.fft", "scipy.special"])
def test_the_list_of_their_functions_is_whole(library):
    """Of a newer NumPy or SciPy than those that the list was made of, it need not be."""
    module = sys.modules[library]
    version, known = (scipy.__version__, "1.18") if "scipy" in library else (np.__version__, "2.5")
    if [*map(int, version.split(".")[:2])] >= [*map(int, known.split("."))]:
        pytest.skip("newer than the list")
    kind = np.ufunc if "scipy" in library else object
    found = {n for n in dir(module) if n[0] != "_" and isinstance(getattr(module, n), kind)}
    found = {n for n in found if callable(getattr(module, n))}
    found = {n for n in found if not isinstance(getattr(module, n), type)}
    assert found <= set(peers.LIBRARY[library].split())


def test_the_page_has_every_function(covered):
    """The cells are measured by `python benchmarks/covered.py --check`, and by test_every_op."""
    assert covered.page(covered.recorded()) == covered.PAGE.read_text("utf-8"), (
        "run `python benchmarks/covered.py --write`"
    )


def test_the_page_has_no_wrong_cell(covered):
    cells = {
        cell for row in covered.PAGE.read_text("utf-8").splitlines() for cell in row.split(" | ")
    }
    assert {covered.YES, covered.ZERO, covered.REFUSED} <= cells
    assert covered.WRONG not in cells and "?" not in cells


@pytest.fixture(scope="module")
def accuracy():
    return script("accuracy")


def test_every_elementwise_op_is_measured(accuracy):
    """Of the main namespace; of the special functions the page has a selection."""
    room = "adjoint.ops.elementwise"
    ours = [op for op in ad.OPS.values() if op.forward.__module__ == room]
    names = {op.name for op in ours if op.word == "elementwise"}
    assert names - {*accuracy.ONE, *accuracy.TWO} == accuracy.EXACT


def accuracies(page):
    """The rows of the page: name -> errors of value and slope, and the reason."""
    rows = [line.split(" | ") for line in page.read_text("utf-8").splitlines() if "| `" in line]
    return {row[0][3:-1]: (float(row[2]), float(row[3]), row[5].strip("| ")) for row in rows}


def test_the_page_of_accuracy_has_every_subject_and_every_reason(accuracy):
    said = accuracies(accuracy.PAGE)
    assert [*said] == [s.name for s in accuracy.in_order()], (
        "run `python benchmarks/accuracy.py --write`"
    )
    for name, (value, slope, why) in said.items():
        assert why == accuracy.REASONS.get(name, "")
        assert bool(why) == (max(value, slope) > accuracy.ALLOWED), name


def test_values_and_slopes_are_as_accurate_as_the_page_says(accuracy):
    """At some points, those of the functions that mpmath is quick with."""
    said = accuracies(accuracy.PAGE)
    for subject in accuracy.in_order():
        if subject.name in accuracy.ONE:
            some = subject._replace(points=subject.points[::17])
            for errors, limit in zip(accuracy.measured(some), said[subject.name], strict=False):
                assert max(errors).error <= 10 * limit + 1e-15, subject.name
