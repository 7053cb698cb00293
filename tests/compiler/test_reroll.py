"""Re-rolling: unrolled recurrences and their derivatives become loops, with equal values."""

import ctypes
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adjoint.compiler.emit import Builder
from adjoint.compiler.kernel import Access, Body, Instr, Store
from adjoint.compiler.lanes import LANES
from adjoint.compiler.reroll import (
    LEAVES,
    Carried,
    Fixed,
    Line,
    Moving,
    Rolled,
    Stream,
    Table,
    emit_items,
    homes,
    reroll,
    tape_bytes,
)

F64, BOOL = np.dtype(np.float64), np.dtype(bool)
ARITHMETIC = dict(
    add=lambda x, y: x + y,
    subtract=lambda x, y: x - y,
    multiply=lambda x, y: x * y,
    divide=lambda x, y: x / y,
    negative=lambda x: -x,
    power=lambda x, exponent: x**exponent,
    less=lambda x, y: x < y,
    where=lambda mask, x, y: x if mask else y,
    sin=lambda x: math.sin(x) if math.isfinite(x) else math.nan,
    cos=lambda x: math.cos(x) if math.isfinite(x) else math.nan,
    tanh=math.tanh,
    exp=math.exp,
)


class Sketch:
    """A body being written: equal lines are one, arithmetic of constants is done."""

    def __init__(self):
        self.instrs, self.table, self.period = [], {}, 1

    def line(self, op, *args, attr=None, dtype=F64):
        key = (op, args, repr(attr))
        if key not in self.table:
            self.table[key] = len(self.instrs)
            self.instrs.append(Instr(op, args, dtype, attr))
        return Number(self, self.table[key])

    def load(self, offset, buffer=0):
        return self.line("load", attr=Access(buffer, offset, ()))

    def body(self, *outputs):
        """What the outputs need, dead lines dropped; output k is stored to element k."""
        live = {y.place for y in outputs}
        for place in reversed(range(len(self.instrs))):
            live.update(self.instrs[place].args if place in live else ())
        new = {old: place for place, old in enumerate(sorted(live))}
        instrs = [self.instrs[old] for old in new]
        instrs = [i._replace(args=tuple(new[a] for a in i.args)) for i in instrs]
        return Body(instrs, [Store(new[y.place], Access(1, k, ())) for k, y in enumerate(outputs)])


class Number:
    """A line of a sketch, computed with as a number."""

    def __init__(self, sketch, place):
        self.sketch, self.place = sketch, place

    instr = property(lambda self: self.sketch.instrs[self.place])

    def apply(self, op, *args):
        constants = [self.sketch.line("constant", attr=float(x)) if type(x) in (int, float) else x
                     for x in args]  # fmt: skip
        if all(x.instr.op == "constant" for x in constants):
            value = ARITHMETIC[op](*[x.instr.attr for x in constants])
            return self.sketch.line("constant", attr=value)
        return self.sketch.line(op, *[x.place for x in constants])

    def __add__(self, other):
        return self.apply("add", self, other)

    def __sub__(self, other):
        return self.apply("subtract", self, other)

    def __rsub__(self, other):
        return self.apply("subtract", other, self)

    def __mul__(self, other):
        if isinstance(other, Number) and other.instr == Instr("constant", (), F64, 1.0):
            return self
        return self.apply("multiply", self, other)

    def __truediv__(self, other):
        return self.apply("divide", self, other)

    def __rtruediv__(self, other):
        return self.apply("divide", other, self)

    def __neg__(self):
        return self.apply("negative", self)

    __radd__, __rmul__ = __add__, __mul__


def unary(op):
    return lambda x: x.apply(op, x)


sin, cos, tanh, exp = map(unary, ("sin", "cos", "tanh", "exp"))
# By op what each argument gets of the cotangent g of out = op(*x).
PULLS = dict(
    add=lambda g, out, x, y: (g, g),
    subtract=lambda g, out, x, y: (g, -g),
    multiply=lambda g, out, x, y: (g * y, g * x),
    divide=lambda g, out, x, y: (g / y, -g * out / y),
    negative=lambda g, out, x: (-g,),
    sin=lambda g, out, x: (g * cos(x),),
    cos=lambda g, out, x: (-g * sin(x),),
    tanh=lambda g, out, x: (g * (1 - out * out),),
    exp=lambda g, out, x: (g * out,),
)


