"""The tables of cases, one for each file of `adjoint.ops`."""

from importlib import import_module
from pathlib import Path

from .case import CASES as CASES

for table in sorted(Path(__file__).parent.glob("[!_]*.py")):
    if not table.name.startswith("test_") and table.name != "case.py":
        import_module(f".{table.stem}", __name__)
