import collections
import ctypes
import gc
import itertools
import os
import pickle
import random
import subprocess
import sys
import threading
import types
import weakref

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from adjoint.compiler import layout
from adjoint.compiler.cache import native
from adjoint.compiler.entry import (
    MISSING,
    Array,
    Capture,
    Captured,
    Cell,
    Check,
    Entry,
    Float,
    Fresh,
    Input,
    Item,
    Made,
    Memory,
    Output,
    Scalar,
    Scratch,
    Static,
    Threads,
    entry_ir,
    link,
)
from adjoint.compiler.vectorcall import Link, Native, vectorcall
from adjoint.errors import CompileError

pytestmark = pytest.mark.skipif(layout.self_test() is not None, reason=str(layout.self_test()))
F8, I8, B1, C16 = map(np.dtype, "dq?D")
X = np.arange(1.0, 4.0)
A = Array.of(X)


@vectorcall
class Function(Native):
    """A compiled function."""

    def report(self):
        return f"{type(self).__name__} of {self.miss.__name__}"


def missed(*args, **kwargs):
    return "missed", len(args), kwargs


def again(*args, **kwargs):
    return "again", len(args), kwargs


def program(*copies, body=""):
    """IR of a `run` that copies bytes between slots: (to, from, how many)."""
    lines = ["declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"]
    lines += ["define void @run(ptr %slots) {"]
    for k, (out, x, count) in enumerate(copies):
        for name, slot in (("y", out), ("x", x)):
            lines += [f"%p{name}{k} = getelementptr ptr, ptr %slots, i64 {slot}"]
            lines += [f"%{name}{k} = load ptr, ptr %p{name}{k}"]
        lines += [f"call void @llvm.memcpy.p0.p0.i64(ptr %y{k}, ptr %x{k}, i64 {count}, i1 false)"]
    return "\n".join([*lines, body, "ret void\n}\n"])


def linked(entry, run, following=None):
    return link(entry, native(run + entry_ir(entry)), following)


def function(entry, run=None, miss=missed):
    f = Function(miss, again)
    f.link = linked(entry, run or program())
    return f


def taking(*inputs, **more):
    """A function that says "native" where the arguments are `inputs`."""
    return function(Entry(inputs, slots=(), result=Static("native"), **more))


def alone(name, *options):
    """Run a function of this file in a process of its own, where a crash harms no other test."""
    command = [sys.executable, "-X", "dev", "-W", "error", *options, __file__, name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and not done.stderr, done.stderr[-3000:] or done.returncode
    return done.stdout


# What comes back.


def test_an_output_is_a_fresh_array_of_its_own():
    entry = Entry((A,), (Input(0), Output(0)), (Fresh("array", F8, (3,)),), Output(0))
    f = function(entry, program((1, 0, 24)))
    first, second = f(X), f(X + 1)
    assert type(first) is np.ndarray and first.flags.owndata and first.flags.c_contiguous
    assert first.tolist() == [1, 2, 3] and second.tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    "value, kind", [(1.5, "float"), (7, "int"), (-1, "int"), (True, "bool"), (1 - 2j, "complex")]
)
def test_an_output_may_be_a_number_of_pythons(value, kind):
    x = np.array(value)
    entry = Entry((Array.of(x),), (Input(0), Output(0)), (Fresh(kind, x.dtype),), Output(0))
    out = function(entry, program((1, 0, x.nbytes)))(x)
    assert (type(out), out) == (type(value), value)


@pytest.mark.parametrize("kind", "?bBhHiIlLqQefdFD")
def test_an_output_may_be_a_scalar_of_numpys(kind):
    x = np.ones((), kind)
    entry = Entry((Array.of(x),), (Input(0), Output(0)), (Fresh("scalar", x.dtype),), Output(0))
    out = function(entry, program((1, 0, x.nbytes)))(x)
    assert (type(out), out.dtype, out) == (type(x[()]), x.dtype, 1)


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (2, 3, 4)])
def test_an_output_has_any_shape(shape):
    entry = Entry((), (Output(0),), (Fresh("array", F8, shape),), Output(0))
    out = function(entry)()
    assert type(out) is np.ndarray and out.shape == shape and out.dtype == F8


