"""python benchmarks/covered.py: what has a derivative, in which mode, found by trying.

    python benchmarks/covered.py            the page docs/coverage.md, on standard output
    python benchmarks/covered.py --write    into docs/coverage.md
    python benchmarks/covered.py --check    exit status 1 if the page says anything else
    python benchmarks/covered.py sin svd    these rows

Each function is run at points of its cases in `tests/ops/`, four of real and four of complex
numbers at most: its reverse and its forward mode against finite differences, all second orders of
the two, and mapped by `vmap` against a loop. The names of NumPy and SciPy, and those that other
libraries differentiate, stand in `tests/peers.py`.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: threads only wait

import re
import sys
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
from ops import CASES
from peers import LIBRARY, PEERS
from test_every_op import derivatives_mapped, near, of_leaves, one_by_one, same

import adjoint as ad
from adjoint.core.tree import flatten
from adjoint.ops.batch import looped

PAGE = Path(__file__).parents[1] / "docs" / "coverage.md"
MODES = ("reverse", "forward", "second order", "vmap", "complex")
YES, WRONG, ZERO, NONE, REFUSED, LOOP = "●", "wrong", "0", "-", "refused", "loop"
# What these give has no derivative; their cases put it beside something that has.
BESIDE = set(
    """allclose arange array_equal array_equiv empty empty_like eye flatnonzero identity lexsort
    nonzero ones ones_like tri unique_counts unique_inverse zeros zeros_like
    integrate.newton_cotes""".split()
)
ROOMS = {
    "numpy": "", "numpy.linalg": "linalg", "numpy.fft": "fft", "scipy.fft": "fft",
    "scipy.integrate": "integrate", "scipy.linalg": "linalg", "scipy.signal": "signal",
    "scipy.special": "special", "scipy.stats": "stats",
}  # fmt: skip

# Names of which there is nothing to differentiate, and why.
NOTHING = {
    "tells about arrays, dtypes or NumPy itself": """
        numpy: broadcast_shapes can_cast common_type einsum_path get_include get_printoptions
        getbufsize geterr geterrcall info iscomplexobj isdtype isfortran isrealobj isscalar
        issubdtype iterable may_share_memory min_scalar_type mintypecode ndim nested_iters
        promote_types result_type shape shares_memory show_config show_runtime size test typename
        numpy.linalg: test
        numpy.fft: test
    """,
    "sets how NumPy prints or warns": """
        numpy: printoptions set_printoptions setbufsize seterr seterrcall
    """,
    "text": """
        numpy: array2string array_repr array_str base_repr binary_repr format_float_positional
        format_float_scientific
    """,
    "reads or writes files and bytes": """
        numpy: frombuffer fromfile fromregex fromstring genfromtxt load loadtxt save savetxt savez
        savez_compressed
    """,
    "dates": """
        numpy: busday_count busday_offset datetime_as_string datetime_data is_busday isnat
    """,
    "integers and bits": """
        numpy: bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or
        bitwise_right_shift bitwise_xor gcd invert lcm left_shift packbits right_shift unpackbits
        scipy.special: bernoulli
    """,
    "indices, from indices or shapes": """
        numpy: diag_indices diag_indices_from ix_ mask_indices ravel_multi_index tril_indices
        tril_indices_from triu_indices triu_indices_from unravel_index indices
    """,
    "counts or ranks of elements: a step function": """
        numpy: histogram histogram2d histogram_bin_edges histogramdd
        scipy.stats: rankdata
    """,
    "sets of values": """
        numpy: in1d intersect1d setdiff1d setxor1d union1d
    """,
    "matrices of sizes alone": """
        scipy.linalg: dft hadamard helmert hilbert invhilbert invpascal pascal
    """,
    "gives NumPy arrays, of NumPy arrays": """
        numpy: asanyarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix bmat
        from_dlpack fromfunction fromiter frompyfunc require
    """,
}
# Names whose derivative is to be had otherwise, or is not covered, and why.
LEFT_OUT = {
    "writes in place: `np.put(t, ...)`, or `t[...] = ...`, is differentiated": """
        numpy: copyto fill_diagonal place put put_along_axis putmask
    """,
    "NumPy 2.0's old name of `trapezoid`": """
        numpy: trapz
    """,
    "SciPy searches for the parameter; solve for it with `ad.minimize` or a root finder": """
        scipy.special: bdtrik bdtrin chndtridf chndtrinc chndtrix fdtridfd nbdtrik nbdtrin ncfdtri
        ncfdtridfd ncfdtridfn ncfdtrinc nctdtridf nctdtrinc nctdtrit pdtrik
    """,
    "noncentral distributions, and Tukey's": """
        scipy.special: chndtr ncfdtr nctdtr tklmbda
    """,
    "Kelvin functions": """
        scipy.special: bei beip ber berp kei keip kelvin ker kerp
    """,
    "Mathieu functions": """
        scipy.special: mathieu_a mathieu_b mathieu_cem mathieu_modcem1 mathieu_modcem2
        mathieu_modsem1 mathieu_modsem2 mathieu_sem
    """,
    "spheroidal wave functions": """
        scipy.special: obl_ang1 obl_ang1_cv obl_cv obl_rad1 obl_rad1_cv obl_rad2 obl_rad2_cv
        pro_ang1 pro_ang1_cv pro_cv pro_rad1 pro_rad1_cv pro_rad2 pro_rad2_cv
    """,
    "parabolic cylinder functions, of which SciPy gives the derivative beside the value": """
        scipy.special: pbdv pbvv pbwa
    """,
    "integrals of Bessel, Struve and Fresnel functions": """
        scipy.special: besselpoly it2i0k0 it2j0y0 it2struve0 itairy iti0k0 itj0y0 itmodstruve0
        itstruve0 modfresnelm modfresnelp
    """,
    "JAX's own name and order of arguments; here `special.jv`": """
        scipy.special: bessel_jn
    """,
    "the element that is found most often: pick it by its index": """
        scipy.stats: mode
    """,
    "a step function: `ad.round`": """
        scipy.special: round
    """,
    "Wright's generalised Bessel function": """
        scipy.special: log_wright_bessel wright_bessel
    """,
    "spherical harmonics: products of `special.lpmv` and `ad.exp`": """
        scipy.special: sph_harm_y
    """,
    "Hermitian transforms of several axes: `irfftn` of the conjugate, and `rfftn`": """
        scipy.fft: hfft2 hfftn ihfft2 ihfftn
    """,
    "matrices of few numbers: index and stack, or `linalg.toeplitz`": """
        scipy.linalg: convolution_matrix fiedler fiedler_companion leslie
    """,
    "a shorter way to compute `linalg.eigh` or `linalg.qr`": """
        scipy.linalg: eigh_tridiagonal qr_multiply
    """,
    "built on the Schur form, which has no derivative: `linalg.expm`, `logm`, `sqrtm` and kin": """
        scipy.linalg: funm rsf2csf
    """,
}


def listed(table):
    """(library, name) -> reason."""
    found, library = {}, ""
    for reason, text in table.items():
        for word in text.split():
            if word.endswith(":"):
                library = word[:-1]
            else:
                found[library, word] = reason
    return found


class Row(NamedTuple):
    """A function: all its names, the names that its cases go by, and what there is to say."""

    names: tuple[str, ...]
    keys: frozenset[str]
    remark: str


def functions(room):
    """The public functions of a room: of the main namespace, or of a face such as `linalg`."""
    module = getattr(ad, room) if room else ad
    found = {name: getattr(module, name) for name in dir(module)}
    ours = ("adjoint.ops", "adjoint.transforms") if room else "adjoint.ops"
    return {
        name: f
        for name, f in found.items()
        if callable(f)
        and not isinstance(f, type)
        and str(getattr(f, "__module__", "")).startswith(ours)
    }


def table():
    """The rows of each group: a function stands in the first room that has it.

    The ops that no room has serve others, and are the last group.
    """
    groups, where = {}, {}
    for room in ("", *ad.FACES):
        for name, f in sorted(functions(room).items()):
            home, _, names = where.setdefault(id(f), (room, f, []))
            names.append(f"{room}.{name}" if room else name)
    cases = {name: called(name) for name in {c.name for c in CASES}}
    for home, f, names in where.values():
        names.sort(key=lambda name: name != f.__name__)
        keys = frozenset(k for k, g in cases.items() if g is f or k in names)
        groups.setdefault(home, []).append(Row(tuple(names), keys, remark(f)))
    ours = [op for op in ad.OPS.values() if op.forward.__module__.startswith("adjoint.ops")]
    inside = [op for op in ours if id(op.call) not in where]
    groups["inside"] = [Row((op.name,), frozenset([op.name]), remark(op.call)) for op in inside]
    return {room: sorted(rows) for room, rows in groups.items()}


def called(name):
    """The function that the cases of that name call."""
    return ad.OPS[name].call if name in ad.OPS else attrgetter(name)(ad)


def remark(f):
    """What is to be said of a function: why its derivative is zero or refused, or who tests it."""
    if f.__module__.startswith("adjoint.transforms"):
        return "takes a function; `tests/transforms`"
    op = getattr(f, "op", None)
    why = re.search(r"Derivative: zero where it exists, (.+)\.", (op and op.__doc__) or "")
    pairs = zip(op.inputs, op.edges, strict=False) if op else ()
    refused = [name for name, edge in pairs if getattr(getattr(edge, "vjp", 0), "refuses", False)]
    return why[1] if why else f"refused in {quoted(refused)}" if refused else ""


def right(case, check, *args, **options):
    """True if a check of a case passes; if not, say so."""
    try:
        check(*args, **options)
    except (ad.errors.BatchError, ad.errors.NoRuleError):
        raise
    except Exception as error:
        print(f"{case.label}: {type(error).__name__}: {error}", file=sys.stderr)
        return False
    return True


def derivatives(case):
    """Whether reverse, forward and second order are right at the point of one case."""

    def smooth(*xs):
        return [y for y in flatten(case(*xs))[0] if np.result_type(y.dtype).kind in "fc"]

    slopes = []
    try:
        if not right(case, lambda: slopes.extend(pulled(case))):
            return [WRONG] * 3
    except ad.errors.NoRuleError:
        return [REFUSED] * 3
    if not any(map(np.size, slopes)):
        return [NONE] * 3
    good = YES if any(map(np.any, slopes)) else ZERO
    if right(case, ad.check_grads, smooth, case.point, order=2):
        return [good] * 3
    first = [right(case, ad.check_grads, smooth, case.point, 1, (m,)) for m in ("rev", "fwd")]
    return [*(good if each else WRONG for each in first), WRONG]


def pulled(case):
    """The cotangents of the arguments of a case; none if no output is on the tape."""
    leaves, _, rebuild = flatten(case.point)
    tracked = [ad.Tensor(x) for x in leaves]
    out = [y for y in flatten(case(*rebuild(tracked)))[0] if isinstance(y, ad.Tensor)]
    parts = [ad.real(y * np.linspace(1, 2, y.size).reshape(y.shape)).sum() for y in out]
    if parts and (total := sum(parts)).tracked:
        total.backward()
    return [x.grad for x in tracked] if parts else []


def mapped(case, smooth):
    """Whether `vmap` of a case and of its derivatives is the loop; whether it has to run one."""
    f, points, loops = of_leaves(case), near(case, 2), []
    axes = (0,) * len(points)

    def noted(*args):
        loops.append(1)
        return looped(*args)

    def as_the_loop():
        same(ad.vmap(f)(*points), one_by_one(f, points, axes))
        if smooth:
            derivatives_mapped(f, points, axes)

    slow = [op for op in ad.OPS.values() if op.batch is looped]
    for op in slow:
        op.batch = noted
    try:
        good = right(case, as_the_loop)
    except ad.errors.BatchError:
        return REFUSED
    finally:
        for op in slow:
            op.batch = looped
    return WRONG if not good else LOOP if loops else YES


def measured(row):
    """The cells of a row: over all cases, the worst that was found."""
    rank = [WRONG, REFUSED, LOOP, YES, ZERO, NONE]
    kinds = real, imaginary = [], []
    for case in CASES:
        if case.name in row.keys:
            kinds[any(map(np.iscomplexobj, flatten(case.args)[0]))].append(case)
    cases = [*spread(real), *spread(imaginary)]
    if not cases:
        return [""] * len(MODES)
    cells = []
    for case in cases:
        found = derivatives(case)
        cells.append([*found, mapped(case, found[0] in (YES, ZERO))])
    worst = [min(column, key=rank.index) for column in zip(*cells, strict=True)]
    if BESIDE & {*row.names}:
        worst[:3] = [cell if cell == WRONG else NONE for cell in worst[:3]]
    return [*worst, YES if imaginary else ""]


def spread(cases, most=4):
    """Some of the cases, evenly spread over the table."""
    return cases[:: max(1, -(-len(cases) // most))]


def recorded():
    """What the page says, as a function from rows to cells."""
    lines = PAGE.read_text("utf-8").splitlines()
    said = {cells[0]: cells[1:-1] for cells in (split(x) for x in lines if x.startswith("| `"))}
    return lambda row: said.get(quoted(row.names), ["?"] * len(MODES))


def split(line):
    return [cell.strip() for cell in line.strip("|").split(" |")]


def quoted(names):
    return ", ".join(f"`{name}`" for name in names)


def is_public(library, name):
    """Whether a room has a name of NumPy's or SciPy's."""
    try:
        return callable(attrgetter(f"{ROOMS[library]}.{name}".lstrip("."))(ad))
    except AttributeError:
        return False


def named():
    """(library, name) of every public function of theirs, and of what others differentiate."""
    tables = [LIBRARY, *PEERS.values()]
    return sorted(
        {(lib, name) for t in tables for lib, names in t.items() for name in names.split()}
    )


def unexplained():
    """Names that are neither public here nor in a table of reasons; and reasons without need."""
    known = listed(NOTHING) | listed(LEFT_OUT)
    missing = [each for each in named() if each not in known and not is_public(*each)]
    return missing, [each for each in known if is_public(*each) or each not in named()]


TITLES = {
    "": "The main namespace",
    "fft": "`ad.fft`",
    "integrate": "`ad.integrate`",
    "linalg": "`ad.linalg`",
    "signal": "`ad.signal`",
    "special": "`ad.special`",
    "stats": "`ad.stats`",
    "inside": "Ops that serve others",
}
HEAD = """# Coverage

