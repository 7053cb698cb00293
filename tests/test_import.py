"""What `import adjoint` brings along, and how each module introduces itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "adjoint"
PROBE = """
import sys, numpy
before = set(sys.modules)
import adjoint
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*new - sys.stdlib_module_names - {"adjoint", "numpy"})
"""


def test_import_brings_numpy_and_the_standard_library_only():
    """No array library but NumPy; nor SciPy, Matplotlib, Rich, or any other package."""
    run = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


@pytest.mark.parametrize("module", [str(f.relative_to(SOURCE)) for f in SOURCE.rglob("*.py")])
def test_first_line_says_what_lives_there(module):
    assert re.match(r'r?"""\w.*[.:?]', (SOURCE / module).read_text("utf-8"))