def test_a_result_is_any_tree_of_outputs_inputs_captures_and_constants():
    Pair = collections.namedtuple("Pair", "x y")
    outputs = (Fresh("array", F8, (3,)), Fresh("float", F8))
    leaves = Output(0), Input(0), Capture(0), Static("s"), None, Output(1), Output(0)
    result = ([*leaves], {"k": leaves, 3: Made(Pair, (Output(1), (Input(1),)))}, (), [], {})
    slots = Input(0), Output(0), Input(1), Output(1)
    f = function(
        Entry((A, Float()), slots, outputs, result, captures=(Captured(X, A),)),
        program((1, 0, 24), (3, 2, 8)),
    )
    x = X * 2
    items, table, *empty = f(x, 2.5)
    fresh = items[0]
    assert type(items) is list and type(table["k"]) is tuple and empty == [(), [], {}]
    assert fresh.tolist() == [2, 4, 6] and fresh is not x
    for got in (items, table["k"]):
        assert got[0] is fresh and got[1] is x and got[2] is X and got[6] is fresh
        assert tuple(got[3:6]) == ("s", None, 2.5)
    assert type(table[3]) is Pair and table[3] == (2.5, (2.5,)) and table[3].x is items[5]


def test_an_output_that_nothing_asks_for_is_dropped():
    entry = Entry((), (Output(0), Output(1)), (Fresh("array", F8, (3,)), Fresh("float", F8)))
    assert function(entry)() is None


# What is taken.


class Sub(np.ndarray):
    pass


class Text(str):
    pass


def misaligned(x):
    return np.frombuffer(b"\0" + x.tobytes(), dtype=x.dtype, offset=1)


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


ACCEPTED = dict(
    itself=X, a_copy=X.copy(), read_only=read_only(X), unpickled=pickle.loads(pickle.dumps(X)),
    part_of_another=np.arange(9.0)[3:6], one_with_a_copied_dtype=X.view(np.dtype("=f8", copy=True)),
)  # fmt: skip
REFUSED = dict(
    subclass=X.view(Sub), masked=np.ma.masked_array(X), float32=X.astype("f"), int64=X.astype(int),
    swapped=X.astype(X.dtype.newbyteorder()), misaligned=misaligned(X), step=np.arange(6.0)[::2],
    reversed=X[::-1], broadcast=np.broadcast_to(1.0, 3), huge=as_strided(X, (3,), (2**40,)),
    longer=np.arange(4.0), empty=np.arange(0.0), column=X[:, None], row=X[None], zero_d=X[0, ...],
    scalar=X[0], objects=X.astype(object), dates=X.astype("M8[s]"), record=X.view([("x", "f8")]),
    text=np.array(["a", "b", "c"]), list=[1.0, 2.0, 3.0], none=None, number=1.0, kind=np.ndarray,
    longdouble=X.astype("g"), bytes=bytes(X), memory=memoryview(X),
)  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_array_of_the_same_layout_is_taken(name):
    assert taking(A)(ACCEPTED[name]) == "native"


@pytest.mark.parametrize("name", REFUSED)
def test_whatever_is_no_such_array_misses(name):
    assert taking(A)(REFUSED[name])[0] == "missed"


@pytest.mark.parametrize(
    "x",
    [
        np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1),
        np.arange(24.0)[::-2],
        np.broadcast_to(np.arange(3.0), (4, 3)),
        np.asfortranarray(np.ones((3, 4))),
        as_strided(np.ones(3), (2, 3), (0, 8)),
    ],
)
def test_strides_are_guarded_where_they_are_not_those_of_c(x):
    f = taking(Array.of(x))
    assert f(x) == "native" and f(np.ascontiguousarray(x))[0] == "missed"
    assert f(np.ones((*x.shape, 2))[..., 0])[0] == "missed"


def test_the_stride_of_an_axis_without_a_second_element_counts_for_nothing():
    x = as_strided(np.arange(3.0), (1, 3), (999, 8))
    assert taking(Array.of(X[None]))(x) == taking(Array.of(x))(X[None]) == "native"
    column = as_strided(np.arange(9.0), (1, 3), (999, 16))
    other = as_strided(np.arange(9.0), (1, 3), (8, 16))
    assert taking(Array.of(column))(other) == "native"


def test_an_empty_array_is_taken_whatever_its_strides():
    x = np.ones((4, 0, 3))
    assert taking(Array.of(x))(as_strided(x, x.shape, (1, 2, 3))) == "native"
    assert taking(Array.of(x))(np.ones((4, 1, 3)))[0] == "missed"


def test_dtypes_that_compare_equal_are_told_apart_by_number():
    x = np.ones(3, "q")
    f, g = taking(Array.of(x)), taking(Array.of(x.astype("l")))
    assert (f(x), g(x.astype("l"))) == ("native", "native")
    assert f(x.astype("l"))[0] == g(x)[0] == "missed"


