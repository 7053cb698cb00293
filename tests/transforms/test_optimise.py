"""Minimisation: SciPy's methods over containers, first-order steps, the descent, and the errors."""

import sys
from io import StringIO
from typing import NamedTuple

import numpy as np
import pytest

import adjoint as ad
from adjoint.errors import ConversionError, DataError, NotScalarError, OptimisationError, ShapeError
from adjoint.transforms import optimise


def rosenbrock(p):
    """0 at (1, 1), in a valley that bends."""
    return (1 - p["a"]) ** 2 + 100 * (p["b"][0] - p["a"] ** 2) ** 2


def close(tree, other, **how):
    ad.tree_map(lambda x, y: np.testing.assert_allclose(x, y, **how), tree, other)


class TestRavelTree:
    class Pair(NamedTuple):
        first: object
        second: object

    def test_there_and_back_again(self):
        tree = {
            "m": np.arange(6.0).reshape(2, 3),
            "s": (1.5, [], None),
            "p": self.Pair(np.ones(1), 2.0),
        }
        vector, unravel = ad.ravel_tree(tree)
        assert vector.tolist() == [0, 1, 2, 3, 4, 5, 1.5, 1, 2]
        again = unravel(vector)
        assert isinstance(again["p"], self.Pair) and again["m"].shape == (2, 3)
        close(again, tree)

    def test_dtypes_come_back(self):
        tree = [np.float32(1), np.ones(2, complex), 3, np.zeros((2, 0))]
        vector, unravel = ad.ravel_tree(tree)
        assert vector.dtype == complex
        assert [x.dtype.char for x in unravel(vector)] == ["f", "D", "d", "d"]
        assert unravel(vector * 1j)[0] == 0

    def test_an_empty_container_has_an_empty_vector(self):
        vector, unravel = ad.ravel_tree({"none": ()})
        assert vector.shape == (0,) and unravel(vector) == {"none": ()}

    def test_both_ways_are_differentiated(self):
        tree = {"a": np.array([1.0, 2.0]), "b": 3.0}
        vector, unravel = ad.ravel_tree(tree)
        close(
            ad.grad(lambda t: (ad.ravel_tree(t)[0] ** 2).sum())(tree), {"a": [2.0, 4.0], "b": 6.0}
        )
        assert ad.grad(lambda v: unravel(v)["b"] ** 2)(vector).tolist() == [0, 0, 6]
        batch = ad.vmap(lambda v: unravel(v)["a"].sum())(np.stack([vector, 2 * vector]))
        assert batch.tolist() == [3, 6]

    def test_a_wrong_vector_is_refused(self):
        unravel = ad.ravel_tree([np.ones(3)])[1]
        with pytest.raises(ShapeError, match=r"length 3; it was given shape \(4,\)"):
            unravel(np.ones(4))
        with pytest.raises(DataError, match="complex128 for a container of real leaves"):
            unravel(np.ones(3, complex))

    def test_a_leaf_that_is_no_number_is_named(self):
        with pytest.raises(DataError, match=r"\[0\]\['w'\]"):
            ad.ravel_tree([{"w": "text"}])


SCIPY = (
    "Nelder-Mead Powell CG BFGS L-BFGS-B TNC COBYQA SLSQP Newton-CG trust-ncg trust-krylov "
    "trust-constr trust-exact dogleg"
).split()


