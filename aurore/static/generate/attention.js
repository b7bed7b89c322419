/* Ce que le réseau regardait pour deviner un mot, tête par tête : les mots d'avant, teintés, et les premiers en toutes
   lettres. On ne le demande que pour un mot devant lequel on s'arrête. */

import { percent } from "../numbers.js";
import { explain } from "./writing.js";
import { areResting, asWords, mean, mostLookedAt, spread } from "./shares.js";

const PAUSE = 500; // millisecondes sur un mot avant de redemander : qui ne fait que passer ne dérange pas le serveur
const SHOWN = 5;
const DARKEST = 40; // pour cent de la couleur

const child = (name, className, ...content) => {
  const made = Object.assign(document.createElement(name), { className });
  made.append(...content);
  return made;
};

export class Attention {
  #fold;
  #prose;
  #ask;
  #shown;
  #token = null; // celui dont on montre les rivaux
  #timer;

  /** `ask(token)` promet ce que le réseau regardait au moment de deviner `token` ; `shown(isNew)` est appelé
      quand on le montre, d'un nouveau mot ou non. */
  constructor(fold, prose, { ask, shown }) {
    this.#fold = fold;
    this.#prose = prose;
    this.#ask = ask;
    this.#shown = shown;
    fold.addEventListener("toggle", () => this.#turned());
    fold.addEventListener("change", () => {
      this.#show();
      shown(false);
    });
  }

  /** Dit si l'on regarde ce que le réseau regardait. */
  get isOpen() {
    return this.#fold.open && this.#token !== null;
  }

  /** On en est à `token`, ou à aucun : alors, tout se replie. */
  turnTo(token) {
    this.#token = token;
    this.#fold.open &&= token !== null;
    this.#clear();
    if (this.isOpen) {
      this.#fold.ariaBusy = "true";
      this.#timer = setTimeout(() => this.#look(), PAUSE);
    }
  }

  #turned() {
    if (this.isOpen) {
      this.#look();
    } else {
      this.#clear();
    }
  }

  async #look() {
    const token = this.#token;
    clearTimeout(this.#timer);
    this.#say(token.held.attention ? "" : "Le réseau relit…");
    this.#fold.ariaBusy = "true";
    token.held.attention ??= this.#ask(token);
    try {
      token.held.seen = await token.held.attention;
    } catch (error) {
      token.held.attention = null; // on pourra le redemander
      if (token === this.#token) {
        this.#part("div").hidden = true;
        this.#say(explain(error, false));
      }
    }
    if (token === this.#token && this.isOpen) {
      this.#show();
      this.#shown(true);
    }
  }

  /** Montre ce que l'on sait du mot, pour la couche et la tête choisies. */
  #show() {
    const { seen } = this.#token.held;
    this.#fold.ariaBusy = "false";
    if (!seen) {
      return;
    }
    const { avant, tokens, couches } = seen;
    const [layer, head] = this.#choose(couches);
    const heads = couches[layer];
    const shares = head === -1 ? mean(heads) : heads[head];
    const before = 1000 - shares.reduce((total, share) => total + share, 0); // ce qui va à « avant »
    const spans = this.#before();
    const texts = spans.map((span) => (span.previousSibling ? "" : "\n") + span.textContent);
    const words = asWords(texts, spread(texts, [{ texte: avant }, ...tokens], [before, ...shares]));
    this.#paint(spans, words);
    this.#list(words);
    this.#part(".resting").hidden = !areResting(words);
    this.#part("div").hidden = false;
    this.#say("");
  }

  /** Les bouts de la prose qui viennent avant le mot. */
  #before() {
    const spans = [...this.#prose.querySelectorAll(".token")];
    return spans.slice(0, spans.findIndex(({ held }) => held === this.#token.held));
  }

  /** Renvoie [couche, tête] : ce qui est choisi, d'abord la moyenne des têtes (-1) de la couche du milieu : c'est là
      que l'on comprend le mieux. */
  #choose(layers) {
    const [layer, head] = this.#fold.querySelectorAll("select");
    if (layer.options.length !== layers.length) {
      layer.replaceChildren(...layers.map((_, at) => new Option(at + 1, at)));
      layer.value = Math.ceil(layers.length / 2) - 1;
    }
    if (head.options.length !== layers[0].length + 1) {
      head.replaceChildren(new Option("moyenne", -1), ...layers[0].map((_, at) => new Option(at + 1, at)));
    }
    return [Number(layer.value), Number(head.value)];
  }

  #paint(spans, words) {
    const most = Math.max(...words.map(({ share }) => share)) || 1;
    this.#prose.classList.add("attending");
    for (const { share, places } of words) {
      for (const place of places) {
        spans[place].style.setProperty("--seen", `${Math.round(DARKEST * share / most)}%`);
        spans[place].dataset.seen = Math.round(4 * share / most); // pour qui ne voit pas la couleur
      }
    }
  }

  #list(words) {
    const shown = mostLookedAt(words, SHOWN).filter(({ share }) => share >= 5);
    const rest = 1000 - shown.reduce((total, { share }) => total + share, 0);
    this.#part("ol").replaceChildren(...shown.map(({ text, share, times }) => {
      const bar = child("span", "bar");
      bar.style.setProperty("--p", share / 1000);
      const repeated = times > 1 ? [child("small", "", ` ${times}\u00a0fois`)] : [];
      return child("li", "", child("span", "word", text.replace(/\n/g, "¶"), ...repeated), bar,
        child("span", "percent", percent(share / 1000)));
    }));
    this.#part(".rest").textContent = rest >= 5 ? `Les autres se partagent ${percent(rest / 1000)}.` : "";
  }

  #clear() {
    clearTimeout(this.#timer);
    this.#prose.classList.remove("attending");
    for (const span of this.#prose.querySelectorAll("[data-seen]")) {
      span.style.removeProperty("--seen");
      delete span.dataset.seen;
    }
  }

  #say(sentence) {
    this.#part("[role=status]").textContent = sentence;
  }

  #part(selector) {
    return this.#fold.querySelector(selector);
  }
}