@pytest.mark.parametrize("x", [X.astype(">f8"), X.astype(object), np.ones(3, "M8[s]")])
def test_what_native_code_cannot_compute_with_is_refused_at_once(x):
    with pytest.raises(CompileError, match="native byte order"):
        entry_ir(Entry((Array.of(x),), ()))


def test_numbers_are_taken_by_exact_type():
    class Mine(float):
        pass

    values = 1.0, 1, True, np.float64(1), np.float32(1), np.int64(1), np.bool_(True), Mine(1), X[:1]
    kinds = {float: Float(), **{type(v): Scalar(v.dtype) for v in values[3:7]}}
    for kind, leaf in kinds.items():
        f = taking(leaf)
        assert [v for v in values if f(v) == "native"] == [v for v in values if type(v) is kind]


def test_the_value_of_a_number_is_read():
    numbers = 2.5, np.float64(-0.0), np.float32(3), np.int64(-4), np.bool_(True), np.complex64(1j)
    leaves = [Float(), *(Scalar(v.dtype) for v in numbers[1:])]
    outputs = [Fresh("scalar", np.dtype(type(v))) for v in numbers]
    slots = *map(Input, range(6)), *map(Output, range(6))
    copies = [(6 + k, k, out.dtype.itemsize) for k, out in enumerate(outputs)]
    f = function(
        Entry(tuple(leaves), slots, tuple(outputs), tuple(map(Output, range(6)))), program(*copies)
    )
    assert repr(f(*numbers)) == repr((np.float64(2.5), *numbers[1:]))


def test_memory_is_any_array_whose_layout_is_the_callers_promise():
    entry = Entry((Memory(), Memory()), (Input(0), Input(1)))
    f, out = function(entry, program((1, 0, 24))), np.zeros(3)
    assert f(X, out) is None and out.tolist() == [1, 2, 3]
    for wrong in ([X], [X, out, out], [X, None], [X, out.view(Sub)], [X, 1.0]):
        assert f(*wrong)[0] == "missed"


def test_a_static_argument_is_the_same_object_or_an_equal_int_or_text():
    for known, equal, wrong in (
        (10**9, [10**9, int("1" + "0" * 9)], [10**9 + 1, 1e9, np.int64(10**9), "x", None]),
        (1, [1], [True, 1.0, 2, np.int64(1)]),
        (True, [True], [1, False, np.True_, "True"]),
        ("long enough", ["long " + "enough"], ["long", Text("long enough"), b"long enough"]),
        (b"ab", [bytes([97, 98])], ["ab", b"a", bytearray(b"ab")]),
        (None, [None], [False, 0, ...]),
        (X, [X], [X.copy(), A]),
        (Text("mine"), [], ["mine", Text("mine")]),
    ):
        f = taking(Static(known))
        assert f(known) == "native"
        assert all(f(value) == "native" for value in equal)
        assert all(f(value)[0] == "missed" for value in wrong)


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    "tree, right, wrong",
    [
        (
            (A, (A,)),
            (X, (X,)),
            [(X, X), (X,), (X, (X, X)), [X, (X,)], Point(X, (X,)), (X, [X]), ()],
        ),
        ([A, Float()], [X, 1.0], [[X], [X, 1.0, 2.0], (X, 1.0), [1.0, X], [X, 1], [], {}]),
        (
            {"a": A, "b": [A, {}]},
            {"a": X, "b": [X, {}]},
            [
                {"a": X},
                {"a": X, "b": [X, {}], "c": X},
                {"b": [X, {}], "a": X},
                {"a": X, "B": [X, {}]},
                {"a": X, 2: [X, {}]},
                {"a": X, "b": (X, {})},
                {"a": X, "b": [X, {1: 2}]},
                {"a": 1, "b": [X, {}]},
                collections.OrderedDict(a=X, b=[X, {}]),
                types.MappingProxyType({"a": X, "b": [X, {}]}),
            ],
        ),
        ({1: A}, {1: X}, [{1.0: X}, {True: X}, {"1": X}]),
        ((), (), [[], {}, (X,), None]),
    ],
)
def test_containers_are_taken_by_exact_type_length_keys_and_their_order(tree, right, wrong):
    f = taking(tree)
    assert f(right) == "native"
    assert [value for value in wrong if f(value) == "native"] == []


