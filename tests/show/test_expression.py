"""What may be typed at the command line: arithmetic, and nothing that runs."""

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import ExpressionError
from adjoint.show.explain import main
from adjoint.show.expression import functions, parse


@pytest.mark.parametrize(
    "text, value",
    [
        ("2*x + 1", 7.0),
        ("-x**2", -9.0),
        ("+x - -1", 4.0),
        ("x/2", 1.5),
        ("ln(e) + sin(pi/2)", 2.0),
        ("maximum(x, 4) * abs(-x)", 12.0),
        ("clip(x, 0, 1)", 1.0),
        (" ( (x) ) ", 3.0),
        ("1e3 + .5", 1000.5),
    ],
)
def test_arithmetic_is_computed(text, value):
    assert parse(text, ["x"])(3.0) == pytest.approx(value)


def test_it_is_differentiated_like_any_function():
    f = parse("exp(x) * y", ["x", "y"])
    assert ad.grad(f, 1)(0.0, 5.0) == 1.0


def test_reductions_take_arrays():
    assert parse("sum(x) + mean(x) + max(x)", ["x"])(np.array([1.0, 2.0, 3.0])) == 11.0


def test_a_name_hides_a_constant():
    assert parse("e + pi", ["e", "pi"])(1.0, 2.0) == 3.0


@pytest.mark.parametrize(
    "text, says",
    [
        ("x.real", "column 1: an attribute is not arithmetic."),
        ("1 + x[0]", "column 5: a subscript"),
        ("().__class__.__bases__", "column 1: an attribute"),
        ("lambda: 1", "column 1: a lambda"),
        ("[i for i in x]", "column 1: a comprehension"),
        ("sum(i for i in x)", "column 4: a comprehension"),
        ("(y := 2)", "column 2: an assignment"),
        ("x if x else 2", "column 1: a choice"),
        ("x and 2", "column 1: a choice"),
        ("x == 1", "column 1: a comparison"),
        ("x^2", "column 1: `^` (a power is `**`)"),
        ("~x", "column 1: `~x` is not arithmetic"),
        ("x @ x", "column 1: `x @ x` is not arithmetic"),
        ("x // 2", "column 1: `x // 2` is not arithmetic"),
        ("'a' * 3", "column 1: `'a'` is not a real number"),
        ("True + 1", "column 1: `True` is not a real number"),
        ("2j", "column 1: `2j` is not a real number"),
        ("f'{x}'", "column 1: text is not arithmetic"),
        ("__import__('os')", "column 1: there is no function `__import__`"),
        ("eval('1')", "column 1: there is no function `eval`"),
        ("__name__", "column 1: `__name__` has no value"),
        ("where(x, x, x)", "column 1: there is no function `where`"),
        ("(sin)(x)(x)", "column 1: only functions can be called by name"),
        ("z + 1", "column 1: `z` has no value; known are x, pi and e. Add z=1."),
        ("é + zzz", "column 1: `é` has no value"),
        ("1 + sin", "column 5: `sin` is a function: write sin(...)."),
        ("sin(x, x)", "column 1: `sin` takes 1 argument, by position."),
        ("hypot(x)", "column 1: `hypot` takes 2 arguments, by position."),
        ("sin(x=1)", "column 1: `sin` takes 1 argument"),
        ("sin(*x)", "column 5: a star"),
        ("sin(x", "column 4: '(' was never closed."),
        ("x +", "column 4: invalid syntax."),
        ("x; x", "column 2: invalid syntax."),
        ("import os", "column 1: invalid syntax."),
        ("", "the expression is empty."),
        ("x\0", "null byte"),
        ("x" * 1001, "it has 1001 characters; at most 1000 are read."),
        ("-" * 900 + "1", "nested"),
        ("(" * 190 + "x" + ")" * 190 + "(", "column"),
        ("1+" * 400 + "x", "nested"),
    ],
)
def test_the_rest_is_refused_with_its_place(text, says):
    with pytest.raises(ExpressionError) as caught:
        parse(text, ["x"])
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text", ["9**9**9**9", "1/0", "log(0)", "(-8)**(1/3)", "9" * 900, "2**1e9"]
)
def test_constants_must_be_finite(text):
    with pytest.raises(ExpressionError, match="is not a finite number"):
        parse(text, [])()


def test_functions_are_public_names_of_real_numbers():
    known = functions()
    assert {"sin", "abs", "clip", "std", "sign", "logsumexp"} <= known.keys()
    assert not {"where", "fabs", "clamp", "nextafter", "reshape", "length"} & known.keys()


@pytest.mark.parametrize(
    "assignments, says",
    [
        (["x"], "`x` gives no value to a name."),
        (["=2"], "`=2` gives no value to a name."),
        (["2=x"], "`2=x` gives no value to a name."),
        (["lambda=2"], "`lambda=2` gives no value to a name."),
        (["__x__=2"], "`__x__=2` gives no value to a name."),
        (["x=a"], "the value of `x` must be a number or a list of numbers; `a` came."),
        (["x=nan"], "the value of `x` must be"),
        (["x=1j"], "the value of `x` must be"),
        (["x=True"], "the value of `x` must be"),
        (["x=[1,[2,3]]"], "the value of `x` must be"),
        (["x=" + "[" * 400], "the value of `x` must be"),
        (["x=__import__('os')"], "the value of `x` must be"),
        (["x=1", "x=2"], "`x` is given a value more than once."),
        (["x=[1,2]", "y=[1,2,3]"], "could not be broadcast"),
    ],
)
def test_the_command_refuses_in_one_line(assignments, says, capsys):
    assert main("x + y", assignments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("adjoint explain: ") and err.count("\n") == 1
    assert says in err


def test_the_command_takes_lists(capsys):
    assert main("sum(x * y)", ["x=[1, 2, 3]", " y = [[1, 1, 1]] "]) == 0
    assert "x̄" in capsys.readouterr().out
