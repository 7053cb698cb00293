"""The developers' one command: `nox` runs what must pass, `nox -s NAME` one session."""

import nox

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "tests"]


def develop(session: nox.Session, *constraints: str) -> None:
    session.install("--editable", ".[dev]", *constraints)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests; arguments go to pytest."""
    develop(session)
    session.run("pytest", *session.posargs)


@nox.session
def min_numpy(session: nox.Session) -> None:
    """All tests on the oldest NumPy we support."""
    develop(session, "numpy==2.0.*")
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and spelling."""
    develop(session)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("codespell")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy: strict on the core and the public face."""
    develop(session)
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Every example of the pages and docstrings."""
    develop(session)
    session.run("pytest", "tests/test_docs.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks; arguments go to benchmarks/run.py."""
    develop(session)
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session
def bench_compile(session: nox.Session) -> None:
    """Compiled functions beside their peers; arguments go to benchmarks/compile/run.py."""
    develop(session)
    session.run("python", "benchmarks/compile/run.py", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Thousands of random programs, compiled against eager: `nox -s fuzz -- FIRST LAST`."""
    develop(session)
    session.run("python", "tests/compiler/fuzz.py", *(session.posargs or ("200", "4200")))


@nox.session
def coverage(session: nox.Session) -> None:
    """All tests, and the lines and branches that none of them reaches."""
    develop(session)
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")
