"""Le guide de l'atelier, lu depuis la page : /atelier sert les fichiers Markdown du dossier docs.

Les mêmes fichiers se lisent sur le disque ou sur une forge ; ici, leurs liens et leurs images sont ceux du site.
Le README du guide en est la table des matières : l'ordre de ses liens est celui de la lecture.
"""

import posixpath
import re
from functools import lru_cache
from typing import NamedTuple

from flask import Blueprint, Response, abort, render_template, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from markdown_it import MarkdownIt
from markupsafe import Markup

from workshop.page.typesetting import NO_BREAK, THIN
from workshop.paths import AURORE

GUIDE = AURORE.parent / "docs"
MISSING = ("Il manque le dossier docs, qui va à côté du dossier aurore. Reprenez-le du projet (avec Docker, "
           "reconstruisez l'image), puis rechargez cette page.")

# Les espaces qu'un retour à la ligne ne doit pas couper, et celles qui sont fines.
_SPACES = [(r" (?=[;!?])|(?<=\d) (?=\d{3}\b)", THIN),
           (r" (?=[:»])|(?<=«) |(?<=\d) (?=%|×|[kMG]o\b|ms\b|[sh]\b|min\b)|(?<=×) (?=\d)", NO_BREAK)]

guide = Blueprint("guide", __name__, url_prefix="/atelier")


class Page(NamedTuple):
    """Une page du guide, prête à montrer."""

    address: str
    title: str
    html: Markup     # sans le titre
    sections: list[tuple[str, str]]   # (ancre, titre) de chaque intertitre
    links: list[str]      # les pages du guide où elle mène, dans l'ordre


@guide.get("/")
def index() -> ResponseReturnValue:
    """La table des matières."""
    return _show("README", "guide.html")


@guide.get("/<path:name>")
def page(name: str) -> ResponseReturnValue:
    """Une page du guide ; « 3-entrainer » montre docs/3-entrainer.md, « reference/api » docs/reference/api.md."""
    return _show(name, "guide.html")


@guide.get("/neurone")
def neuron() -> ResponseReturnValue:
    """La page où l'on règle un neurone, au-dessus du texte qui l'accompagne."""
    return _show("neurone", "neurone.html")


@guide.get("/images/<name>.svg")
def picture(name: str) -> Response:
    """Un dessin du guide."""
    response = send_from_directory(GUIDE / "images", f"{name}.svg", mimetype="image/svg+xml", max_age=3600)
    # Le dessin porte ses propres couleurs, que la règle des pages interdirait ; et il ne peut rien d'autre.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response


def _show(name: str, template: str) -> ResponseReturnValue:
    """Renvoie la page `name` dans son gabarit, avec celles qui la précèdent et la suivent."""
    if not (GUIDE / "README.md").is_file():
        return render_template("error.html", code=404, title="Le guide n'est pas là", sentence=MISSING), 404
    names = [None, "README", *_read("README").links, None]
    if name not in names:
        abort(404)
    place = names.index(name)
    previous, following = (other and _read(other) for other in (names[place - 1], names[place + 1]))
    return render_template(template, page=_read(name), previous=previous, following=following)


def _read(name: str) -> Page:
    """Renvoie la `Page` du fichier `name`.md, relu seulement quand il a changé."""
    return _render(GUIDE, name, (GUIDE / f"{name}.md").stat().st_mtime_ns, url_for("guide.index"))


@lru_cache(maxsize=64)
def _render(folder, name, _changed, root):
    """Renvoie la `Page` du fichier Markdown `name` de `folder` ; `root` est l'adresse du guide."""
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")  # le HTML de nos fichiers : <details>
    markdown.add_render_rule("fence", _code)
    source = (folder / f"{name}.md").read_text(encoding="utf-8")
    _, title, _, *body = markdown.parse(source)  # la première ligne est le titre
    sections, links = [], []
    for number, token in enumerate(body):
        if token.type == "heading_open":
            heading = body[number + 1].content
            token.attrSet("id", anchor(heading))
            if token.tag == "h2":
                sections.append((anchor(heading), compose(heading)))
        elif token.type == "html_block":
            token.content = compose(token.content)
        for child in token.children or ():
            if child.type == "link_open":
                links += _rewrite_link(child, name, root)
            elif child.type == "image":
                source = _beside(name, child.attrGet("src"))
                child.attrs.update(src=root + source, **_size(folder / source))
            elif child.type == "text":
                child.content = compose(child.content)
    html = Markup(markdown.renderer.render(body, markdown.options, {}))
    return Page(_address(name, root), compose(title.content), html, sections, list(dict.fromkeys(links)))


def _address(name, root):
    """Renvoie l'adresse d'une page du guide."""
    return root if name == "README" else root + name


def _beside(name, target):
    """Renvoie, depuis le dossier du guide, le chemin que la page `name` écrit « ../images/perte.svg »."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), target))


def _size(drawing):
    """Renvoie {"width": …, "height": …}, ce que dit un dessin : la page lui garde sa place avant qu'il n'arrive."""
    opening = re.search("<svg[^>]*>", drawing.read_text(encoding="utf-8"))[0]
    return dict(re.findall(r'\b(width|height)="(\d+)"', opening))


def _rewrite_link(link, page_name, root):
    """Change « 3-entrainer.md#la-suite » en l'adresse de cette page ; renvoie [son nom], ou [] pour un autre lien."""
    match = re.fullmatch(r"([\w./-]+)\.md(#.*)?", link.attrGet("href"))
    if match is None:
        return []
    name, fragment = _beside(page_name, match[1]), match[2] or ""
    link.attrSet("href", _address(name, root) + fragment)
    return [name]


def _code(_renderer, tokens, number, *_):
    """Écrit un bloc de code, que le clavier peut faire défiler."""
    return str(Markup('<pre tabindex="0"><code>{}</code></pre>\n').format(tokens[number].content))


def compose(text: str) -> str:
    """Renvoie `text` avec de belles apostrophes, et des espaces insécables là où le français en veut."""
    for pattern, space in _SPACES:
        text = re.sub(pattern, space, text)
    return text.replace("'", "’")


def anchor(text: str) -> str:
    """Renvoie l'ancre d'un intertitre, comme les forges l'écrivent : « ce-que-vous-verrez ».

    Cette seule ligne est ce que mdit-py-plugins ferait de plus pour nous : une bibliothèque de moins à installer.
    """
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text.lower()).strip())
