"""Les images que les étapes laissent à côté de leurs résultats, lisibles en noir et blanc."""

import numpy as np
from matplotlib.figure import Figure

from workshop.narration import count, decimal


def draw_sentence_lengths(dataset, path):
    """Dessine dans `path` (PNG) l'histogramme des longueurs de phrases, en mots.

    `dataset` : {nom de la partie: Dataset, dont la colonne « sentence_length »}, lu par morceaux.
    """
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    styles, bins = ("-", "--", ":"), np.arange(0, 121, 3)
    for style, (split, rows) in zip(styles, dataset.items()):
        lengths = rows.select_columns("sentence_length").with_format("numpy")
        shares = sum(np.histogram(batch["sentence_length"], bins)[0] for batch in lengths.iter(batch_size=10_000))
        axes.hist(bins[:-1], bins=bins, weights=100 * shares / len(rows), histtype="step", linewidth=1.6,
                  linestyle=style, color="black", label=f"{split} ({count(len(rows))} phrases)")
    axes.set(xlabel="mots par phrase", ylabel="part des phrases (%)", xlim=(0, 120),
             title="Longueur des phrases")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def draw_learning_curve(train_points, validation_points, kept_step, path):
    """Dessine dans `path` (PNG) les pertes d'entraînement et de validation au fil des pas.

    Les points sont des couples (pas, perte en nats par token) ; `kept_step` est le pas dont
    les poids sont gardés.
    """
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(*zip(*train_points), color="0.6", linewidth=1, label="entraînement, à chaque pas")
    axes.plot(*zip(*validation_points), color="black", marker="o", linestyle="--", label="validation")
    kept_loss = dict(validation_points)[kept_step]
    axes.plot([kept_step], [kept_loss], "s", markersize=13, markerfacecolor="none",
              markeredgecolor="black", label="poids gardés")
    axes.set(xlabel="pas (un lot par pas)", ylabel="perte (nats par token)",
             title="Courbe d'apprentissage")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def draw_learnt_words(gains, path):
    """Dessine dans `path` (PNG) les mots qu'un réseau attend mieux : des couples (mot, bits gagnés)."""
    words, bits = zip(*reversed(gains))
    figure = Figure(figsize=(8, 0.6 + 0.4 * len(gains)), layout="constrained")
    axes = figure.add_subplot()
    bars = axes.barh(words, bits, color="0.75", edgecolor="black", linewidth=0.8)
    axes.bar_label(bars, [decimal(gain, 1) for gain in bits], padding=4)
    axes.set(xlabel="bits gagnés, en moyenne, à chaque fois que le mot revient",
             title="Les mots que le réseau a appris à attendre", xlim=(0, 1.12 * max(bits)))
    axes.xaxis.set_major_formatter(lambda value, _: decimal(value, 1))
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