def value_and_gradient(function, n):
    """The body of a function of n numbers and its gradient."""
    sketch = Sketch()
    inputs = [sketch.load(k) for k in range(n)]
    value = function(*inputs)
    last = value.place
    cotangents = {last: sketch.line("constant", attr=1.0)}
    for place in reversed(range(last + 1)):
        instr = sketch.instrs[place]
        if place in cotangents and instr.op not in LEAVES:
            out, args = Number(sketch, place), [Number(sketch, a) for a in instr.args]
            pulled = PULLS[instr.op](cotangents[place], out, *args)
            for x, g in zip(args, pulled, strict=True):
                before = cotangents.get(x.place)
                cotangents[x.place] = g if before is None else before + g
    return sketch.body(value, *[cotangents[x.place] for x in inputs])


def computed(instr, args):
    return ARITHMETIC[instr.op](*args, *([] if instr.attr is None else [instr.attr]))


def leaf(instr, memory, shift=0):
    if instr.op == "constant":
        return instr.attr
    return memory[instr.attr.offset + shift] * (1 + instr.attr.buffer)


def straight(body, memory):
    """What a body stores, line by line."""
    values = []
    for instr in body.instrs:
        values.append(
            leaf(instr, memory)
            if instr.op in LEAVES
            else computed(instr, [values[a] for a in instr.args])
        )
    return [values[store.value] for store in body.stores]


def evaluate(body, items, memory):
    """What a body stores, by its items."""
    values, home, tapes = {}, homes(items), {}

    def value(place):
        if place in home:
            loop, turn, line = home[place]
            assert turn == loop.count - 1 or line in loop.taped
            return tapes[loop][turn][line]
        instr = body.instrs[place]
        return leaf(instr, memory) if instr.op in LEAVES else values[place]

    def read(operand, k, rows):
        match operand:
            case Line(line):
                return rows[k][line]
            case Carried(line, initial) if k < len(initial):
                return value(initial[k])
            case Carried(line, initial):
                return rows[k - len(initial)][line]
            case Fixed(place):
                return value(place)
            case Moving(place, stride):
                return leaf(body.instrs[place], memory, k * stride)
            case Table(places):
                return value(places[k])
            case Stream(loop, line, start, step):
                assert line in loop.taped
                return tapes[loop][start + step * k][line]

    for item in items:
        if not isinstance(item, Rolled):
            instr = body.instrs[item]
            values[item] = computed(instr, [value(a) for a in instr.args])
            continue
        rows = []
        for k in range(item.count):
            rows.append([])
            for place, operands in zip(item.places[0], item.operands, strict=True):
                args = [read(operand, k, rows) for operand in operands]
                rows[k].append(computed(body.instrs[place], args))
        tapes[item] = rows
    return [value(store.value) for store in body.stores]


def loops_of(items):
    return [item for item in items if isinstance(item, Rolled)]


def equal(found, expected):
    """Bit for bit, but that every NaN is the same."""
    return [*map(repr, map(float, found))] == [*map(repr, map(float, expected))]


# Recurrences


def sines(x):
    for _ in range(300):
        x = sin(x) * 1.01 + x * x * 0.001
    return x


def coupled_with_changing_constants(x):
    y = x * 0.5
    for k in range(100):
        x, y = x + 0.01 * tanh(y) * (k * 0.1), y - 0.02 * sin(x) * y + exp(-x * x) * 0.001
    return x * y


def three_steps_back(x, y, z):
    for _ in range(60):
        x, y, z = y, z, sin(x + z * 0.3)
    return x * y * z


def horner_in_constants(x):
    value = x * 0.3
    for k in range(60):
        value = value * x + k * 0.37
    return value


def horner_in_inputs(x, *coefficients):
    value = x * 0.0
    for c in coefficients:
        value = value * x + c
    return value


def newton(a):
    y = a * 0.5
    for _ in range(40):
        y = y - (y * y * y - a) / (3 * y * y)
    return y


def leapfrog(q, p):
    p = p - 0.005 * sin(q)
    for k in range(80):
        q = q + 0.01 * p
        p = p - (0.01 if k < 79 else 0.005) * sin(q)
    return 0.5 * p * p - cos(q)


def henon_heiles(q, p, r, s):
    for _ in range(50):
        p, s = p - 0.005 * (q + q * q * r), s - 0.005 * (r + q * q)
        q, r = q + 0.01 * p, r + 0.01 * s
        p, s = p - 0.005 * (q + q * q * r), s - 0.005 * (r + q * q)
    return p * p + q * q + r * s