def test_keys_that_are_equal_but_not_the_same_object_are_taken():
    key = "".join(["not ", "interned"])
    assert taking({"not interned": A})({key: X}) == "native"


def test_the_number_of_arguments_is_guarded():
    f = taking(A, A)
    assert f(X, X) == "native"
    assert [f(*[X] * n) for n in (0, 1, 3, 50)] == [("missed", n, {}) for n in (0, 1, 3, 50)]


def test_keyword_arguments_miss_unless_the_entry_names_them():
    f, g = taking(A), taking(A, Float(), keywords=("rate",))
    assert f(x=X) == ("missed", 0, {"x": X}) and f(X, x=1) == ("missed", 1, {"x": 1})
    assert f(*(X,)) == "native"
    assert g(X, rate=1.0) == g(*[X], rate=1.0) == "native"
    assert g(X, rate=1)[0] == g(X, 1.0)[0] == g(X, Rate=1.0)[0] == g(rate=1.0)[0] == "missed"
    assert g(X, rate=1.0, more=2) == ("missed", 1, {"rate": 1.0, "more": 2})


# What must still be so.


def test_a_cell_that_is_rebound_misses():
    value = X
    f = taking(guards=(Cell((lambda: value).__closure__[0], X),))
    assert f() == "native"
    value = X.copy()
    assert f()[0] == "missed"
    del value
    assert f()[0] == "missed"
    value = X
    assert f() == "native"


def test_an_emptied_cell_may_be_what_is_expected():
    cell = types.CellType()
    f = taking(guards=(Cell(cell, MISSING),))
    assert f() == "native"
    cell.cell_contents = 1
    assert f()[0] == "missed"


def test_a_global_that_is_rebound_deleted_or_shadowed_misses():
    table, builtins = {"np": np, "unused": 1}, {"abs": abs}
    items = ("np", np, table), ("abs", MISSING, table), ("abs", abs, builtins)
    f = taking(guards=tuple(Item(t, key, value) for key, value, t in items))
    assert f() == "native"
    table["unused"] = 2
    assert f() == "native"
    table["abs"] = abs
    assert f()[0] == "missed"
    del table["abs"]
    assert f() == "native"
    del table["np"]
    assert f()[0] == "missed"
    table["np"] = types
    assert f()[0] == "missed"


@pytest.mark.parametrize("expected", [np, MISSING])
def test_a_lookup_that_fails_misses(expected):
    class Evil:
        def __hash__(self):
            return hash("np")

        def __eq__(self, other):
            raise KeyError("evil")

    assert taking(guards=(Item({Evil(): 1}, "np", expected),))()[0] == "missed"


def test_a_captured_array_is_read_anew_and_its_layout_guarded():
    x = np.arange(6.0)
    entry = Entry(
        (),
        (Capture(0), Output(0)),
        (Fresh("array", F8, (6,)),),
        Output(0),
        captures=(Captured(x, Array.of(x)),),
    )
    f = function(entry, program((1, 0, 48)))
    x[:] = 7
    assert f().tolist() == [7] * 6
    x.resize(12, refcheck=False)
    assert f()[0] == "missed"
    x.resize(6, refcheck=False)
    x[:] = 8
    assert f().tolist() == [8] * 6


# After the run.


def test_a_check_that_fails_calls_again_with_the_same_arguments():
    b = np.zeros(1, bool)
    entry = Entry(
        (Array.of(b), {"x": Float()}), (Input(0), Check(), Output(0)), (Fresh("array", F8, (3,)),)
    )
    f = function(entry, program((1, 0, 1)))
    assert f(b, {"x": 1.0}) is None
    b[0] = True
    assert f(b, {"x": 1.0}) == ("again", 2, {})


def test_links_that_follow_are_tried_in_turn():
    y, z = np.ones(2), np.ones(4)
    chain = None
    for x in (X, y, z):
        chain = linked(Entry((Array.of(x),), (), result=Static(len(x))), program(), chain)
    f = Function(missed, again)
    f.link = chain
    assert [f(x) for x in (X, y, z)] == [3, 2, 4] and f(X[:1])[0] == "missed"


def test_errors_of_miss_again_and_a_callable_in_the_result_pass_through():
    def fail(*args):
        raise KeyError("mine")

    f = taking(A)
    f.miss = fail
    g = function(Entry((), (), result=(Static(1), [Made(fail, ())])))
    h = function(Entry((), (Check(),)), program(body=CHECKED))
    h.again = fail
    for call in (lambda: f(1), g, h):
        with pytest.raises(KeyError, match="mine"):
            call()


