"""What was learnt, as pictures. They need Matplotlib, and no window."""

from typing import Any

import numpy as np

from .real import Data, Epoch, Model, Split, predict
from .terminal import optional
from .tutorial import Pass, accuracy

BLUE, ORANGE, GREEN, GREY, RED = "#2f6db0", "#e0792b", "#3d8f5f", "#8a8a8a", "#c23b3b"


def figure(width: float, height: float) -> Any:
    """An empty figure that belongs to nobody's window."""
    return optional("matplotlib.figure").Figure((width, height), dpi=130, layout="constrained")


def tidy(axes: Any) -> Any:
    """`axes` with less ink: two quiet lines for a frame, a faint grid beneath."""
    axes.grid(color="#eeeeee")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(color=GREY)
    return axes


def line(weights: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two points on the boundary w1 x1 + w2 x2 + w3 = 0, over `ends` of the flatter axis."""
    a, b, c = weights
    if abs(b) >= abs(a):
        return ends, -(a * ends + c) / b
    return -(b * ends + c) / a, ends


def boundary(X: np.ndarray, Y: np.ndarray, history: list[Pass]) -> Any:
    """The tutorial's points, and the boundary on its way from the first weights to the last."""
    fig = figure(6.4, 6.7)
    axes = tidy(fig.add_subplot())
    last, final = len(history) - 1, history[-1].weights
    low, high, ends = -0.04, 1.04, np.array([-2.0, 3.0])
    grid = np.linspace(low, high, 200)
    probability = 0.5 + 0.5 * np.tanh((final[0] * grid + final[1] * grid[:, None] + final[2]) / 2)
    fade = optional("matplotlib.colors").LinearSegmentedColormap.from_list("", (ORANGE, "w", BLUE))
    square = dict(extent=(low, high) * 2, origin="lower", interpolation="bilinear")
    axes.imshow(probability, cmap=fade, vmin=0, vmax=1, alpha=0.35, **square)
    for label, colour in ((0, ORANGE), (1, BLUE)):
        x1, x2 = X[label == Y][:, :2].T
        axes.scatter(x1, x2, 42, colour, edgecolor="w", lw=0.7, zorder=3, label=f"label {label}")
    between = [p for p in (5, 10, 20, 50, 100) if p < last]
    for p in between:
        name = f"after {', '.join(map(str, between))} passes" if p == between[0] else None
        axes.plot(*line(history[p].weights, ends), color=GREEN, lw=1, alpha=0.55, label=name)
    axes.plot(*line(final, ends), color=GREEN, lw=2.5, label=f"learnt after {last} passes")
    axes.plot(ends, 1 - ends, color="k", lw=1.2, ls=(0, (5, 4)), label="true: x1 + x2 = 1")
    before = "before: x1 + x2 = -1, outside the square"
    axes.plot(*line(history[0].weights, ends), color=GREY, lw=1.2, ls=":", label=before)
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal", xlabel="x1", ylabel="x2")
    axes.set_title(f"Logistic regression: accuracy {accuracy(final, X, Y):.0%} on {len(Y)} points")
    fig.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return fig


def likelihood(history: list[Pass]) -> Any:
    """The log-likelihood and the weights, pass by pass."""
    fig = figure(7.2, 5.4)
    upper, lower = (tidy(axes) for axes in fig.subplots(2, 1, sharex=True))
    passes = np.arange(len(history))
    upper.plot(passes, [p.likelihood for p in history], color=GREEN, lw=2)
    upper.set(ylabel="log-likelihood", title="The likelihood climbs")
    weights = np.array([p.weights for p in history])
    names = ("weight of x1", "weight of x2", "bias")
    for values, name, colour in zip(weights.T, names, (BLUE, ORANGE, GREY), strict=True):
        lower.plot(passes, values, color=colour, lw=2, label=name)
    lower.set(xlabel="pass", ylabel="weights")
    lower.legend(frameon=False, fontsize=9)
    return fig


def learning(data: Data, history: list[Epoch]) -> Any:
    """Loss and accuracy, epoch by epoch."""
    fig = figure(8.4, 3.6)
    left, right = (tidy(axes) for axes in fig.subplots(1, 2))
    epochs = np.arange(1, len(history) + 1)
    mark = "o" if len(history) == 1 else ""
    left.plot(epochs, [e.loss for e in history], color=GREEN, lw=2, marker=mark)
    left.set(ylim=(0, None), xlabel="epoch", title="loss: mean of -ln p(label)")
    right.plot(epochs, [e.train for e in history], color=BLUE, lw=2, marker=mark, label="train")
    right.plot(epochs, [e.test for e in history], color=ORANGE, lw=2, marker=mark, label="test")
    right.set(xlabel="epoch", title="accuracy")
    right.yaxis.set_major_formatter(optional("matplotlib.ticker").PercentFormatter(1, 1))
    right.legend(frameon=False, loc="lower right")
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)
    fig.suptitle(f"{data.name}: {len(data.X)} rows, {len(data.columns)} columns")
    return fig


def digit_weights(data: Data, model: Model) -> Any:
    """The weights of each digit as an image: ink that speaks for it, ink that speaks against it."""
    fig = figure(8, 3.9)
    top = np.abs(model["weight"]).max()
    for digit, axes in enumerate(fig.subplots(2, 5).flat):
        image = model["weight"][:, digit].reshape(8, 8)
        drawn = axes.imshow(image, cmap="RdBu", vmin=-top, vmax=top)
        axes.set_title(data.classes[digit])
        axes.axis("off")
    bar = fig.colorbar(drawn, ax=fig.axes, shrink=0.8, ticks=[-top, 0, top])
    bar.ax.set_yticklabels(["against", "0", "for"])
    bar.outline.set_visible(False)
    fig.suptitle("What ink says about each digit: the learnt weights")
    return fig


def digit_predictions(data: Data, parts: Split, model: Model) -> Any:
    """Test digits with what the model takes them for: its mistakes first, marked, then others."""
    found = predict(model, parts.test_X)
    wrong = np.flatnonzero(found != parts.test_labels)
    right = np.flatnonzero(found == parts.test_labels)
    fig = figure(8, 5.6)
    grid = fig.subplots(5, 10)
    for i, axes in zip([*wrong, *right], grid.flat, strict=False):
        axes.imshow(data.X[parts.test_rows[i]].reshape(8, 8), cmap="gray_r")
        truth, guess = parts.test_labels[i], found[i]
        text = f"{guess}" if guess == truth else f"{guess}, not {truth}"
        axes.set_title(text, fontsize=9, pad=3, color=GREEN if guess == truth else RED)
    for axes in grid.flat:
        axes.axis("off")
    fig.suptitle(f"Test digits as the model reads them: {len(wrong)} of {len(found)} wrong")
    return fig
