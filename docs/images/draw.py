"""Les dessins du guide : « python docs/images/draw.py » les écrit à côté de ce fichier.

Des SVG faits à la main : du vrai texte, net à toute taille, et des couleurs qui suivent le mode
clair ou sombre de qui lit. Les tokens de « tokens.svg » sont ceux du tokenizer embarqué.
"""

import re
from html import escape
from pathlib import Path

from tokenizers import Tokenizer

IMAGES = Path(__file__).resolve().parent
TOKENIZER = IMAGES.parent.parent / "aurore" / "embedded" / "base_model" / "tokenizer.json"
WIDTH = 520  # unités ; lisible jusqu'à la largeur d'un téléphone

STYLE = """
  text { font: 19px Georgia, "DejaVu Serif", serif; fill: #2b2621; }
  .small { font-size: 16px; }
  .soft { fill: #6a6058; font-style: italic; }
  .line { fill: none; stroke: #6a6058; stroke-width: 1.5; }
  .dashed { stroke-dasharray: 5 4; }
  .box { fill: #f1e8d8; stroke: #b9ac9c; }
  .red { fill: #7a2e2e; }  .red-line { fill: none; stroke: #7a2e2e; stroke-width: 2.5; }
  .blue { fill: #1f6f8b; }  .blue-line { fill: none; stroke: #1f6f8b; stroke-width: 2.5; }
  .ochre { fill: #a8651d; }  .inside { fill: #fff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #ece5da; }
    .soft { fill: #b3a798; }
    .line { stroke: #b3a798; }
    .box { fill: #302a24; stroke: #6b6157; }
    .red { fill: #d99a8b; }  .red-line { stroke: #d99a8b; }
    .blue { fill: #74c0d8; }  .blue-line { stroke: #74c0d8; }
    .ochre { fill: #e0a860; }  .inside { fill: #1e1b18; }
  }
"""


# --- Les gestes ---------------------------------------------------------------------------

def text(x, y, words, kind="", anchor="middle"):
    """Un texte posé sur la ligne `y`, composé comme celui du guide : apostrophes courbes, espaces insécables."""
    words = re.sub(r" (?=[;:!?»%])|(?<=«) ", "\u00a0", str(words)).replace("'", "’")
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>'


def box(x, y, width, height, kind="box"):
    """Un rectangle aux coins ronds."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4" class="{kind}"/>'


def disc(x, y, radius, kind):
    """Un disque."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" class="{kind}"/>'


def line(points, kind="line"):
    """Une ligne brisée par ces points."""
    return f'<polyline points="{" ".join(f"{x:g},{y:g}" for x, y in points)}" class="{kind}"/>'


def arrow(points, kind="line"):
    """Une ligne brisée qui finit par une pointe, droite ou verticale."""
    (before_x, before_y), (x, y) = points[-2:]
    along = (x > before_x) - (x < before_x), (y > before_y) - (y < before_y)
    wings = [(x - 7 * along[0] + 5 * side * along[1], y - 7 * along[1] + 5 * side * along[0]) for side in (1, -1)]
    return line(points, kind) + line([wings[0], (x, y), wings[1]], kind)


def bars(x, y, rows, width):
    """Des probabilités : un mot, sa barre, son pourcentage, une ligne par couple (mot, part)."""
    drawn = []
    for number, (word, share) in enumerate(rows):
        top = y + 26 * number
        drawn += [text(x, top + 14, word, anchor="end"), box(x + 8, top, max(2, width * share), 18, "blue"),
                  text(x + 14 + width * share, top + 14, f"{100 * share:.0f} %" if share >= .005 else "moins de 1 %",
                       "small", "start")]
    return drawn


# --- Les dessins --------------------------------------------------------------------------

