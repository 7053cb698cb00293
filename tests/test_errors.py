"""Every error: a page for users, a place in Python's own hierarchy, a cause and a cure."""

import builtins
import inspect
import re
from pathlib import Path

import pytest

from adjoint import errors

PAGE = (Path(__file__).parents[1] / "docs" / "errors.md").read_text("utf-8")
CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and value is not errors.AdjointError
]
every = pytest.mark.parametrize("error", CLASSES, ids=lambda e: e.__name__)


@every
def test_is_an_adjoint_error_and_a_built_in_one(error):
    assert issubclass(error, errors.AdjointError)
    assert any(base.__name__ in vars(builtins) for base in error.__bases__)


@every
def test_has_a_docstring_with_an_example(error):
    assert ">>> " in error.__doc__
    assert "Traceback" in error.__doc__


@every
def test_has_a_section_with_an_example_on_the_page(error):
    base = next(b.__name__ for b in error.__bases__ if b.__name__ in vars(builtins))
    name = error.__name__
    assert f"| [`{name}`](#{name.lower()}) | `{base}` |" in PAGE
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section, f"docs/errors.md has no section {name}"
    assert f"adjoint.errors.{name}: " in section[1]


def test_the_page_names_no_error_that_is_gone():
    names = set(re.findall(r"adjoint\.errors\.(\w+)", PAGE))
    assert names == {error.__name__ for error in CLASSES}
