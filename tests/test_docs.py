"""Every example in the pages and docstrings runs, each page in an interpreter of its own.

Run as a script, this file executes the page named on its command line, or else all docstrings.
"""

import ast
import doctest
import importlib
import inspect
import os
import pkgutil
import re
import shlex
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "CONTRIBUTING.md"]
PAGES += sorted(str(page.relative_to(ROOT)) for page in ROOT.glob("docs/**/*.md"))
TRANSLATION = "README.zh-CN.md"
FENCE = re.compile(r"^( *)```(.*)\n((?:.*\n)*?)\1``` *$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block of a page, and the number of lines above its text."""

    language: str
    text: str
    line: int


def blocks(page):
    text = (ROOT / page).read_text("utf-8")
    return [
        Block(fence[2].strip(), dedent(fence[3]), text.count("\n", 0, fence.start(3)))
        for fence in FENCE.finditer(text)
    ]


def run_doctest(text, namespace, name, file, line):
    """Run the examples in `text`, which may add to `namespace`; print and count the failures."""
    test = doctest.DocTestParser().get_doctest(text, {}, name, str(file), line)
    test.globs = namespace
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.DocTestRunner(optionflags=flags).run(test, clear_globs=False).failed


def run_page(page):
    """Run a page from top to bottom, its Python in one namespace, and of its shell what is ours."""
    namespace, failed = {"__name__": "__main__"}, 0
    for language, text, line in blocks(page):
        if language == "python" and ">>> " in text:
            failed += run_doctest(text, namespace, page, ROOT / page, line)
        elif language == "python":
            exec(compile("\n" * line + text, ROOT / page, "exec", dont_inherit=True), namespace)
        elif language == "sh":
            for command in re.findall(r"^python (-m adjoint\b.*)", text, re.MULTILINE):
                subprocess.run([sys.executable, *shlex.split(command, comments=True)], check=True)
    return failed


def docstrings():
    """Every docstring with its module and line: those in the source, then those of public names.

    The source is parsed, so what a decorator made of a function does not matter; the public names
    add what was put together at import.
    """
    package = importlib.import_module("adjoint")
    names = [info.name for info in pkgutil.walk_packages(package.__path__, "adjoint.")]
    for module in map(importlib.import_module, ["adjoint", *names]):
        for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                if text := ast.get_docstring(node):
                    yield text, module, node.body[0].lineno - 1
    for value in (getattr(package, name) for name in package.__all__):
        if str(getattr(value, "__module__", "")).startswith("adjoint"):
            yield inspect.getdoc(value) or "", package, 0


def run_docstrings():
    """Run each distinct docstring; its examples see their module's names, `ad` and `np`."""
    common = {"ad": importlib.import_module("adjoint"), "np": importlib.import_module("numpy")}
    distinct = {text: (module, line) for text, module, line in reversed([*docstrings()])}
    return sum(
        run_doctest(text, {**vars(module), **common}, module.__name__, module.__file__, line)
        for text, (module, line) in distinct.items()
    )


def check(directory, *page):
    """Run this file as a script in `directory`; where it fails, show what it printed."""
    run = subprocess.run(
        [sys.executable, "-P", "-W", "error", __file__, *page],
        cwd=directory,
        env=os.environ | {"MPLBACKEND": "Agg", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("page", PAGES)
def test_page_runs(page, tmp_path):
    check(tmp_path, page)


def test_docstrings_run(tmp_path):
    check(tmp_path)


@pytest.mark.parametrize("page", [*PAGES, TRANSLATION])
def test_no_example_escapes(page):
    """No fence is overlooked, and Python and shell go by the two names that are run."""
    found = blocks(page)
    assert len(re.findall(r"^[ >]*(?:```|~~~)", (ROOT / page).read_text(), re.M)) == 2 * len(found)
    for block in found:
        assert block.language in ("python", "sh") or not (
            re.match(r"\W*(i?py|sh|bash|zsh|console)", block.language, re.IGNORECASE)
            or re.search(r"^(>>> |import adjoint|from adjoint)", block.text, re.MULTILINE)
        ), f"{page}, line {block.line}: fence Python as `python`, shell as `sh`"


def test_translation_keeps_in_step():
    """The translated README has the same code as the README, which runs."""
    original, translated = (
        [block[:2] for block in blocks(page) if block.language in ("python", "sh")]
        for page in ("README.md", TRANSLATION)
    )
    assert translated == original


if __name__ == "__main__":
    sys.exit(bool(run_page(sys.argv[1]) if sys.argv[1:] else run_docstrings()))
