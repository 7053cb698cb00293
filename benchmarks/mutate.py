"""Would a test notice? Each rule of the registry in turn is made wrong by a factor of 1.001.

    python benchmarks/mutate.py             every op
    python benchmarks/mutate.py tanh svd    these

A mutant is caught when `check_grads`, at order 1, fails on a case of the op in `tests/ops/`; the
cases are tried from the smallest. The exit status is 1 if any mutant is not caught.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: threads only wait

import pkgutil
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
from ops import CASES

import adjoint as ad
from adjoint.core.tree import flatten
from adjoint.ops.rules import no_rule

for room in pkgutil.iter_modules(ad.ops.__path__, "adjoint.ops."):
    import_module(room.name)

FACTOR = 1.001


def scaled(value):
    """A cotangent or tangent, or several, made wrong."""
    if value is None:
        return None
    if isinstance(value, (tuple, list)):
        return [scaled(v) for v in value]
    return value * FACTOR


def wrong(rule):
    return lambda *args: scaled(rule(*args))


def overshooting(into):
    """A rule that adds in place is given a cotangent that is wrong."""
    return lambda total, ct, kept: into(total, ct * FACTOR, kept)


def rules(op):
    """Each rule of `op` with the places that hold it: the engine may keep one at hand twice.

    What refuses is no rule.
    """
    found = {}
    for label, owner in [*zip(op.inputs, op.edges, strict=False), ("", op)]:
        for attribute in ("vjp", "into", "jvp", "vjp_x", "vjp_y"):
            rule = getattr(owner, attribute, None)
            refuses = getattr(rule, "refuses", op.word == "constant" and attribute == "jvp")
            if rule is not None and not refuses:
                name = f"{op.name}, {attribute}{f' in {label}' if label else ''}"
                found.setdefault(id(rule), (name, rule, []))[2].append((owner, attribute))
    return found.values()


def size(case):
    """How many numbers a case is differentiated in."""
    return sum(np.size(x) for x in flatten(case.point)[0])


def noticed(cases):
    """True if one of the cases fails."""
    for case in cases:
        try:
            ad.check_grads(case, case.point, order=1)
        except ad.errors.GradientMismatch:
            return True
    return False


def main(names):
    caught, missed = 0, []
    for name in names or sorted(ad.OPS):
        op = ad.OPS[name]
        if op.word == "predicate" or getattr(op.jvp, "func", None) is no_rule:
            continue
        cases = sorted((c for c in CASES if c.name == name), key=size)
        if noticed(cases):
            raise SystemExit(f"the cases of {name} fail before anything is changed")
        for label, rule, places in rules(op):
            broken = (overshooting if places[0][1] == "into" else wrong)(rule)
            for owner, attribute in places:
                setattr(owner, attribute, broken)
            try:
                found = noticed(cases)
            finally:
                for owner, attribute in places:
                    setattr(owner, attribute, rule)
            caught += found
            missed += [] if found else [label]
    print(f"caught {caught} of {caught + len(missed)}")
    for label in missed:
        print(f"  missed: {label}")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