def product(*x):
    value = x[0]
    for factor in x[1:]:
        value = value * factor
    return value


def van_der_pol_by_runge_kutta(x, y, a):
    def f(x, y):
        return y, a * (1 - x * x) * y - x

    h = 0.02
    for _ in range(40):
        k1 = f(x, y)
        k2 = f(x + h / 2 * k1[0], y + h / 2 * k1[1])
        k3 = f(x + h / 2 * k2[0], y + h / 2 * k2[1])
        k4 = f(x + h * k3[0], y + h * k3[1])
        x = x + h / 6 * (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0])
        y = y + h / 6 * (k1[1] + 2 * k2[1] + 2 * k3[1] + k4[1])
    return x * y


def recurrent_network(a, b, c, d, u, v, *xs):
    g, h = 0.1 * a, 0.2 * b
    for x in xs:
        g, h = tanh(a * g + b * h + u * x), tanh(c * g + d * h + v * x)
    return g * h


def newton_within_a_recurrence(x, a):
    for _ in range(30):
        y = x
        for _ in range(5):
            y = 0.5 * (y + a / y)
        x = sin(y) + x * 0.1
    return x


def rosenbrock(*x):
    value = x[0] * 0.0
    for here, there in pairwise(x):
        value = value + 100.0 * (there - here * here) * (there - here * here) + (1 - here)
    return value


# By recurrence: how many inputs it has, and the most lines of each hundred that stay straight.
RECURRENCES = {
    sines: (1, 1),
    coupled_with_changing_constants: (1, 7),
    three_steps_back: (3, 8),
    horner_in_constants: (1, 8),
    horner_in_inputs: (60, 8),
    newton: (1, 7),
    leapfrog: (2, 4),
    henon_heiles: (4, 7),
    product: (80, 8),
    van_der_pol_by_runge_kutta: (3, 6),
    recurrent_network: (46, 6),
    newton_within_a_recurrence: (2, 6),
    rosenbrock: (60, 6),
}
recurrences = pytest.mark.parametrize("function", RECURRENCES, ids=lambda f: f.__name__)


def inputs(n, seed=0):
    return (0.7 + 0.3 * np.random.default_rng(seed).random(n)).tolist()


@recurrences
def test_a_recurrence_and_its_gradient_become_loops_of_equal_value(function):
    n, percent = RECURRENCES[function]
    body = value_and_gradient(function, n)
    items = reroll(body)
    lines = sum(instr.op not in LEAVES for instr in body.instrs)
    left = len(items) - len(loops_of(items))
    assert len(loops_of(items)) >= 2  # forward, and backward
    assert left <= lines * percent / 100, f"{left} of {lines} lines stay straight"
    assert evaluate(body, items, inputs(n)) == straight(body, inputs(n))


def test_items_hold_every_line_once():
    body = value_and_gradient(coupled_with_changing_constants, 1)
    held = [
        place
        for item in reroll(body)
        for place in (item.places.ravel().tolist() if isinstance(item, Rolled) else [item])
    ]
    lines = [place for place, instr in enumerate(body.instrs) if instr.op not in LEAVES]
    assert sorted(held) == lines


def test_the_backward_loop_reads_the_forward_loop_in_reverse():
    forward, backward = loops_of(reroll(value_and_gradient(sines, 1)))
    streams = of_form(Stream, [backward])
    assert {(x.rolled, x.step) for x in streams} == {(forward, -1)}
    assert forward.taped == {x.line for x in streams}
    assert not backward.taped


def test_a_cosine_moves_to_the_sine_that_shares_its_work():
    body = value_and_gradient(sines, 1)
    forward, backward = loops_of(reroll(body))
    ops = [[body.instrs[place].op for place in loop.places[0]] for loop in (forward, backward)]
    assert "cos" in ops[0]
    assert "cos" not in ops[1]
    assert abs(ops[0].index("sin") - ops[0].index("cos")) == 1


def test_code_that_does_not_repeat_stays_as_it_is():
    sketch = Sketch()
    x = sketch.load(0)
    rng = np.random.default_rng(3)
    for op in rng.choice(["sin", "cos", "tanh", "exp", "negative"], 200):
        x = x.apply(str(op), x)
    body = sketch.body(x)
    assert reroll(body) == [k for k, i in enumerate(body.instrs) if i.op not in LEAVES]


def test_bodies_without_lines_have_no_items():
    sketch = Sketch()
    assert reroll(sketch.body(sketch.load(0))) == reroll(Body()) == []