What has a derivative, in which mode. `python benchmarks/covered.py --write` writes this page; the
cells are measured, at points of the tables in `tests/ops/`, on NumPy arrays; all of those points
are checked by `make test`.

- **reverse**, **forward**: against finite differences
- **second order**: forward and reverse over each, against finite differences of the first
- **vmap**: the function and both its derivatives, mapped, against a loop
- **complex**: for complex inputs, where this has a dot, the others hold too

● right; 0 right, and zero, for the reason given; - truth values, indices or sizes,
which leave the tape as plain arrays; *loop*: right, one example after the other; *refused*: asking
for the derivative raises `NoRuleError`.
"""
NAMES = """
## Names of NumPy and SciPy

Every public function of NumPy, and every ufunc of `scipy.special`, is here under its name, has no
derivative, or stands below with what to do instead.

| library | public | here | without derivative | left out |
| --- | --- | --- | --- | --- |
"""
OTHERS = """
The same count for what other libraries wrap of NumPy and SciPy, differentiated or not:

| library | of | names | here | without derivative | left out |
| --- | --- | --- | --- | --- | --- |
"""


def page(cells):
    """The page, with cells from a function of rows."""
    parts = [HEAD]
    groups = table()
    for room, title in TITLES.items():
        if groups.get(room):
            parts.append(f"\n## {title}\n\n| function | {' | '.join(MODES)} | |")
            parts.append(f"\n| --- |{' :-: |' * len(MODES)} --- |\n")
            parts += [
                f"| {' | '.join([quoted(row.names), *cells(row), row.remark])} |\n"
                for row in groups[room]
            ]
    parts.append(NAMES)
    parts += [f"| {lib} | {counts(lib, names)} |\n" for lib, names in LIBRARY.items()]
    parts.append(OTHERS)
    for peer, libraries in PEERS.items():
        parts += [f"| {peer} | {lib} | {counts(lib, n)} |\n" for lib, n in libraries.items()]
    parts.append("\n### Without derivative\n\n" + reasons(NOTHING))
    parts.append("\n### Left out\n\n" + reasons(LEFT_OUT))
    return "".join(parts)


def counts(library, names):
    """How many names there are, how many of them are here, without derivative, left out."""
    nothing, left_out = listed(NOTHING), listed(LEFT_OUT)
    each = [(library, name) for name in set(names.split())]
    kinds = (
        [is_public(*e) for e in each],
        [e in nothing for e in each],
        [e in left_out for e in each],
    )
    return " | ".join(map(str, [len(each), *map(sum, kinds)]))


def reasons(groups):
    """A table of reasons and names."""
    found = {}
    for (library, name), reason in listed(groups).items():
        found.setdefault((library, reason), []).append(name)
    rows = [f"| {lib} | {why} | {quoted(sorted(n))} |\n" for (lib, why), n in sorted(found.items())]
    return "| library | reason | names |\n| --- | --- | --- |\n" + "".join(rows)


def main(arguments):
    names = [a for a in arguments if not a.startswith("--")]
    if names:
        for row in (row for rows in table().values() for row in rows if {*names} & {*row.names}):
            print(f"{', '.join(row.names)}: {dict(zip(MODES, measured(row), strict=True))}")
        return 0
    missing, needless = unexplained()
    for library, name in missing:
        print(f"{library}.{name} is neither here nor in a table of reasons", file=sys.stderr)
    for library, name in needless:
        print(f"{library}.{name} is here, and in a table of reasons", file=sys.stderr)
    text = page(measured)
    if "--write" in arguments:
        PAGE.write_text(text, "utf-8")
    elif "--check" not in arguments:
        print(text, end="")
    stale = "--check" in arguments and text != PAGE.read_text("utf-8")
    if stale:
        print(f"{PAGE.name} says something else: `python {sys.argv[0]} --write`", file=sys.stderr)
    return bool(missing or needless or stale or f"| {WRONG} |" in text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