class TestMinimize:
    @pytest.fixture(autouse=True)
    def scipy(self):
        self.scipy = pytest.importorskip("scipy.optimize")

    @pytest.mark.parametrize("method", SCIPY)
    def test_every_method_finds_the_valley(self, method):
        start = {"a": 1.2, "b": [np.array(1.4)]}  # dogleg wants a convex start
        found = ad.minimize(rosenbrock, start, method=method, history=True)
        assert found.success
        close(found.x, {"a": 1.0, "b": [1.0]}, atol=3e-3)
        assert found.history.values[0] == rosenbrock(start)
        assert found.history.values[-1] == pytest.approx(found.fun)

    def test_cobyla_needs_no_gradient_either(self):
        found = ad.minimize(
            lambda p: ((p["x"] - 1) ** 2).sum(), {"x": np.zeros(2)}, method="COBYLA"
        )
        close(found.x, {"x": np.ones(2)}, atol=1e-3)

    @pytest.mark.parametrize("method", ["Newton-CG", "trust-exact"])
    def test_second_derivatives_are_used(self, method):
        """Newton's step solves a quadratic at once."""
        found = ad.minimize(
            lambda x: (x - 2) @ np.diag([1, 9]) @ (x - 2), np.zeros(2), method=method
        )
        assert found.nhev and found.nit <= 4
        close(found.x, np.full(2, 2.0))

    def test_a_hessian_does_not_forbid_branches(self):
        def f(x):
            return (x**2).sum() if x[0] > 0 else ((x - 1) ** 2).sum()

        close(ad.minimize(f, np.full(2, -3.0), method="trust-exact").x, np.zeros(2), atol=1e-6)

    def test_x_and_jac_come_back_in_the_dtypes_of_x0(self):
        start = (np.zeros((2, 1), np.float32), 1)
        found = ad.minimize(lambda x: ((x[0] - 1) ** 2).sum() + x[1] ** 2, start)
        assert found.x[0].dtype == found.jac[0].dtype == np.float32
        assert found.x[1].dtype == np.float64
        close(found.x, (np.ones((2, 1)), 0.0), atol=1e-5)
        assert found.history is None

    def test_more_arguments_are_passed_on(self):
        found = ad.minimize(lambda x, y, z: ((x - y) * z) ** 2, 0.0, args=(3.0, 2.0))
        assert found.x == pytest.approx(3)

    @pytest.mark.parametrize("method", ["L-BFGS-B", "TNC", "SLSQP", "trust-constr", "Powell"])
    def test_bounds_like_the_container(self, method):
        start = {"a": np.zeros(2), "b": 0.0, "c": 0.0}
        bounds = {"a": (None, np.array([0.5, 9.0])), "b": [-1.0, 0.25], "c": None}
        found = ad.minimize(
            lambda p: ((p["a"] - 1) ** 2).sum() + (p["b"] - 1) ** 2 + (p["c"] - 1) ** 2,
            start, method=method, bounds=bounds,
        )  # fmt: skip
        close(found.x, {"a": np.array([0.5, 1.0]), "b": 0.25, "c": 1.0}, atol=1e-2)

    @pytest.mark.parametrize("kind", ["pairs", "tuples", "one pair", "arrays", "Bounds"])
    def test_bounds_like_scipys(self, kind):
        bounds = dict(
            pairs=[(0, None), (0, 0.5)], tuples=((0, None), (0, 0.5)), **{"one pair": (0, 0.5)},
            arrays=(None, np.array([np.inf, 0.5])), Bounds=self.scipy.Bounds(0, [np.inf, 0.5]),
        )[kind]  # fmt: skip
        found = ad.minimize(lambda x: ((x - 1) ** 2).sum(), np.full(2, 0.1), bounds=bounds)
        close(found.x, np.array([0.5 if kind == "one pair" else 1.0, 0.5]), atol=1e-5)

    def test_bounds_of_a_list_of_numbers_and_arrays(self):
        bounds = [(0, 0.5), (0, np.array([0.25]))]
        found = ad.minimize(
            lambda x: (x[0] - 1) ** 2 + (x[1][0] - 1) ** 2, [0.1, np.zeros(1)], bounds=bounds
        )
        close(found.x, [0.5, np.array([0.25])])

    @pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
    @pytest.mark.parametrize("kind", ["dict", "NonlinearConstraint", "LinearConstraint"])
    def test_constraints_on_containers(self, method, kind):
        """The point of the line x + y = 1 that is nearest to the origin."""
        constraint = dict(
            dict={"type": "eq", "fun": lambda p, c: {"on": p["x"] + p["y"] - c}, "args": (1.0,)},
            NonlinearConstraint=self.scipy.NonlinearConstraint(lambda p: p["x"] + p["y"], 1, 1),
            LinearConstraint=self.scipy.LinearConstraint([[1, 1]], 1, 1),
        )[kind]
        found = ad.minimize(
            lambda p: p["x"] ** 2 + p["y"] ** 2, {"x": 2.0, "y": 0.0},
            method=method, constraints=constraint,
        )  # fmt: skip
        close(found.x, {"x": 0.5, "y": 0.5}, atol=1e-6)
        assert set(found.jac) == {"x", "y"}
        if method == "trust-constr":
            close(found.constr_jac[0], np.ones((1, 2)))

    def test_a_curved_constraint_in_a_list(self):
        """The largest x + y on the unit circle, on the side where x >= 0.8."""
        on = self.scipy.NonlinearConstraint(lambda p: p[0] ** 2 + p[1] ** 2, 1, 1)
        side = self.scipy.NonlinearConstraint(lambda p: p[0] - 0.8, 0, np.inf)
        for method in ("SLSQP", "trust-constr"):
            found = ad.minimize(
                lambda p: -p[0] - p[1], [1.0, 0.1], method=method, constraints=[on, side]
            )
            close(found.x, [0.8, 0.6], atol=1e-4)

    def test_a_history_costs_one_evaluation(self):
        calls = []

        def f(x):
            calls.append(x)
            return ((x - 1) ** 4).sum()

        ad.minimize(f, np.zeros(3))
        plain = len(calls)
        found = ad.minimize(f, np.zeros(3), history=True)
        assert len(calls) == 2 * plain + 1
        assert len(found.history.values) == found.nit + 1 == len(found.history.seconds)
        assert found.history.values == sorted(found.history.values, reverse=True)

    @pytest.mark.parametrize("method", ["BFGS", "TNC", "SLSQP", "trust-constr", "COBYQA"])
    def test_a_true_answer_of_the_callback_ends_the_run(self, method):
        seen = []

        def stop(x):
            seen.append(x)
            if len(seen) == 2 and method == "TNC":
                raise StopIteration  # as SciPy has it
            return len(seen) == 2

        found = ad.minimize(
            rosenbrock, {"a": np.float32(-1), "b": [1.0]}, method=method, callback=stop
        )
        assert len(seen) == 2 and seen[0]["a"].dtype == np.float32
        assert not found.success or method == "COBYQA"
        assert rosenbrock(found.x) == pytest.approx(found.fun, rel=1e-4)

    def test_nan_names_the_iterate(self):
        with (
            np.errstate(invalid="ignore"),
            pytest.raises(
                OptimisationError, match=r"`root` is nan at x = \{'w': np.float64\(-1.0\)"
            ),
        ):
            ad.minimize(root, {"w": -1.0})

    @pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B"])
    def test_infinity_is_a_wall_or_an_error(self, method):
        """SciPy's L-BFGS-B ends at x = 9 and reports success; the minimum is at 1."""

        def f(x):
            return x - ad.log(x) if x > 0 else np.inf

        if method == "BFGS":
            with np.errstate(invalid="ignore"):
                assert ad.minimize(f, 30.0, method=method).x == pytest.approx(1)
        else:
            with pytest.raises(OptimisationError, match=r"`f` is inf \(`l-bfgs-b` needs bounds"):
                ad.minimize(f, 30.0, method=method)
            assert ad.minimize(f, 30.0, bounds=(1e-9, None)).x == pytest.approx(1, abs=1e-4)

    def test_a_gradient_that_is_not_finite_names_the_leaf(self):
        with (
            np.errstate(divide="ignore"),
            pytest.raises(OptimisationError, match=r"not finite in x\['b'\]\[0\], at x = "),
        ):
            ad.minimize(lambda p: p["a"] + ad.sqrt(p["b"][0]), {"a": 1.0, "b": [0.0]})

    @pytest.mark.parametrize(
        ("error", "message", "how"),
        [
            (DataError, r"x0\['z'\] is complex128\(2,\)", dict(x0={"z": np.ones(2, complex)})),
            (DataError, r"\['z'\]", dict(x0={"z": "text"})),
            (ConversionError, "detach", dict(x0={"z": ad.Tensor(1.0) * 2})),
            (OptimisationError, "no numbers", dict(x0={})),
            (OptimisationError, r"at bounds\['z'\]; it was given 3", dict(bounds={"z": 3})),
            (OptimisationError, r"bounds\['z'\] is \(1, 0\)", dict(bounds={"z": (1, 0)})),
            (ShapeError, r"bounds\['z'\] of shape \(3,\)", dict(bounds={"z": (None, np.ones(3))})),
            (ShapeError, "bounds of the structure of", dict(bounds={"y": (0, 1)})),
        ],
    )
    def test_what_cannot_be_is_refused(self, error, message, how):
        with pytest.raises(error, match=message):
            ad.minimize(lambda p: (p["z"] ** 2).sum(), **{"x0": {"z": np.ones(2)}, **how})

    @pytest.mark.parametrize("method", ["BFGS", "Powell"])
    def test_a_loss_that_is_no_number_is_refused(self, method):
        with pytest.raises(NotScalarError, match=r"`minimize` needs a scalar output; `square`"):
            ad.minimize(square, np.ones(2), method=method)