def test_values_that_follow_no_rule_are_tabulated():
    """Each turn reads one of the inputs' squares, and one of the inputs, in random order."""
    sketch, rng = Sketch(), np.random.default_rng(5)
    squares = [sketch.load(k) * sketch.load(k) for k in range(40)]
    x = sketch.load(0) + 1.0
    for k, j in zip(rng.permutation(40).tolist(), rng.permutation(40).tolist(), strict=True):
        x = sin(cos(tanh(x * squares[k]) + sketch.load(j)))
    body = sketch.body(x)
    items = reroll(body)
    assert len(of_form(Table, items)) == 2
    assert equal(evaluate(body, items, inputs(40)), straight(body, inputs(40)))


def operands(items):
    return {x for loop in loops_of(items) for given in loop.operands for x in given}


def of_form(form, items):
    return [x for x in operands(items) if isinstance(x, form)]


def rolled_alike(body, n=40):
    """The items of a body, which have its values."""
    items = reroll(body)
    assert equal(evaluate(body, items, inputs(n)), straight(body, inputs(n)))
    return items


def test_a_value_of_the_first_turn_that_later_turns_read_is_outside_of_the_loop():
    sketch = Sketch()
    x, first = tanh(sketch.load(0)), None
    for _ in range(40):
        y = sin(x)
        first = first or y
        x = y * first + 0.1
    items = rolled_alike(sketch.body(x))
    (loop,) = loops_of(items)
    assert loop.count == 39
    assert Fixed(first.place) in operands(items)


def test_where_one_rule_ends_and_another_begins_no_turn_is_in_two_loops():
    """The element that is read stands still for 20 turns, and then walks."""
    sketch = Sketch()
    x = sketch.load(0)
    for k in range(40):
        x = sin(x * sketch.load(max(1, k - 18)))
    body = sketch.body(x)
    first, second = loops_of(rolled_alike(body))
    assert not set(first.places.ravel()) & set(second.places.ravel())
    assert first.count + second.count == 39  # the very first reads an input


@pytest.mark.parametrize(
    "source, step",
    [
        (lambda k: (0, 2 * k, 1), 2),
        (lambda k: (0, 19 - k, 0), -1),
        (lambda k: (k % 2, k, 0), None),
        (lambda k: (0, k, k % 2), None),
        (lambda k: (0, k * k % 20, 0), None),
    ],
    ids=["every second turn", "backwards", "two loops in turns", "two lines in turns", "squares"],
)
def test_a_loop_reads_earlier_loops_as_a_stream_or_by_a_table(source, step):
    sketch, found = Sketch(), []
    for base in (0, 1):
        x, rows = sketch.load(base) + 1.0, []
        for _ in range(41):
            rows.append((sin(x), tanh(x)))
            x = rows[-1][0] + rows[-1][1]
        found.append(rows[1:])
    y = sketch.load(2)
    for k in range(20):
        base, turn, line = source(k)
        y = exp(cos(y * found[base][turn][line]) - 1.0)
    body = sketch.body(y, *[x for rows in found for row in rows for x in row])
    items = rolled_alike(body)
    *_, last = loops_of(items)
    read = [x for given in last.operands for x in given if isinstance(x, (Stream, Table))]
    assert [getattr(x, "step", None) for x in read] == [step]


def test_loads_of_two_arrays_and_ops_of_two_exponents_are_different_lines():
    for differ in (
        lambda sketch, x, k: x * sketch.load(3, buffer=k % 2),
        lambda sketch, x, k: sketch.line("power", x.place, attr=2 + k % 2),
    ):
        sketch = Sketch()
        x = sketch.load(0)
        for k in range(60):
            x = tanh(differ(sketch, x, k) + 0.5)
        (loop,) = loops_of(rolled_alike(sketch.body(x)))
        assert loop.places.shape[1] == 6  # two turns of the program are one of the loop


def test_a_cosine_before_its_sine_stays_where_it_is():
    sketch = Sketch()
    x = sketch.load(0)
    for _ in range(30):
        c = cos(x)
        x = c * 0.5 + sin(x)
    assert len(loops_of(rolled_alike(sketch.body(x)))) == 1


