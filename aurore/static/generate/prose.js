/* Le texte, en prose ; quand on regarde le réseau penser, chaque token y est un bouton, coloré par son hésitation.
   Les flèches vont de l'un à l'autre. */

import { doubt } from "./draw.js";
import { percent } from "../numbers.js";

export const ONE_LINE = 75; // signes : plus court, un paragraphe n'a pas la place d'une lettrine (story.py fait de même)

const event = (name) => new CustomEvent(name, { bubbles: true });

const sameRun = (one, other) => one.text === other.text && one.part.piece === other.part.piece;

export class Prose {
  #element;
  #watching = false;

  /** Choisir un token y envoie l'événement « choose » ; passer dessus, « peek ». */
  constructor(element) {
    this.#element = element;
    element.addEventListener("click", ({ target }) => this.#choose(target.closest(".token")));
    element.addEventListener("focusin", ({ target }) => this.#choose(target.closest(".token")));
    element.addEventListener("mouseover", ({ target }) => target.closest(".token")?.dispatchEvent(event("peek")));
    element.addEventListener("keydown", (pressed) => this.#move(pressed));
  }

  get tokens() {
    return [...this.#element.querySelectorAll(".token")];
  }

  /** Montre `lines`, des listes de {text, part} ; ne touche qu'à ce qui a changé : ce qu'on y a sélectionné le reste. */
  render(lines, watching) {
    if (watching !== this.#watching) {
      this.#watching = watching;
      this.#element.replaceChildren();
    }
    lines.forEach((runs, at) => {
      const line = this.#element.children[at] ?? this.#element.appendChild(document.createElement("p"));
      const shown = watching ? runs : joined(runs);
      if (!line.runs) {
        line.replaceChildren(); // ce que le serveur y avait mis
      }
      const [start, end] = unchanged(line.runs ?? [], shown);
      const nodes = [...line.childNodes];
      nodes.slice(start, nodes.length - end).forEach((node) => node.remove());
      const made = shown.slice(start, shown.length - end).map((run) => (watching ? token(run) : plain(run)));
      if (end) {
        nodes.at(-end).before(...made);
      } else {
        line.append(...made);
      }
      line.runs = shown;
      line.classList.toggle("short", at === 0 && line.textContent.length < ONE_LINE);
    });
    while (this.#element.children.length > lines.length) {
      this.#element.lastElementChild.remove();
    }
    if (watching && !this.#element.querySelector("[tabindex='0']")) {
      this.tokens[0]?.setAttribute("tabindex", "0");
    }
  }

  #choose(chosen) {
    if (chosen) {
      this.#element.querySelector("[tabindex='0']")?.setAttribute("tabindex", "-1");
      chosen.tabIndex = 0;
      chosen.dispatchEvent(event("choose"));
    }
  }

  #move(pressed) {
    const { tokens } = this;
    const here = tokens.indexOf(pressed.target);
    const vertical = { ArrowUp: -1, ArrowDown: 1 }[pressed.key];
    const target = {
      ArrowRight: tokens[here + 1], ArrowLeft: tokens[here - 1], Home: tokens[0], End: tokens.at(-1),
    }[pressed.key] ?? (vertical && nearestOnNextLine(tokens, here, vertical));
    if (here === -1 || !target) {
      return;
    }
    pressed.preventDefault();
    target.focus();
  }
}

/** Combien de bouts sont les mêmes, au début et à la fin de `before` et `after`. */
function unchanged(before, after) {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && sameRun(before[start], after[start])) {
    start += 1;
  }
  let end = 0;
  while (end < most - start && sameRun(before.at(-end - 1), after.at(-end - 1))) {
    end += 1;
  }
  return [start, end];
}

/** Réunit les bouts qui se suivent, s'ils sont tous de la personne, ou tous du réseau. */
function joined(runs) {
  const groups = [];
  for (const { text, part } of runs) {
    const mine = Boolean(part.piece.mine);
    if (groups.at(-1)?.mine === mine) {
      groups.at(-1).text += text;
    } else {
      groups.push({ text, mine, part: { piece: mine } });
    }
  }
  return groups;
}

function plain({ text, mine }) {
  return mine ? Object.assign(document.createElement("span"), { className: "opening", textContent: text })
    : document.createTextNode(text);
}

function token({ text, part }) {
  const { piece } = part;
  const made = Object.assign(document.createElement("span"), { className: "token", textContent: text, tabIndex: -1, held: part });
  made.classList.toggle("opening", Boolean(piece.mine));
  made.setAttribute("role", "button");
  if (piece.candidats) {
    const shade = doubt(piece.hesitation ?? 0);
    made.style.setProperty("--doubt", `${Math.round(36 * shade)}%`);
    made.dataset.doubt = Math.round(4 * shade); // pour qui ne voit pas la couleur
    made.setAttribute("aria-label", `${text.trim()}, ${percent(piece.p)}`);
    made.setAttribute("aria-expanded", "false");
    made.setAttribute("aria-controls", "choices");
  } else {
    made.setAttribute("aria-disabled", "true"); // on ne sait rien de lui
  }
  return made;
}

/** Le token le plus proche, une ligne plus bas (`direction` 1) ou plus haut (-1). */
function nearestOnNextLine(tokens, here, direction) {
  const place = (one) => one.getClientRects()[0];
  const { top, left } = place(tokens[here]);
  const beyond = (direction > 0 ? tokens.slice(here) : tokens.slice(0, here).reverse())
    .filter((one) => (place(one).top - top) * direction > 4);
  const line = beyond.filter((one) => Math.abs(place(one).top - place(beyond[0]).top) < 4);
  const distance = (one) => Math.abs(place(one).left - left);
  return line.sort((one, other) => distance(one) - distance(other))[0];
}