def root(p):
    return ad.sqrt(p["w"])


def square(x):
    return x * x


# Each method again in NumPy, as its source writes it: (step from 1, gradient, x, memory) -> x.


def heavy_ball(t, g, x, m, nesterov=False):
    g = g + 0.01 * x
    m["v"] = 0.9 * m.get("v", 0) + g
    return x - 0.1 * (g + 0.9 * m["v"] if nesterov else m["v"])


def adam(t, g, x, m, rate=0.1, decay=0.0):
    m["m"] = 0.8 * m.get("m", 0) + 0.2 * g
    m["v"] = 0.9 * m.get("v", 0) + 0.1 * g**2
    mean, square = m["m"] / (1 - 0.8**t), m["v"] / (1 - 0.9**t)
    return x - rate * (mean / (np.sqrt(square) + 1e-3) + decay * x)


def rmsprop(t, g, x, m, momentum=0.0):
    m["s"] = 0.7 * m.get("s", 0) + (1 - 0.7) * g**2
    m["u"] = momentum * m.get("u", 0) + g / (np.sqrt(m["s"]) + 1e-3)
    return x - 0.1 * m["u"]


METHODS = {
    "sgd": (ad.sgd(0.1), lambda t, g, x, m: x - 0.1 * g),
    "decay": (ad.sgd(0.1, weight_decay=0.5), lambda t, g, x, m: x - 0.1 * (g + 0.5 * x)),
    "schedule": (ad.sgd(lambda k: 1 / (2 + k)), lambda t, g, x, m: x - g / (1 + t)),
    "momentum": (ad.sgd(0.1, 0.9, weight_decay=0.01), heavy_ball),
    "nesterov": (ad.sgd(0.1, 0.9, True, 0.01), lambda *a: heavy_ball(*a, nesterov=True)),
    "adam": (ad.adam(0.1, 0.8, 0.9, 1e-3), adam),
    "adamw": (ad.adamw(0.1, 0.8, 0.9, 1e-3, 0.5), lambda *a: adam(*a, decay=0.5)),
    "rmsprop": (ad.rmsprop(0.1, 0.7, 1e-3), rmsprop),
    "rmsprop, momentum": (ad.rmsprop(0.1, 0.7, 1e-3, 0.6), lambda *a: rmsprop(*a, momentum=0.6)),
}
methods = pytest.mark.parametrize("name", METHODS)


