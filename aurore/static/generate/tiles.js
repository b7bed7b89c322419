/* « Regardez le réseau écrire » : chaque token est une case ; la choisir montre les cinq tokens entre
   lesquels le réseau hésitait. Les flèches vont de case en case, Entrée va aux choix, Échap en revient. */

const PERCENT = new Intl.NumberFormat("fr", { style: "percent", maximumSignificantDigits: 2 });

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

const printed = (text) => text.replace(/'/g, "’").replace(/\n/g, "¶");

export class Tiles {
  #row;
  #choices;
  #choose;
  #open = null; // la case dont on voit les choix

  /** `choose(index, candidate)` est appelé quand la personne préfère `candidate` au token `index`. */
  constructor(row, choices, choose) {
    this.#row = row;
    this.#choices = choices;
    this.#choose = choose;
    row.addEventListener("focusin", ({ target }) => this.#show(target));
    row.addEventListener("click", ({ target }) => target !== row && this.#show(target));
    row.addEventListener("keydown", (event) => this.#moveAmongTiles(event));
    choices.addEventListener("keydown", (event) => this.#moveAmongChoices(event));
    addEventListener("resize", () => this.#place());
    for (const elsewhere of ["pointerdown", "focusin"]) {
      document.addEventListener(elsewhere, ({ target }) => row.parentElement.contains(target) || this.close());
    }
    document.addEventListener("keydown", ({ key }) => key === "Escape" && this.#leaveChoices());
  }

  /** Montre `pieces` ; les cases déjà là et inchangées restent. */
  render(pieces) {
    const shown = pieces.map((piece, index) => ({ piece, index })).filter(({ piece }) => piece.texte);
    const tiles = [...this.#row.children];
    const same = shown.findIndex(({ piece }, at) => tiles[at]?.piece !== piece);
    const kept = same === -1 ? shown.length : same;
    for (const tile of tiles.slice(kept)) {
      if (tile === this.#open) {
        this.close();
      }
      tile.remove();
    }
    this.#row.append(...shown.slice(kept).map(({ piece, index }) => this.#tile(piece, index)));
    if (!this.#row.querySelector("[tabindex='0']")) {
      this.#row.firstElementChild?.setAttribute("tabindex", "0");
    }
  }

  close() {
    this.#open?.setAttribute("aria-expanded", "false");
    this.#open = null;
    this.#choices.hidden = true;
  }

  #tile(piece, index) {
    const word = printed(piece.texte.trim()) || "espace";
    const tile = element("button", { type: "button", className: "tile", tabIndex: -1, piece, index }, word);
    tile.classList.toggle("starts-word", /^\s/.test(piece.texte));
    if (piece.candidats) {
      // De 0, sûr de lui, à 4, très hésitant.
      tile.dataset.doubt = [0.8, 0.5, 0.25, 0.1].filter((level) => piece.p < level).length;
      tile.ariaLabel = `${word}, ${PERCENT.format(piece.p)}`;
      tile.setAttribute("aria-expanded", "false");
      tile.setAttribute("aria-controls", this.#choices.id);
    }
    return tile;
  }

  #show(tile) {
    this.#row.querySelector("[tabindex='0']")?.setAttribute("tabindex", "-1");
    tile.tabIndex = 0;
    if (tile === this.#open) {
      return;
    }
    this.close();
    if (!tile.piece.candidats) {
      return;
    }
    this.#open = tile;
    tile.setAttribute("aria-expanded", "true");
    const { piece, index } = tile;
    const drawn = piece.candidats.some(({ texte }) => texte === piece.texte);
    const candidates = drawn ? piece.candidats : [...piece.candidats, piece];
    const rest = 1 - candidates.reduce((sum, { p }) => sum + p, 0);
    this.#choices.replaceChildren(
      element("p", { className: "chapter" }, "Ici, le réseau hésitait entre"),
      ...candidates.map((candidate) => this.#choice(candidate, piece, index)),
      element("p", { className: "hint" }, rest > 0.005 ? `Les autres se partagent ${PERCENT.format(rest)}. ` : "",
        "Choisissez\u00a0: le texte repart d’ici."));
    this.#choices.hidden = false;
    this.#place();
    requestAnimationFrame(() => this.#choices.scrollIntoView({ block: "nearest" })); // après le défilement du focus
  }

  #choice(candidate, piece, index) {
    const space = /^\s/.test(candidate.texte) ? [element("span", { className: "space", ariaHidden: "true" }, "·")] : [];
    const bar = element("span", { className: "bar" });
    bar.style.setProperty("--p", candidate.p);
    const obstacle = unwritable(candidate.texte);
    const button = element("button", { type: "button", className: "choice", disabled: Boolean(obstacle) },
      element("span", { className: "word" }, ...space, obstacle || printed(candidate.texte.trim()) || "espace"),
      bar,
      element("span", { className: "percent" }, PERCENT.format(candidate.p)));
    if (candidate.texte === piece.texte) {
      button.ariaCurrent = "true";
    }
    button.addEventListener("click", () => {
      this.close();
      this.#choose(index, { ...candidate, candidats: piece.candidats });
    });
    return button;
  }

  /** Sous sa case, sans sortir de la colonne. */
  #place() {
    if (this.#open) {
      const { offsetLeft, offsetTop, offsetHeight } = this.#open;
      const room = this.#row.clientWidth - this.#choices.offsetWidth;
      this.#choices.style.setProperty("left", `${Math.max(0, Math.min(offsetLeft, room))}px`);
      this.#choices.style.setProperty("top", `${offsetTop + offsetHeight + 6}px`);
    }
  }

  #moveAmongTiles(event) {
    const tiles = [...this.#row.children];
    const here = tiles.indexOf(event.target);
    const vertical = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const target = {
      ArrowRight: tiles[here + 1], ArrowLeft: tiles[here - 1], Home: tiles[0], End: tiles.at(-1),
    }[event.key] ?? (vertical && nearestOnNextLine(tiles, here, vertical));
    if (target) {
      target.focus();
    } else if (event.key === "Enter") {
      this.#show(event.target);
      this.#choices.querySelector("button:enabled")?.focus();
    } else {
      return;
    }
    event.preventDefault();
  }

  #moveAmongChoices(event) {
    const buttons = [...this.#choices.querySelectorAll("button:enabled")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      buttons.at((buttons.indexOf(document.activeElement) + step) % buttons.length).focus();
      event.preventDefault();
    }
  }

  /** Ferme les choix ; de l'un d'eux, le focus revient à la case. */
  #leaveChoices() {
    if (this.#choices.contains(document.activeElement)) {
      this.#open.focus();
    }
    this.close();
  }
}

/** La case la plus proche, une ligne plus bas (`direction` 1) ou plus haut (-1). */
function nearestOnNextLine(tiles, here, direction) {
  const { offsetTop, offsetLeft } = tiles[here];
  const beyond = (direction > 0 ? tiles.slice(here) : tiles.slice(0, here).reverse())
    .filter((tile) => (tile.offsetTop - offsetTop) * direction > 4);
  const line = beyond.filter((tile) => Math.abs(tile.offsetTop - beyond[0].offsetTop) < 4);
  return line.sort((one, other) => Math.abs(one.offsetLeft - offsetLeft) - Math.abs(other.offsetLeft - offsetLeft))[0];
}