@pytest.mark.parametrize("back, carried", [(16, True), (40, False)])
def test_what_is_carried_too_far_would_take_too_many_registers(back, carried):
    sketch = Sketch()
    past = [sketch.load(k) * 0.5 for k in range(back)]
    for _ in range(200):
        past.append(sin(past[-back]) + past[-1] * 0.3)
    items = rolled_alike(sketch.body(past[-1]), back)
    lengths = {len(x.initial) for x in of_form(Carried, items)}
    assert max(lengths, default=0) <= 16
    assert (back in lengths) == carried


# Native code


def compiled(body, lanes, memory=None):
    """The function of arrays (n, lanes) that the body's items are, as machine code."""
    llvm = pytest.importorskip("llvmlite.binding")
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    b = Builder(lanes)

    def emit_instr(instr, args, shift):
        if instr.op == "constant":
            return b.constant(instr.attr, "f64")
        if instr.op == "load":
            element = str(instr.attr.offset)
            if shift is not None:
                element = b.emit(f"add i64 {shift}, {instr.attr.offset}", "i64").name
            row = f"getelementptr [{lanes} x double], ptr %inputs, i64 {element}"
            address = b.emit(row, "i64").name
            return b.emit(f"load {b.type('f64')}, ptr {address}, align 8", "f64")
        if instr.op in LANES:
            return LANES[instr.op](b, *args)
        return b.each_lane(instr.op, *args)

    items = reroll(body)
    assert loops_of(items)
    done = emit_items(b, body, items, emit_instr, "body", memory)
    for store in body.stores:
        offset = store.access.offset
        row = f"getelementptr [{lanes} x double], ptr %outputs, i64 {offset}"
        address = b.emit(row, "i64").name
        b.raw(f"store {b.typed(done.values[store.value])}, ptr {address}, align 8")
    text = [
        *b.declarations,
        *done.constants,
        "define void @run(ptr %inputs, ptr %outputs, ptr %tape) {",
    ]
    text += ["entry:", *done.entry, *b.lines, "  ret void", "}"]
    module = llvm.parse_assembly("\n".join(text))
    module.verify()
    machine = llvm.Target.from_default_triple().create_target_machine(opt=1)
    engine = llvm.create_mcjit_compiler(module, machine)
    address = engine.get_function_address("run")
    run = ctypes.CFUNCTYPE(None, *3 * [ctypes.c_void_p])(address)

    def call(given, tape=None):
        outputs = np.empty((len(body.stores), lanes))
        run(given.ctypes.data, outputs.ctypes.data, None if tape is None else tape.ctypes.data)
        return outputs

    call.engine = engine
    return call


@pytest.mark.parametrize("lanes", [1, 4])
@recurrences
def test_loops_run_as_machine_code_with_the_bits_of_straight_code(function, lanes):
    n = RECURRENCES[function][0]
    body = value_and_gradient(function, n)
    columns = [inputs(n, seed) for seed in range(lanes)]
    found = compiled(body, lanes)(np.array(columns).T.copy())
    assert found.T.tolist() == [straight(body, column) for column in columns]


@pytest.mark.parametrize("lanes", [1, 8])
def test_tables_and_truth_values_run_as_machine_code(lanes):
    """Masks taped by one loop are read in reverse by another; what is read follows no rule."""
    sketch, rng = Sketch(), np.random.default_rng(5)
    squares = [sketch.load(k) * sketch.load(k) for k in range(40)]
    x, masks = sketch.load(0) + 1.0, []
    for k in rng.permutation(40).tolist():
        x = sin(cos(x * squares[k]) + 0.25)
        masks.append(sketch.line("less", x.place, sketch.load(k).place, dtype=BOOL))
    y = x
    for k, mask in zip(rng.random(40).tolist(), reversed(masks), strict=True):
        y = sin(y + sketch.line("where", mask.place, x.place, y.place) * k)
    body = sketch.body(y, sketch.line("where", masks[7].place, x.place, y.place))
    assert {np.dtype(bool)} < {body.instrs[p].dtype for p in homes(reroll(body))}
    columns = [inputs(40, seed) for seed in range(lanes)]
    found = compiled(body, lanes)(np.array(columns).T.copy())
    assert found.T.tolist() == [straight(body, column) for column in columns]


def test_tapes_lie_in_the_memory_that_is_given_and_not_beyond():
    body = value_and_gradient(van_der_pol_by_runge_kutta, 3)
    size = tape_bytes(reroll(body), body, 4)
    memory = np.full(size + 128, 7, np.uint8)
    start = -memory.ctypes.data % 64
    columns = [inputs(3, seed) for seed in range(4)]
    given = np.array(columns).T.copy()
    found = compiled(body, 4, "%tape")(given, memory[start:])
    assert found.T.tolist() == [straight(body, column) for column in columns]
    assert (memory[start : start + size] != 7).any()
    assert (memory[:start] == 7).all()
    assert (memory[start + size :] == 7).all()