class TestFirstOrder:
    @methods
    def test_three_steps_as_in_the_source(self, name, rng):
        (init, update), reference = METHODS[name]
        tree = {"w": rng.normal(size=(2, 3)), "b": (0.5,)}
        expected, memory = (tree["w"], np.float64(0.5)), ({}, {})
        state = init(tree)
        for t in (1, 2, 3):
            grads = {"w": rng.normal(size=(2, 3)), "b": (rng.normal(),)}
            pieces = zip((grads["w"], grads["b"][0]), expected, memory, strict=True)
            expected = [reference(t, g, x, m) for g, x, m in pieces]
            tree, state = update(grads, state, tree)
            close(tree, {"w": expected[0], "b": (expected[1],)}, rtol=1e-13)
            assert state["step"] == t

    @methods
    def test_a_quadratic_is_descended(self, name):
        method = METHODS[name][0]
        _, history = ad.descend(lambda x: (x["v"] ** 2).sum(), {"v": np.ones(3)}, method, 60)
        assert history.values[-1] < 0.05 * history.values[0]

    @methods
    def test_arguments_are_left_as_they_were(self, name):
        init, update = METHODS[name][0]
        params, grads = np.ones(2), np.full(2, 3.0)
        state = init(params)
        first = update(grads, state, params)
        second = update(grads, state, params)
        assert params.tolist() == [1, 1] and grads.tolist() == [3, 3] and state["step"] == 0
        close(first, second)

    @methods
    def test_float32_stays(self, name):
        method = METHODS[name][0]
        params = {"a": np.ones(2, np.float32), "b": np.float32(1)}
        params, _ = ad.descend(lambda p: (p["a"] * p["b"]).sum() ** 2, params, method, 2)
        assert params["a"].dtype == params["b"].dtype == np.float32

    @pytest.mark.parametrize(
        "method", [ad.sgd(0.1, 0.5), ad.adam(0.1), ad.rmsprop(0.01, momentum=0.5)]
    )
    def test_complex_parameters_go_downhill(self, method):
        found, _ = ad.descend(
            lambda z: (ad.abs(z - (1 + 2j)) ** 2).sum(), np.zeros(2, complex), method, 500
        )
        close(found, np.full(2, 1 + 2j), atol=0.02)

    def test_adam_takes_a_complex_gradient_by_its_modulus(self):
        init, update = ad.adam(0.1)
        x, _ = update(np.array([3 - 4j]), init(np.zeros(1, complex)), np.zeros(1, complex))
        close(x, np.array([-0.06 - 0.08j]), rtol=1e-6)  # the conjugate over its modulus

    @pytest.mark.parametrize(
        ("message", "make"),
        [
            ("`sgd` needs 0 <= momentum < 1; it was given 1", lambda: ad.sgd(0.1, 1)),
            ("nesterov needs a momentum", lambda: ad.sgd(0.1, nesterov=True)),
            ("0 <= b2 < 1", lambda: ad.adam(b2=1.5)),
            ("0 <= decay < 1", lambda: ad.rmsprop(decay=-0.1)),
        ],
    )
    def test_a_wrong_setting_is_refused(self, message, make):
        with pytest.raises(OptimisationError, match=message):
            make()

    def test_gradients_that_do_not_fit_are_refused(self):
        init, update = ad.sgd(0.1)
        params = {"w": np.ones(2)}
        with pytest.raises(ShapeError, match=r"gradient of the structure of \{'w': "):
            update({"v": np.ones(2)}, init(params), params)
        with pytest.raises(ShapeError, match=r"\(3,\) for params\['w'\] of \(2,\)"):
            update({"w": np.ones(3)}, init(params), params)


