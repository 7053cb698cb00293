"""Random programs by the thousand: `python tests/compiler/fuzz.py FIRST LAST` runs these seeds."""

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from compiler.test_compiled import agrees


def main(first: int, last: int) -> int:
    """Run the seeds; say which fail, and how many."""
    warnings.simplefilter("ignore")
    failed = 0
    for seed in range(first, last):
        try:
            agrees(seed)
        except Exception as error:
            failed += 1
            print(f"seed {seed}: {type(error).__name__}: {str(error).strip()[:1000]}")
    print(f"{last - first} programs, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