CHECKED = "%p = load ptr, ptr %slots\nstore i8 1, ptr %p"


@pytest.mark.parametrize("slot", [Scratch(2**60), Output(0)])
def test_memory_that_is_not_there_is_an_error(slot):
    outputs = (Fresh("array", B1, (2**60,)),) * (slot == Output(0))
    f = function(Entry(([A],), (slot,), outputs))
    items, counts = [X.copy()], set()
    for _ in range(5):
        with pytest.raises(MemoryError):
            f(items)
        counts.add(sys.getrefcount(items[0]))
    assert len(counts) == 1


# The callable itself.


def test_before_and_without_a_link_all_calls_go_to_miss():
    f = Function(missed, again)
    assert f.link is None and f(1, x=2) == ("missed", 1, {"x": 2})
    f.link = made = linked(Entry((), (), result=Static("native")), program())
    assert f() == "native" and f.link is made
    f.link = None
    assert f(1) == ("missed", 1, {})


def test_a_class_without_the_decorator_takes_no_link_and_works():
    class Plain(Native):
        pass

    f = Plain(missed, again)
    assert f(1) == ("missed", 1, {})
    with pytest.raises(TypeError, match="decorated by `vectorcall`"):
        f.link = linked(Entry((), ()), program())


def test_only_a_link_is_a_link():
    f = Function(missed, again)
    for wrong in (1, X, "link", Link):
        with pytest.raises(TypeError, match="takes a Link or None"):
            f.link = wrong
    assert f()[0] == "missed"


def test_nothing_but_a_link_gets_to_where_native_code_looks_for_one():
    f = taking(A)
    assert not hasattr(f, "native") and f(X) == "native"
    f.__init__(missed, again)
    assert f(X) == "native"
    bare = Function.__new__(Function)
    assert bare.link is None
    with pytest.raises(AttributeError, match="miss"):
        bare()


def test_it_is_a_python_object_with_methods_attributes_and_weak_references():
    f = taking(A)
    f.note = "mine"
    assert f.__dict__ == {"note": "mine"} and weakref.ref(f)() is f
    assert f.report() == "Function of missed" and Function.__doc__ == "A compiled function."
    assert Function.__module__ == __name__ and Function.__qualname__ == "Function"
    assert isinstance(f, Native) and callable(f)
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(f)
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Other", (Function,), {})


def test_it_binds_as_a_method():
    class Model:
        step = taking(Static(None), A)

    assert Model.step(None, X) == "native"
    model = Model()
    assert model.step(X) == ("missed", 2, {})
    Model.step.link = linked(Entry((Static(model), A), (), result=Input(0)), program())
    assert model.step(X) is X and (lambda bound: bound(X))(model.step) is X


def test_a_cycle_through_it_is_collected():
    f = taking(A)
    f.miss, f.itself = f.report, [f]
    gone = weakref.ref(f), weakref.ref(f.link)
    del f
    gc.collect()
    assert [ref() for ref in gone] == [None, None]


def test_scratch_memory_is_aligned_apart_and_reused():
    n = 1 << 20
    outputs = (Fresh("int", I8),) * 3
    slots = (Scratch(100), Scratch(n, 128), Scratch(8, 128 + n), *map(Output, range(3)))
    body = "\n".join(
        f"%a{k} = getelementptr ptr, ptr %slots, i64 {k}\n%b{k} = load ptr, ptr %a{k}\n"
        f"%i{k} = ptrtoint ptr %b{k} to i64\n%c{k} = getelementptr ptr, ptr %slots, i64 {k + 3}\n"
        f"%d{k} = load ptr, ptr %c{k}\nstore i64 %i{k}, ptr %d{k}\nstore i64 1, ptr %b{k}"
        for k in range(3)
    )
    entry = Entry((), slots, outputs, tuple(map(Output, range(3))))
    f = function(entry, program(body=body))
    places = f()
    assert all(place % 64 == 0 for place in places) and f() == places
    assert [place - places[0] for place in places] == [0, 128, 128 + n]
    parts = Scratch(100), Scratch(9, 128), Scratch(8, 192)
    places = function(entry._replace(slots=(*parts, *slots[3:])), program(body=body))()
    assert places[0] % 64 == 0 and [place - places[0] for place in places] == [0, 128, 192]