def journey():
    """Les cinq étapes, et l'ordre où on les prend."""
    stops = ["livres", "phrases", "tokens", "réseau", "histoire"]
    drawn = [text(260, 22, "ce que font les scripts", "soft"), arrow([(130, 32), (390, 32)])]
    for number, stop in enumerate(stops):
        x = 4 + 106 * number
        drawn += [box(x, 60, 88, 44), text(x + 44, 88, stop)]
        if number:
            drawn.append(arrow([(x - 17, 82), (x - 2, 82)]))
    for number, x in ((1, 97), (2, 203), (3, 309), ("4 et 5", 415)):
        drawn += [text(x, 128, number, "soft small")]
    drawn += [arrow([(390, 148), (130, 148)], "red-line"),
              text(260, 172, "l'ordre de l'après-midi : 5, 4, 3, 2, 1", "soft")]
    return 184, drawn


def writing():
    """Deviner, tirer, ajouter, recommencer."""
    candidates = [("mère", .38), ("robe", .24), ("main", .17), ("vie", .13), ("chaise", .08)]
    return 312, [
        text(4, 24, "ce qui est écrit", "soft small", "start"), box(4, 34, 190, 44), text(99, 62, "Elle prit sa"),
        arrow([(194, 56), (232, 56)]), box(234, 34, 100, 44, "red"), text(284, 62, "réseau", "inside"),
        arrow([(334, 56), (376, 56), (376, 92)]),
        text(290, 112, "ce qui pourrait suivre", "soft small", "start"),
        *bars(346, 124, candidates, 180),
        arrow([(376, 258), (376, 286), (236, 286)]), text(310, 278, "tirage", "soft small"),
        text(150, 292, "« main »"),
        arrow([(99, 286), (40, 286), (40, 84)]), text(52, 190, "on l'ajoute,", "soft small", "start"),
        text(52, 210, "et on recommence", "soft small", "start"),
    ]


def boldness():
    """La même hésitation, à trois températures."""
    shares = {"mère": .38, "robe": .24, "main": .17, "vie": .13, "chaise": .08}
    drawn = []
    for number, (temperature, name) in enumerate(((0.3, "prudent"), (0.8, "d'ordinaire"), (1.3, "aventureux"))):
        sharpened = {word: share ** (1 / temperature) for word, share in shares.items()}
        total, y = sum(sharpened.values()), 40 + 156 * number
        drawn += [text(4, y + 20, f"audace {temperature}".replace(".", ","), anchor="start"),
                  text(4, y + 42, name, "soft small", "start"),
                  *bars(220, y, [(word, share / total) for word, share in sharpened.items()], 230)]
    return 488, [text(4, 20, "« Elle prit sa… »", anchor="start"), *drawn]


def network():
    """Un neurone, puis beaucoup."""
    layers = [(306, (70, 130, 190)), (392, (50, 103, 157, 210)), (476, (100, 160))]
    drawn = [text(120, 22, "un neurone", "soft"), text(392, 22, "un réseau", "soft")]
    for y, name, weight in ((80, "masse", "× 3"), (180, "oreilles", "× 6")):
        drawn += [text(4, y + 5, name, anchor="start"), arrow([(84, y), (142, y), (142, 130 + (y - 130) * .74)]),
                  text(110, y - 8 if y < 130 else y + 20, weight, "small soft")]
    drawn += [disc(142, 130, 36, "red"), text(142, 126, "somme", "small inside"),
              text(142, 145, "+ seuil", "small inside"),
              arrow([(178, 130), (198, 130)]), text(201, 136, "chien", anchor="start")]
    for (left, lefts), (right, rights) in zip(layers, layers[1:]):
        drawn += [line([(left, a), (right, b)]) for a in lefts for b in rights]
    drawn += [disc(x, y, 13, "red" if x == 392 else "blue") for x, ys in layers for y in ys]
    drawn += [text(306, 250, "entrées", "small soft"), text(392, 250, "couche", "small soft"),
              text(476, 250, "réponse", "small soft")]
    return 264, drawn


