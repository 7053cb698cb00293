"""The command line: `python -m adjoint demo`, `explain`, `cache` or `info`."""

import argparse
import os
import platform
import sys
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

import numpy as np

from . import OPS, __version__
from .demo import command as demo

EXTRAS = """rich matplotlib scikit-learn scipy llvmlite dask distributed
array-api-compat array-api-strict cupy-cuda12x cupy-cuda13x jax torch""".split()


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with status 2."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def info() -> int:
    """Print what a bug report should tell."""
    print(f"adjoint   {__version__}")
    print(f"Python    {platform.python_version()} ({platform.python_implementation()})")
    print(f"NumPy     {np.__version__}")
    print(f"platform  {platform.platform()}")
    found = {}
    for name in EXTRAS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    print(f"optional  {', '.join(f'{name} {found[name]}' for name in found) or 'none'}")
    words = Counter(op.word for op in OPS.values())
    counts = ", ".join(f"{count} {word}" for word, count in words.most_common())
    print(f"ops       {len(OPS)}: {counts}")
    return 0


def explain(expression: str, assignments: list[str]) -> int:
    """Print the two-column trace of an expression."""
    from .show.explain import main  # why: the other commands do without it

    return main(expression, assignments)


def cache(clear: bool) -> int:
    """Say what compiled code is kept on disk, or remove it."""
    from .compiler import cache  # why: the other commands do without it

    if clear:
        try:
            print(f"files removed: {cache.clear()}")
        except OSError as error:
            print(f"adjoint: nothing was removed: {error}", file=sys.stderr)
            return 1
    print(cache.describe())
    return 0


def make_parser() -> Parser:
    """The parser of all commands."""
    program = "adjoint" if os.path.basename(sys.argv[0]) == "adjoint" else "python -m adjoint"
    parser = Parser(prog=program, description="Automatic differentiation for any array.")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    say = dict(demo="train logistic regression by gradient, on the tutorial's points and real data")
    say |= dict(explain="the derivative of an expression, step by step")
    say |= dict(cache="where compiled code is kept, and how much of it")
    say |= dict(info="versions and what is installed, for bug reports")
    parts = {name: commands.add_parser(name, help=say[name]) for name in say}
    for name in ("explain", "cache", "info"):
        parts[name].description = say[name][0].upper() + say[name][1:] + "."
    demo.add_options(parts["demo"])
    parts["demo"].set_defaults(run=lambda o: demo.run(o, parts["demo"].error))
    parts["explain"].add_argument(
        "expression", metavar="EXPRESSION", help="in Python, as 'log(x1) + x1 * x2 - sin(x2)'"
    )
    parts["explain"].add_argument(
        "assignments", metavar="NAME=VALUE", nargs="*", help="where it is taken, as x1=2 x2=5"
    )
    parts["explain"].set_defaults(run=lambda o: explain(o.expression, o.assignments))
    parts["cache"].add_argument("--clear", action="store_true", help="remove all of it")
    parts["cache"].set_defaults(run=lambda o: cache(o.clear))
    parts["info"].set_defaults(run=lambda o: info())
    parser.add_argument("--version", action="version", version=f"adjoint {__version__}")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (or else the command line) asks for; its exit status."""
    parser = make_parser()
    options = parser.parse_args(argv)
    if options.command is None:
        parser.print_help()
        return 0
    try:
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