class TestDescend:
    def test_batches_are_steps(self):
        seen = []

        def loss(x, a, b):
            seen.append((a, b))
            return (x - a) ** 2 + b

        _, history = ad.descend(loss, 0.0, ad.sgd(0.1), batches=[(1.0, 2.0), (3.0, 4.0)])
        assert seen == [(1, 2), (3, 4)] and list(history.steps) == [0, 1]
        _, history = ad.descend(lambda x, a: (x - a) ** 2, 0.0, ad.sgd(0.1), 3, iter(range(100)))
        assert len(history.values) == 3

    def test_aux_goes_to_the_history(self):
        _, history = ad.descend(lambda x: (x * x, {"x": x}), 2.0, ad.sgd(0.25), 2, has_aux=True)
        assert history.aux == [{"x": 2.0}, {"x": 1.0}] and history.values == [4, 1]

    def test_the_callback_sees_and_stops(self):
        seen = []

        def callback(step, params, value):
            seen.append((step, float(params), value))
            return step == 1

        ad.descend(square, 2.0, ad.sgd(0.25), 9, callback=callback)
        assert seen == [(0, 1.0, 4.0), (1, 0.5, 1.0)]

    def test_a_descent_is_differentiated_in_its_rate_and_its_start(self):
        def end(rate, start):
            return ad.descend(lambda x: 2 * x * x, start, ad.sgd(rate, 0.5), 3)[0]

        ad.check_grads(end, (0.1, 3.0))
        ad.check_grads(lambda r: ad.descend(square, 1.0, ad.adam(r), 2)[0], (0.1,))

    def test_many_descents_at_once(self):
        starts = np.array([1.0, 2.0])
        batch = ad.vmap(lambda x: ad.descend(square, x, ad.sgd(0.25), 3)[0])(starts)
        assert batch.tolist() == [0.125, 0.25]

    def test_a_loss_that_is_not_finite_names_the_step(self):
        with pytest.raises(OptimisationError, match=r"`<lambda>` is nan at step 2, where the par"):
            ad.descend(lambda x, a: x * a, 1.0, ad.sgd(0.1), batches=[1.0, 1.0, np.nan])

    def test_parameters_that_are_not_finite_are_named(self):
        def loss(p):
            return p["a"] + ad.sqrt(p["b"])

        start = {"a": 1.0, "b": 0.0}
        with np.errstate(divide="ignore", invalid="ignore"):
            with pytest.raises(OptimisationError, match=r"at step 1, where params\['b'\] is not"):
                ad.descend(loss, start, ad.sgd(0.1), 5)
            with pytest.raises(OptimisationError, match=r"params\['b'\] is not finite after"):
                ad.descend(loss, start, ad.sgd(0.1), 1)

    def test_neither_steps_nor_batches_is_refused(self):
        with pytest.raises(OptimisationError, match="steps or batches"):
            ad.descend(square, 1.0, ad.sgd(0.1))