def epoch():
    """Le corpus lu une fois, lot par lot."""
    drawn = []
    for batch in range(4):
        left = 14 + 128 * batch
        drawn += [box(left + 36 * block, 62, 30, 46, ("blue", "ochre")[batch % 2]) for block in range(3)]
        drawn += [line([(left, 116), (left, 124), (left + 102, 124), (left + 102, 116)]),
                  text(left + 51, 144, "un lot", "small"), arrow([(left + 51, 152), (left + 51, 178)], "red-line"),
                  text(left + 51, 198, "mise à jour", "small")]
    drawn += [line([(14, 52), (14, 42), (500, 42), (500, 52)]), text(257, 30, "une époque : tout le corpus, une fois")]
    return 210, drawn


def loss():
    """Les deux pertes, et le moment où garder les poids."""
    def down(height):
        return 40 + 200 * (1 - height)
    steps = [step / 40 for step in range(41)]
    train = [(60 + 400 * step, down(.95 * 2.718 ** (-2.6 * step) + .03)) for step in steps]
    validation = [(60 + 400 * step, down(.83 * 2.718 ** (-3.4 * step) + .17 + .33 * step ** 2.2)) for step in steps]
    best = max(validation, key=lambda point: point[1])
    return 290, [
        line([(60, 30), (60, 240), (480, 240)]), text(4, 22, "perte", "soft", "start"),
        text(480, 264, "temps", "soft", "end"),
        line(train, "blue-line"), line(validation, "red-line dashed"), disc(*best, 7, "red"),
        line([(best[0], best[1] + 10), (best[0], 240)], "line dashed"),
        text(best[0], 264, "poids gardés", "small"),
        text(300, 96, "validation : il récite, et se trompe ailleurs", "small"),
        arrow([(400, 104), (400, 130)]),
        text(84, 204, "entraînement", "small", "start"), arrow([(160, 190), (160, 168)]),
    ]


def tokens():
    """Une phrase, ses morceaux et leurs numéros, par le tokenizer embarqué."""
    encoding = Tokenizer.from_file(str(TOKENIZER)).encode(
        "Bonjour Madame, je m'appelle George Sand. Et vous ?", add_special_tokens=False)
    sentence = "Bonjour Madame, je m'appelle George Sand. Et vous ?"
    x, y, drawn = 6, 66, [text(260, 26, f"« {sentence} »", "small")]
    for number, (identifier, (start, end)) in enumerate(zip(encoding.ids, encoding.offsets)):
        piece = sentence[start:end].replace(" ", "␣")
        width = max(44, 12.5 * len(piece) + 14)
        if x + width > WIDTH - 6:
            x, y = 6, y + 84
        drawn += [box(x, y, width, 34, ("blue", "ochre")[number % 2]), text(x + width / 2, y + 23, piece, "inside"),
                  text(x + width / 2, y + 54, identifier, "small soft")]
        x += width + 6
    return y + 66, drawn


def three_parts():
    """Cent exercices de mathématiques : 80 avec corrigé, 10 pour se jauger, 10 pour l'examen."""
    drawn = []
    for number in range(100):
        row, column = divmod(number, 10)
        kind = "blue" if row < 8 else "ochre" if row < 9 else "red"
        drawn.append(box(8 + 22 * column, 8 + 22 * row + 10 * (row >= 8) + 10 * (row == 9), 18, 18, kind))
    return 256, drawn + [
        text(246, 66, "80 : apprentissage", anchor="start"),
        text(246, 90, "on donne les corrigés", "soft small", "start"),
        text(246, 200, "10 : validation, en chemin", anchor="start"),
        text(246, 233, "10 : test, l'examen final", anchor="start"),
    ]


DRAWINGS = {
    "parcours.svg": journey, "suite.svg": writing, "audace.svg": boldness, "reseau.svg": network,
    "epoque.svg": epoch, "perte.svg": loss, "tokens.svg": tokens, "trois-parties.svg": three_parts,
}


def draw(name):
    """Renvoie le texte SVG du dessin `name`."""
    height, shapes = DRAWINGS[name]()
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
            f'height="{height:g}">\n<style>{STYLE}</style>\n' + "\n".join(shapes) + "\n</svg>\n")


if __name__ == "__main__":
    for drawing in DRAWINGS:
        (IMAGES / drawing).write_text(draw(drawing), encoding="utf-8", newline="\n")
        print(f"docs/images/{drawing}")
