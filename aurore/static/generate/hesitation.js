/* Entre quoi le réseau hésitait : les rivaux d'un token, leurs chances, et ce que l'audace en ferait.
   Entrée y va depuis le token, Échap en revient. */

import { percent, short } from "../numbers.js";
import { drawn, entropy } from "./draw.js";

const SHOWN = 5;

/** Un token tel qu'on l'imprime. */
export const printed = (text) => text.replace(/'/g, "’").replace(/\n/g, "¶");

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** Le nom d'un candidat qui n'ajouterait rien au texte ; rien pour tous les autres. */
function unwritable(text) {
  if (text.includes("\ufffd")) {
    return "morceau d’un signe";
  }
  return text ? "" : "fin du texte";
}

/** Dit l'hésitation `bits` : comme entre combien de mots également probables. */
function said(bits) {
  const words = Math.round(2 ** bits);
  const like = words > 1 ? `comme entre ${words} mots aussi probables l’un que l’autre` : "presque aucune";
  return `Hésitation\u00a0: ${short(bits, 1)}\u00a0bit${bits >= 2 ? "s" : ""}, ${like}.`;
}

export class Hesitation {
  #panel;
  #rivals;
  #choose;
  #expected;
  #settings;
  #turned;
  #open = null; // le token dont on voit les rivaux

  /** `choose(index, candidate)` : la personne préfère `candidate` au token `index`. `expected(token)` promet tout ce
      que le réseau attendait à cet endroit, avant l'audace ; `settings` donne les réglages, et `setBoldness` en change.
      `turned(token)` : on regarde maintenant `token`, ou plus aucun. */
  constructor(panel, { choose, expected, settings, setBoldness, turned }) {
    this.#panel = panel;
    this.#rivals = panel.firstElementChild;
    this.#turned = turned;
    this.#choose = choose;
    this.#expected = expected;
    this.#settings = { read: settings, setBoldness };
    panel.addEventListener("keydown", (event) => this.#move(event));
    document.addEventListener("pointerdown", ({ target }) =>
      panel.contains(target) || target.closest(".token, .settings") || this.close());
    document.addEventListener("focusin", ({ target }) =>
      panel.contains(target) || target.closest(".token, .settings") || this.close());
  }

  /** Dit si les rivaux d'un token sont à l'écran. */
  get isOpen() {
    return this.#open !== null;
  }

  /** Va aux rivaux du token ouvert, ou à ce qui a pris leur place. */
  enter() {
    [...this.#panel.querySelectorAll(".choice:enabled, summary")].find((one) => one.checkVisibility())?.focus();
  }

  show(token) {
    if (token === this.#open) {
      return;
    }
    const { piece } = token.held;
    if (!piece.candidats) {
      this.close();
      return;
    }
    this.#open?.setAttribute("aria-expanded", "false");
    this.#open = token;
    token.setAttribute("aria-expanded", "true");
    const among = piece.candidats.some(({ texte }) => texte === piece.texte);
    this.#fill(among ? piece.candidats : [...piece.candidats, { texte: piece.texte, p: piece.p }], piece.hesitation);
    this.#panel.hidden = false;
    this.#turned(token);
    requestAnimationFrame(() => this.keepInView());
  }

  close() {
    this.#open?.setAttribute("aria-expanded", "false");
    this.#open = null;
    this.#panel.hidden = true;
    this.#turned(null);
  }

  /** L'audace a changé : les barres aussi, d'après tout ce que le réseau attendait là. */
  async redraw() {
    const token = this.#open;
    if (!token) {
      return;
    }
    token.held.expected ??= this.#expected(token);
    const candidates = await token.held.expected.catch(() => null);
    if (token === this.#open && candidates) {
      const chances = drawn(candidates, this.#settings.read());
      const focused = document.activeElement.className === "here";
      this.#fill(chances.slice(0, SHOWN), entropy(chances.map(({ p }) => p)));
      if (focused) {
        this.#panel.querySelector(".here").focus();
      }
    }
  }

  #fill(candidates, bits) {
    const { piece } = this.#open.held;
    const rest = 1 - candidates.reduce((sum, { p }) => sum + p, 0);
    const { audace } = this.#settings.read();
    const slider = this.#panel.querySelector(".here") ?? this.#slider();
    slider.value = audace;
    const hint = this.#open.held.index === -1 ? "Ce sont vos mots\u00a0: voici ce qu’il attendait."
      : "Choisissez\u00a0: le texte repart d’ici.";
    this.#rivals.replaceChildren(
      element("p", { className: "chapter" }, "Ici, il hésitait entre"),
      ...candidates.map((candidate) => this.#choice(candidate, piece)),
      element("p", { className: "hint" }, rest > 0.005 ? `Les autres se partagent ${percent(rest)}. ` : "", hint),
      ...(bits === undefined || bits === null ? [] : [element("p", { className: "hint bits" }, said(bits))]),
      element("label", { className: "hint slider" }, `Audace\u00a0: ${short(audace)} `, slider));
  }

  #slider() {
    const slider = element("input", { type: "range", className: "here" });
    const { min, max, step } = document.getElementById("audace");
    Object.assign(slider, { min, max, step });
    slider.addEventListener("input", () => this.#settings.setBoldness(slider.value));
    return slider;
  }

  #choice(candidate, piece) {
    const space = /^\s/.test(candidate.texte) ? [element("span", { className: "space", ariaHidden: "true" }, "·")] : [];
    const bar = element("span", { className: "bar" });
    bar.style.setProperty("--p", candidate.p);
    const obstacle = unwritable(candidate.texte);
    const { index } = this.#open.held;
    const button = element("button", { type: "button", className: "choice", disabled: Boolean(obstacle) || index === -1 },
      element("span", { className: "word" }, ...space, obstacle || printed(candidate.texte.trim()) || "espace"),
      bar,
      element("span", { className: "percent" }, percent(candidate.p)));
    if (candidate.texte === piece.texte) {
      button.ariaCurrent = "true";
    }
    button.addEventListener("click", () => {
      this.close();
      this.#choose(index, { ...candidate, candidats: piece.candidats, hesitation: piece.hesitation });
    });
    return button;
  }

  /** Sur un téléphone, le panneau monte du bas de l'écran : le mot reste au-dessus de lui, et juste au-dessus si l'on veut
      voir ceux qui le précèdent (`withBefore`). */
  keepInView(withBefore = false) {
    const { top } = this.#panel.getBoundingClientRect();
    const { bottom } = this.#open?.getBoundingClientRect() ?? { bottom: 0 };
    if (getComputedStyle(this.#panel).bottom === "0px" && (bottom > top || withBefore)) {
      scrollBy({ top: bottom - top + 24, behavior: "instant" });
    }
  }

  #move(event) {
    const buttons = [...this.#panel.querySelectorAll(".choice:enabled")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && buttons.includes(document.activeElement)) {
      buttons.at((buttons.indexOf(document.activeElement) + step) % buttons.length).focus();
      event.preventDefault();
    }
  }

  /** Ferme ; d'un rival, le focus revient au token. */
  leave() {
    if (this.#panel.contains(document.activeElement)) {
      this.#open.focus();
    }
    this.close();
  }
}
