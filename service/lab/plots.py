"""The figures of an evaluation: precision-recall, calibration, confusion, recall by height."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from service.safety.equipment import CLASSES, EQUIPMENT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#555555")
"""Okabe and Ito's palette, one a class: told apart with any colour vision."""


def precision_recall(curves: dict[str, list[float]], ap: dict[str, float]) -> Figure:
    """Draw one interpolated curve a class, with its AP50."""
    figure, axes = _axes(6.4, 4.6)
    for name, values in curves.items():
        label = f"{name} ({ap[f'AP50 {name}']:.3f})"
        axes.plot(np.linspace(0, 1, len(values)), values, color=COLOURS[_index(name)], label=label)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    if curves:
        axes.legend(loc="lower left", fontsize=8)
    return figure


def calibration(classes: dict[str, Any]) -> Figure:
    """Draw, per class, the share of boxes that hit against their confidence; larger dots hold more boxes."""
    figure, axes = _axes(6.4, 4.6)
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
    for name, one in classes.items():
        if one["bins"]:
            sure, hits, boxes = ([bar[key] for bar in one["bins"]] for key in ("confidence", "hits", "boxes"))
            colour = COLOURS[_index(name)]
            axes.plot(sure, hits, color=colour, linewidth=1, label=f"{name} (error {one['error']:.3f})")
            axes.scatter(sure, hits, s=[8 + 4 * np.sqrt(count) for count in boxes], color=colour)
    axes.set(xlabel="confidence", ylabel="share that hits a label", xlim=(0, 1), ylim=(0, 1.02))
    if any(one["bins"] for one in classes.values()):
        axes.legend(loc="upper left", fontsize=8)
    return figure


def confusion(matrix: list[list[int]]) -> Figure:
    """Draw a confusion matrix; shades are shares of a row."""
    figure, axes = _axes(6.0, 4.8)
    counts = np.array(matrix)
    axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        share = count / max(counts[row].sum(), 1)
        axes.text(column, row, str(count), ha="center", va="center", color="white" if share > 0.5 else "black")
    axes.set_xticks(range(len(CLASSES) + 1), [*CLASSES, "nothing"], rotation=30)
    axes.set_yticks(range(len(CLASSES) + 1), [*CLASSES, "no label"])
    axes.set(xlabel="seen", ylabel="labelled")
    return figure


def recall_by_height(bands: dict[str, Any]) -> Figure:
    """Draw recall of missing equipment per height band, with 95 % Wilson intervals and how many lack it."""
    figure, axes = _axes(6.4, 4.0)
    for number, equipment in enumerate(EQUIPMENT):
        known = [(place, one[equipment]) for place, one in enumerate(bands.values()) if one[equipment]["missing"]]
        across = [place + (number - 0.5) * 0.3 for place, _ in known]
        recall = np.array([tally["recall"] for _, tally in known])
        limits = np.array([tally["recall_95"] for _, tally in known]).reshape(-1, 2)
        error = np.abs(limits.T - recall)
        axes.errorbar(across, recall, yerr=error, fmt="o", capsize=4, color=COLOURS[number], label=equipment)
        for x, high, (_, tally) in zip(across, limits[:, 1], known, strict=True):
            axes.annotate(f"n={tally['missing']}", (x, high), fontsize=7, ha="center", va="bottom")
    axes.set_xticks(range(len(bands)), [f"{band} px" for band in bands])
    axes.set(xlabel="height as the model sees the person", ylabel="recall of missing", ylim=(0, 1.1))
    axes.legend(loc="upper left", fontsize=8)
    return figure


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.grid(visible=False)
    return figure, axes


def _index(name: str) -> int:
    return [str(one) for one in CLASSES].index(name)