def test_a_threads_slot_points_to_the_pool():
    from adjoint.compiler.pool import pool

    entry = Entry((), (Threads(), Output(0)), (Fresh("int", I8),), Output(0))
    body = """%p = load ptr, ptr %slots\n%i = ptrtoint ptr %p to i64
    %q = getelementptr ptr, ptr %slots, i64 1\n%o = load ptr, ptr %q\nstore i64 %i, ptr %o"""
    assert function(entry, program(body=body))() == pool().address
    assert pool().word(16).value == 1


# The self-test.


@pytest.mark.parametrize(
    "name, moved, blamed",
    [
        ("DATA", 8, "an array"),
        ("DESCR", 8, "an array"),
        ("FLAGS", -8, "an array"),
        ("NDIM", 8, "an array"),
        ("DIMS", 8, "an array"),
        ("VALUE", -8, "a float"),
        ("SIZE", -8, "a tuple"),
        ("KIND", -8, "a dtype"),
    ],
)
def test_the_self_test_says_what_lies_elsewhere(monkeypatch, name, moved, blamed):
    monkeypatch.setattr(layout, name, getattr(layout, name) + moved)
    layout.self_test.cache_clear()
    assert f"need {blamed} laid out" in layout.self_test()
    monkeypatch.undo()
    layout.self_test.cache_clear()
    assert layout.self_test() is None


# Whatever happens, in processes of their own.


def nasty():
    """Objects that might be given for an argument."""
    table = np.arange(24.0).reshape(2, 3, 4)
    arrays = [*ACCEPTED.values(), *REFUSED.values(), table, table.T, table[:, ::2], table[::-1]]
    numbers = [v for k in "?bBhHiIlLqQefdFD" for v in (np.dtype(k).type(1), np.ones((), k))]
    small = [np.ones((2, 3), k) for k in "?bBhHiIlLqQefdFD"]
    others = [1.5, -0.0, float("nan"), 1, True, None, "a", Text("a"), b"a", 10**30, 1j, ..., object]
    return [*arrays, *numbers, *small, *others]


def wrapped(rng, pool, depth=2):
    """A random tree of arguments."""
    if depth == 0 or rng.random() < 0.4:
        return rng.choice(pool)
    parts = [wrapped(rng, pool, depth - 1) for _ in range(rng.randrange(4))]
    kind = rng.choice([tuple, list, dict])
    return dict(zip("abc", parts, strict=False)) if kind is dict else kind(parts)


def template(value):
    """The tree of input leaves that takes `value`; None where there is none but the object."""
    if type(value) in (tuple, list):
        return type(value)(map(template, value))
    if type(value) is dict:
        return {key: template(item) for key, item in value.items()}
    if type(value) is np.ndarray and value.dtype.kind in "biufc" and value.dtype.isnative:
        return Array.of(value) if value.dtype.char != "g" and value.flags.aligned else Static(value)
    if type(value) is float:
        return Float()
    if isinstance(value, np.generic) and type(value).__module__ == "numpy":
        return Scalar(value.dtype) if value.dtype.char in "?bBhHiIlLqQefdFD" else Static(value)
    return Static(value)


def takes(tree, value):
    """What the guards should say, in Python."""
    kind = type(tree)
    if kind in (tuple, list):
        fits = type(value) is kind and len(value) == len(tree)
        return fits and all(map(takes, tree, value))
    if kind is dict:
        fits = type(value) is dict and list(map(repr, value)) == list(map(repr, tree))
        return fits and all(map(takes, tree.values(), value.values()))
    if kind is Static:
        same = type(value) is type(tree.value) and type(value) in (int, str, bytes)
        return value is tree.value or (same and value == tree.value)
    if kind is Float:
        return type(value) is float
    if kind is Scalar:
        return type(value) is tree.dtype.type
    if type(value) is not np.ndarray or not value.flags.aligned or value.shape != tree.shape:
        return False
    if value.dtype.num != tree.dtype.num or not value.dtype.isnative:
        return False
    if tree.contiguous:
        return value.flags.c_contiguous
    steps = zip(value.shape, value.strides, tree.strides, strict=True)
    return all(a == b for n, a, b in steps if n > 1)


def data_leaves(tree, value):
    if type(tree) in (tuple, list):
        for part in map(data_leaves, tree, value):
            yield from part
    elif type(tree) is dict:
        for key in tree:
            yield from data_leaves(tree[key], value[key])
    elif type(tree) is not Static:
        yield value