class Terminal(StringIO):
    def isatty(self):
        return True


class TestShowing:
    def test_a_history_is_plotted(self, tmp_path):
        pytest.importorskip("matplotlib")
        _, history = ad.descend(square, 1.0, ad.sgd(0.25), 5)
        figure = history.plot(tmp_path / "history.png")
        assert (tmp_path / "history.png").stat().st_size > 1000
        assert figure.axes[0].get_yscale() == "log"
        assert figure.axes[0].lines[0].get_ydata().tolist() == history.values

    def test_a_bar_only_if_asked_and_on_a_terminal(self, monkeypatch):
        pytest.importorskip("rich")

        def printed(stream, **how):
            monkeypatch.setattr(sys, "stdout", stream)
            ad.descend(square, 1.0, ad.sgd(0.25), 3, **how)
            return stream.getvalue()

        monkeypatch.setenv("TERM", "xterm")
        assert "descend `square`" in printed(Terminal(), progress=True)
        assert printed(StringIO(), progress=True) == printed(Terminal()) == ""

    def test_minimize_has_a_bar_too(self, monkeypatch):
        pytest.importorskip("scipy"), pytest.importorskip("rich")
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "stdout", Terminal())
        assert ad.minimize(square, 1.0, progress=True).history is None
        assert "minimize `square`" in sys.stdout.getvalue()

    def test_a_missing_library_says_how_to_get_it(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "scipy", None)
        monkeypatch.setitem(sys.modules, "scipy.optimize", None)
        with pytest.raises(
            ImportError, match=r'`minimize` needs scipy .*pip install "adjoint\[scipy\]"'
        ):
            ad.minimize(square, 1.0)
        with pytest.raises(ImportError, match=r'pip install "adjoint\[show\]"'):
            optimise.optional("no_such_library", "show", "a picture")