def test_tapes_take_a_multiple_of_64_bytes_each_and_grow_with_the_lanes():
    body = value_and_gradient(sines, 1)
    items = reroll(body)
    forward = loops_of(items)[0]
    one = -(-forward.count * 8 // 64) * 64
    assert tape_bytes(items, body, 1) == len(forward.taped) * one
    assert tape_bytes(items, body, 8) == len(forward.taped) * forward.count * 64


# Random programs


@st.composite
def repetitive(draw):
    """A body of some stretches that repeat, and some turns of them that differ."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    sketch = Sketch()
    sketch.line = lambda op, *args, attr=None, dtype=F64: planted(sketch, op, args, attr, dtype)
    history = [sketch.load(int(k)) for k in rng.integers(0, 8, 6)]
    history = [sketch.line("negative", x.place) for x in history]
    for _ in range(draw(st.integers(1, 3))):
        history += stretch(sketch, history, rng, draw(st.sampled_from([0.0, 0.0, 0.01, 0.1])))
    kept = rng.integers(0, len(history), draw(st.sampled_from([1, 10, 100])))
    stores = [Store(history[k].place, Access(1, n, ())) for n, k in enumerate(kept.tolist())]
    return Body(sketch.instrs, stores)


def planted(sketch, op, args, attr, dtype):
    """A new line, shared with no equal one."""
    sketch.instrs.append(Instr(op, args, dtype, attr))
    return Number(sketch, len(sketch.instrs) - 1)


REGULAR = ["back", "near", "stay", "constant", "changing", "load"]


def stretch(sketch, history, rng, wrong, kinds=(*3 * REGULAR, *3 * ["walk"], "random")):
    """Lines of a random template, some turns of it; each argument goes `wrong` now and then.

    One that walks steps through the turns of the stretch before.
    """
    lines, turns = int(rng.integers(1, 8)), int(rng.integers(5, 30))
    before, base = len(history), int(rng.integers(0, 8))
    template = []
    for q in range(lines):
        op = str(rng.choice(["add", "subtract", "multiply", "tanh", "negative", "sin"]))
        arity = 2 if op in ("add", "subtract", "multiply") else 1
        forms = [(str(rng.choice(kinds)), int(rng.integers(1, 3 * lines + 1)),
                  int(rng.integers(0, before)), int(rng.choice([-2, -1, 1, 2])))
                 for _ in range(arity)]  # fmt: skip
        forms[0] = ("near", q if q else lines, 0, 0) if rng.random() < 0.5 else forms[0]
        template.append((op, forms))
    made = []
    for turn in range(turns):
        for op, forms in template:
            args = []
            for form, near, place, step in forms:
                if rng.random() < wrong:
                    form, place = str(rng.choice(["stay", "load", "constant"])), 0
                past = [*history, *made]
                match form:
                    case "near" | "back":
                        args.append(past[-min(near, len(past))])
                    case "stay":
                        args.append(past[place])
                    case "walk":
                        args.append(past[(place + step * sketch.period * turn) % before])
                    case "constant":
                        args.append(sketch.line("constant", attr=float(near)))
                    case "changing":
                        args.append(sketch.line("constant", attr=turn * 0.25))
                    case "load":
                        args.append(sketch.load(base + step * turn, buffer=near % 2))
                    case "random":
                        args.append(past[int(rng.integers(0, before))])
            made.append(sketch.line(op, *[x.place for x in args]))
    sketch.period = lines
    return made


MEMORY = {k: math.sin(k) for k in range(-100, 100)}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(repetitive())
def test_random_repetitive_bodies_have_the_values_of_straight_code(body):
    assert equal(evaluate(body, reroll(body), MEMORY), straight(body, MEMORY))


def test_most_random_repetitive_bodies_are_rolled():
    """Without this the test above could pass by finding nothing."""
    rng = np.random.default_rng(0)
    rolled = 0
    for _ in range(50):
        sketch = Sketch()
        history = [sketch.load(k) for k in range(6)]
        made = stretch(sketch, history, rng, 0.0, REGULAR)
        rolled += bool(loops_of(reroll(sketch.body(*made))))
    assert rolled > 25