def mutated(rng, value, pool):
    """The same arguments but for one place, perhaps."""
    if type(value) in (tuple, list) and value and rng.random() < 0.7:
        items = list(value)
        k = rng.randrange(len(items))
        items[k] = mutated(rng, items[k], pool)
        return type(value)(items)
    if type(value) is dict and value and rng.random() < 0.7:
        items = dict(value)
        items[rng.choice([*items, "z"])] = mutated(rng, next(iter(items.values())), pool)
        return items
    if type(value) is np.ndarray and rng.random() < 0.5:
        return rng.choice([value.copy(), value.view(Sub), value.T, value[..., None], value[:0]
                           if value.ndim else value, read_only(value)])  # fmt: skip
    return rng.choice(pool)


def fuzz_arguments():
    """Entries for random trees say what the model in Python says, and read the right data."""
    rng, pool = random.Random(7), nasty()
    taken = refused = 0
    for _ in range(60):
        args = tuple(wrapped(rng, pool) for _ in range(rng.randrange(4)))
        tree = template(args)
        values = list(data_leaves(tree, args))
        sizes = [min(8, np.asarray(v).dtype.itemsize) * (np.size(v) > 0) for v in values]
        slots = (*map(Input, range(len(values))), *map(Output, range(len(values))))
        outputs = (Fresh("array", np.dtype("u1"), (8,)),) * len(values)
        result = tuple((Input(k), Output(k)) for k in range(len(values)))
        copies = [(len(values) + k, k, size) for k, size in enumerate(sizes)]
        entry = Entry(tree, slots, outputs, result)
        f = function(entry, program(*copies))
        for call in [args, *(mutated(rng, args, pool) for _ in range(60))]:
            call = call if type(call) is tuple else (call,)
            out = f(*call)
            if not takes(tree, call):
                refused += 1
                assert out == ("missed", len(call), {}), (tree, call)
                continue
            taken += 1
            for (same, seen), value, size in zip(out, data_leaves(tree, call), sizes, strict=True):
                assert same is value
                assert seen[:size].tobytes() == np.asarray(value).tobytes("C")[:size]
    assert taken > 100 and refused > 1000, (taken, refused)


def fuzz_references():
    """No way through an entry leaves a reference behind or takes one too many."""
    flag = np.zeros(1, bool)
    x, y, key = X.copy(), X * 2, "k" * 5
    outputs = (Fresh("array", F8, (3,)), Fresh("float", F8), Fresh("scalar", F8))
    result = ([Output(0), Input(0)], {key: (Capture(0), Output(1), Output(0))}, Output(2), None)
    boom = []

    def make(*parts):
        if boom:
            raise ValueError("boom")
        return parts

    entry = Entry(
        (A, [A, {key: (Float(), Array.of(flag))}], Static("s")),
        (Input(3), Check(), Scratch(1 << 16), *map(Output, range(3))),
        outputs,
        (result, Made(make, (result, Output(0)))),
        captures=(Captured(y, A),),
        release_gil=True,
    )
    f = function(entry, program((1, 0, 1)))
    good = x, [x, {key: (1.5, flag)}], "s"
    calls = [good, (x, [x, {key: (1.5, x)}], "s"), (x, [x, {key: (2, flag)}], "s"), (x,), (1, 2, 3)]
    calls += [(x, [x, {"other": 1}], "s"), (x, [x], "s"), (x, [x, {key: (1.5, flag)}], "t")]
    watched = [x, y, key, flag, f, f.link, make, np.ndarray, float, F8, None, again, missed, calls]
    watched += [good[1], good[1][1], "s", outputs]

    def everything():
        for call in calls:
            f(*call)
        flag[0] = True
        assert f(*good)[0] == "again"
        flag[0] = False
        boom.append(1)
        try:
            f(*good)
        except ValueError:
            boom.clear()

    def state():
        gc.collect()
        return [sys.getrefcount(value) for value in watched], sys.getallocatedblocks()

    for _ in range(50):
        everything()
    counts, blocks = state()
    for _ in range(5000):
        everything()
    after, more = state()
    assert max(abs(a - b) for a, b in zip(after, counts, strict=True)) < 5, (counts, after)
    assert more - blocks < 200, more - blocks


