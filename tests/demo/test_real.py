"""Real data is read as it stands, or refused in one line; and it is learnt."""

import numpy as np
import pytest

import adjoint as ad
from adjoint.demo import real

datasets = pytest.importorskip("sklearn.datasets")


def learn(bunch, name, epochs, **options):
    rng = np.random.default_rng(0)
    data = real.from_sklearn(bunch, name)
    parts = real.split(data, rng)
    model, history = real.train(parts, len(data.classes), rng, epochs, **options)
    return parts, model, history


def test_breast_cancer_is_learnt():
    _, _, history = learn(datasets.load_breast_cancer(), "cancer", 15)
    assert history[-1].test > 0.95
    assert history[-1].loss < history[0].loss


def test_digits_are_learnt():
    _, _, history = learn(datasets.load_digits(), "digits", 10)
    assert history[-1].test > 0.94


def test_softmax_weights_equal_those_of_a_loop_written_by_hand():
    parts, model, _ = learn(datasets.load_digits(), "digits", 3, rate=0.2, size=50)
    rng = np.random.default_rng(0)
    rng.permutation(1797)  # the split
    W, b = np.zeros((64, 10)), np.zeros(10)
    for _ in range(3):
        for rows in real.batches(len(parts.X), 50, rng):
            X = parts.X[rows]
            p = np.exp(X @ W + b)
            p /= p.sum(1, keepdims=True)
            residual = (p - np.eye(10)[parts.labels[rows]]) / len(rows)
            W, b = W - 0.2 * X.T @ residual, b - 0.2 * residual.sum(0)
    np.testing.assert_allclose(model["weight"], W, rtol=0, atol=1e-12)
    np.testing.assert_allclose(model["bias"], b, rtol=0, atol=1e-12)


def test_logistic_weights_equal_those_of_a_loop_written_by_hand():
    parts, model, _ = learn(datasets.load_breast_cancer(), "cancer", 5)
    rng = np.random.default_rng(0)
    rng.permutation(569)  # the split
    w, b = np.zeros(30), 0.0
    for _ in range(5):
        for rows in real.batches(len(parts.X), 32, rng):
            X = parts.X[rows]
            residual = (1 / (1 + np.exp(-(X @ w + b))) - parts.labels[rows]) / len(rows)
            w, b = w - 0.1 * X.T @ residual, b - 0.1 * residual.sum()
    np.testing.assert_allclose(model["weight"], w, rtol=0, atol=1e-12)
    np.testing.assert_allclose(model["bias"], b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("classes", [2, 3])
def test_loss_and_gradient_stay_finite_far_out(classes, rng):
    weight = rng.normal(size=4 if classes == 2 else (4, classes))
    bias = 0.0 if classes == 2 else np.zeros(classes)
    X, labels = 1e4 * rng.normal(size=(20, 4)), rng.integers(0, classes, 20)
    value, slope = ad.value_and_grad(real.loss)(dict(weight=weight, bias=bias), X, labels)
    assert 100 < value < np.inf
    assert np.isfinite(slope["weight"]).all() and np.isfinite(slope["bias"]).all()


def test_split_keeps_every_row_once_and_standardises_by_the_training_rows(rng):
    X = np.column_stack([rng.normal(5, 3, 50), np.full(50, 7.0)])
    data = real.Data("d", X, np.arange(50), [], [], [])
    parts = real.split(data, rng)
    assert (len(parts.X), len(parts.test_X)) == (40, 10)
    assert sorted([*parts.labels, *parts.test_labels]) == list(range(50))
    np.testing.assert_array_equal(parts.test_labels, parts.test_rows)
    np.testing.assert_allclose(parts.X.mean(0), 0, atol=1e-14)
    np.testing.assert_allclose(parts.X.std(0), [1, 0], atol=1e-14)
    assert (parts.test_X[:, 1] == 0).all()


def test_training_stops_where_the_loss_overflows():
    _, _, history = learn(datasets.load_digits(), "digits", 5, rate=1e307)
    assert len(history) < 5


def read(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return real.read_csv(path)


def test_csv_with_header_text_labels_and_a_column_of_words(tmp_path):
    text = "\ufeffsize;colour;mass;kind\n1;red;2.5;b\n2;blue;3e2;a\n\n3;red;-1;b\n4;;0;a\n"
    data = read(tmp_path, text)
    assert data.name == "table"
    assert data.columns == ["size", "mass"]
    assert data.X.tolist() == [[1, 2.5], [2, 300], [3, -1], [4, 0]]
    assert data.classes == ["a", "b"] and data.labels.tolist() == [1, 0, 1, 0]
    assert data.remarks == ["left out: 'colour', where line 2 has 'red' for a number"]


def test_csv_without_header_and_with_numbers_for_labels(tmp_path):
    data = read(tmp_path, "1,10\n2,9.0\n3,9\n4,10\n5,2\n6,2\n")
    assert data.columns == ["column 1"]
    assert data.classes == ["2", "9", "10"]
    assert data.labels.tolist() == [2, 1, 1, 2, 0, 0]


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("1\n2\n", "one column"),
        ("a,b\n", "no column of numbers"),
        ("a,b\nx,0\ny,1\n", "no column of numbers"),
        ("1,0\n2,1,3\n", "line 2: 3 cells; the first line has 2"),
        ("1,0\n2,\n", "line 2: no label"),
        ("1,0\n2,0\n", "1 distinct labels in 2 rows"),
        ("1,.1\n2,.2\n3,.3\n4,.4\n", "4 distinct labels in 4 rows"),
        (b"\x89PNG\r\n\x1a\n\xff", "is not a CSV file"),
    ],
)
def test_csv_that_cannot_be_learnt_from_is_refused_in_one_line(tmp_path, text, complaint):
    with pytest.raises(real.DataFileError, match=complaint) as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value)
