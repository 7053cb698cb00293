"""Why a gradient is zero, NaN, infinite or missing, with the line where that happens."""

import numpy as np
import pytest

import adjoint as ad
from adjoint.show.why import why


def only(report, kind):
    (finding,) = [f for f in report.findings if f.kind == kind]
    return finding


def length(x):
    squares = ad.sum(x * x)
    return ad.sqrt(squares)  # the culprit


def test_the_first_bad_cotangent_is_named_with_its_line():
    report = why(length, np.zeros(2))
    found = report.findings[0]
    assert found.kind == "cotangent"
    assert found.text == (
        "the cotangent becomes infinity in v̄2 = v̄3 / (2 · v3), the derivative of √v2, "
        "where v2 = 0, v3 = 0"
    )
    assert "test_why.py:" in found.place and "# the culprit" in found.place
    assert str(report.findings[1]) == "x: the gradient holds NaN (2 of 2 elements not finite)"


def test_the_first_bad_value_is_named():
    found = only(why(lambda x: ad.exp(ad.log(x) * 0), 0.0), "value")
    assert found.text == "the value is infinity in ln x, where x = 0, v1 = -inf"


def test_a_bad_input_is_named():
    assert only(why(lambda x: 2 * x, np.array([1.0, np.nan])), "value").about == "x"


def test_an_input_that_nothing_uses():
    report = why(lambda x, unused: 2 * x, 1.0, 2.0)
    assert str(report) == (
        "x: the gradient is finite and nonzero: 2\n"
        "unused: the gradient is zero: no path connects it to the output"
    )


@pytest.mark.parametrize(
    "f, text",
    [
        (lambda x: ad.floor(x) * 2, "`floor` cuts the path, a step function"),
        (lambda x: x.detach() * 2, "`detach` cuts the path, because the program says so"),
        (lambda x: 2.0 * (x > 0), "`greater` cuts the path, it gives truth values or indices,"),
        (lambda x: ad.copysign(2.0, x), "`copysign` cuts the path, having no derivative in"),
        (lambda x: ad.sign(x) + 1, "`sign` cuts the path, the sign only jumps, at 0"),
    ],
)
def test_a_path_that_is_cut(f, text):
    found = only(why(f, 1.5), "cut")
    assert text in found.text and "test_why.py:" in found.place


def test_a_path_beside_the_cut_counts():
    assert why(lambda x: ad.floor(x) * x, 1.5).findings[0].kind == "fine"


def test_a_masked_element():
    found = only(why(lambda x: ad.sum(ad.maximum(x, 0.0)), np.array([-1.0, 2.0])), "partly zero")
    assert "zero in 1 of 2 elements: maximum(x, 0) stops 1 of 2 elements" in found.text


def test_a_saturated_function():
    found = only(why(lambda x: ad.sigmoid(x), 1000.0), "zero")
    assert "sigmoid x stops it with x̄ = v̄1 · v1 · (1 - v1), where x = 1000, v1 = 1" in found.text


def test_contributions_that_cancel():
    assert only(why(lambda x: x - x, 3.0), "cancelled").about == "x"


def test_elements_that_are_not_picked():
    found = only(why(lambda x: x[0], np.ones(3)), "cancelled")
    assert "zero in 2 of 3 elements: no path leads to those elements" in found.text


def test_a_missing_rule():
    found = only(why(lambda x: ad.nextafter(x, 9.0) * x, 3.0), "no rule")
    assert "`nextafter` has no derivative rule" in found.text and "test_why.py:" in found.place


def test_a_tensor_says_whether_it_has_a_gradient():
    x, other = ad.Tensor(2.0), ad.Tensor(3.0)
    y = x * x
    assert [f.kind for f in why(y, x, other).findings] == ["fine", "no path"]
    assert why(y).findings[0].kind == "not kept"
    assert why(y.detach()).findings[0].kind == "untracked"
    assert why(x).findings[0].kind == "zero"
    y.backward()
    assert str(why(x)) == "this Tensor: `.grad` is not zero: 4"
    x.grad = np.float64("nan")
    assert why(x).findings[0].kind == "cotangent"


def test_a_tensor_takes_tensors():
    with pytest.raises(ad.errors.DataError, match="argument 1 is a float"):
        why(ad.Tensor(1.0) * 2, 3.0)