def fuzz_threads():
    """Threads call one function, with and without the lock held, while another relinks it."""
    n = 50_000
    x = np.arange(float(n))

    def make(scale):
        outputs = Fresh("array", F8, (n,)), Fresh("float", F8)
        slots = Input(0), Scratch(8 * n), Output(0), Input(1), Output(1)
        entry = Entry((Array.of(x), Float()), slots, outputs, (Output(0), Output(1), Static(scale)),
                      release_gil=True)  # fmt: skip
        return linked(entry, program((1, 0, 8 * n), (2, 1, 8 * n), (4, 3, 8)))

    f = Function(missed, again)
    f.link = make(0)
    failures, stop = [], threading.Event()

    def call(k):
        mine = x * k
        for _ in range(300):
            out = f(mine, float(k))
            if type(out[0]) is not str and not (np.array_equal(out[0], mine) and out[1] == k):
                failures.append(k)

    def relink():
        for k in itertools.count():
            if stop.is_set():
                return
            f.link = None if k % 7 == 0 else make(k % 3)
            gc.collect(0)

    threads = [threading.Thread(target=call, args=(k,)) for k in range(1, 5)]
    others = [threading.Thread(target=relink) for _ in range(2)]
    for thread in (*threads, *others):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    for thread in others:
        thread.join()
    assert not failures


def fuzz_reentry():
    """A miss may call the function, relink it, and delete it; endless recursion is an error."""
    f = taking(A)
    f.miss = lambda x: f(np.asarray(x))
    assert f([1.0, 2.0, 3.0]) == "native"
    f.miss = f
    try:
        f(1)
    except RecursionError as error:
        assert "compiled" in str(error)
    else:
        raise AssertionError("no RecursionError")

    def relink(x):
        f.link = None
        gc.collect()
        f.link = linked(Entry((Static(x),), (), result=Static("new")), program())
        return f(x)

    f.miss = relink
    assert [f(k) for k in range(20)] == ["new"] * 20

    g = taking(A)
    cell = [g]

    def forget(*args):
        cell.clear()
        gc.collect()
        return "forgotten"

    g.miss = forget
    del g
    assert cell.pop()(1) == "forgotten"
    del f.miss
    try:
        f("nothing takes this")
    except SystemError:
        pass
    else:
        raise AssertionError("no SystemError")


def fuzz_containers():
    """What a list or dict loses while the lock is released stays alive until the end."""
    n = 1 << 16
    entry = Entry(([Array((F8), (n,), (8,))],), (Input(0), Output(0)),
                  (Fresh("array", F8, (n,)),), Output(0), release_gil=True)  # fmt: skip
    f = function(entry, program((1, 0, 8 * n)))
    items, stop = [np.full(n, 3.0)], threading.Event()

    def replace():
        k = 0
        while not stop.is_set():
            k += 1
            items[0] = np.full(n, float(k % 5))

    thread = threading.Thread(target=replace)
    thread.start()
    for _ in range(3000):
        out = f(items)
        assert out[0] in range(5) and (out == out[0]).all()
    stop.set()
    thread.join()


def fuzz_fork():
    """A child of a fork calls on, also when another thread was inside at the time."""
    n = 1 << 18
    x = np.arange(float(n))
    entry = Entry((Array.of(x),), (Input(0), Scratch(8 * n), Output(0)),
                  (Fresh("array", F8, (n,)),), Output(0), release_gil=True)  # fmt: skip
    f = function(entry, program((1, 0, 8 * n), (2, 1, 8 * n)))
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            f(x)

    thread = threading.Thread(target=busy)
    thread.start()
    for _ in range(10):
        child = os.fork()
        if child == 0:
            os._exit(not all(np.array_equal(f(x), x) for _ in range(3)))
        assert os.waitpid(child, 0)[1] == 0
    stop.set()
    thread.join()


def fuzz_exit():
    """The interpreter may end while a daemon thread is inside."""
    n = 1 << 22
    x = np.arange(float(n))
    entry = Entry((Array.of(x),), (Input(0), Scratch(8 * n), Output(0)),
                  (Fresh("array", F8, (n,)),), Output(0), release_gil=True)  # fmt: skip
    f = function(entry, program((1, 0, 8 * n), (2, 1, 8 * n)))

    def forever():
        while True:
            f(x)

    for _ in range(2):
        threading.Thread(target=forever, daemon=True).start()
    f(x)


FUZZ = [name for name in dict(globals()) if name.startswith("fuzz_")]


@pytest.mark.parametrize("name", FUZZ)
def test_nothing_that_python_can_do_breaks_it(name):
    forks = ("-W", "ignore::DeprecationWarning") if name == "fuzz_fork" else ()
    alone(name, *forks)


if __name__ == "__main__":
    ctypes.CDLL(None).alarm(120)
    globals()[sys.argv[1]]()
