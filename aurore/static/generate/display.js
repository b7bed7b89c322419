/* Ce que montre la page : le texte, en prose ou en cases, et l'étagère. */

import { part } from "../page.js";
import { lines, plainText } from "./story.js";

/** Dit où en est le texte ; un lecteur d'écran le lit aussi, à chaque écriture : on n'écrit que du nouveau.
    Un refus (`refused`) reste au bas de l'écran tant que le texte est plus long que lui. */
export function say(sentence, refused = false) {
  part("state").classList.toggle("refusal", refused);
  if (part("state").textContent !== sentence) {
    part("state").textContent = sentence;
  }
}

/** Dit sous le champ ce qui ne va pas ; une phrase vide l'efface. */
export function complain(sentence) {
  part("problem").textContent = sentence;
  if (sentence) {
    part("amorce").setAttribute("aria-invalid", "true");
  } else {
    part("amorce").removeAttribute("aria-invalid");
  }
}

/** Mène au champ, et sous les yeux ce qui en a été dit : il peut être plus haut que l'écran. */
export function showProblem() {
  part("amorce").focus({ preventScroll: true });
  part("problem").scrollIntoView({ behavior: "instant", block: "nearest" }); // même si la page défilait déjà ailleurs
}

/** Dit au pied de la page quel réseau écrit, comme le fait templates/base.html. */
export function showNetwork({ nom, date, note }) {
  const name = Object.assign(document.createElement("strong"), { textContent: nom });
  const trained = date ? `, entraîné ${date.replaceAll(" h ", "\u00a0h\u00a0")}` : "";
  const score = note ? ` Sa note\u00a0: ${note.toFixed(3).replace(".", ",")}\u00a0bit par caractère`
    + " (plus c’est bas, mieux il devine)." : "";
  part("network").replaceChildren("C’est ", name, ` qui écrit${trained}.${score}`);
}

/** Montre `story` (ou rien) ; `writing` dit s'il s'écrit encore. */
export function showStory(story, writing, tiles) {
  const focused = document.activeElement;
  part("story").hidden = !story;
  if (story) {
    showText(story, writing, tiles);
  }
  if (focused.closest("[hidden]")) { // ce que l'on vient de presser s'efface : le focus passe à son voisin
    part(!story ? "amorce" : writing ? "stop" : "continue").focus();
  }
}

function showText(story, writing, tiles) {
  const watching = part("watch").checked;
  part("prose").hidden = watching;
  part("tiles").hidden = part("tiles-hint").hidden = !watching;
  part("warning").hidden = !story.warning;
  part("warning").textContent = story.warning;
  part("story").classList.toggle("writing", writing);
  const printed = lines(story);
  if (watching) {
    part("tiles-opening").textContent = printed.map(({ opening }) => opening).join(" ");
    tiles.render(story.pieces);
  } else {
    showProse(printed);
  }
  part("stop").hidden = !writing;
  for (const id of ["continue", "again", "copy", "download"]) {
    part(id).hidden = writing;
  }
}

/** Ne touche qu'aux paragraphes qui ont changé : ce qu'on y a sélectionné le reste. */
function showProse(printed) {
  const prose = part("prose");
  printed.forEach(({ opening, text }, at) => {
    const line = prose.children[at] ?? prose.appendChild(document.createElement("p"));
    if (line.firstChild?.textContent !== opening || line.textContent !== opening + text) {
      line.replaceChildren(words(opening), text);
    }
  });
  while (prose.children.length > printed.length) {
    prose.lastElementChild.remove();
  }
}

/** Les mots de la personne, en italique. */
function words(opening) {
  return Object.assign(document.createElement("span"), { className: "opening", textContent: opening });
}

/** Montre les textes gardés ; `open` et `erase` reçoivent celui que l'on choisit. */
export function showShelf(kept, current, open, erase) {
  const focused = document.activeElement.id;
  part("shelf").hidden = kept.length === 0;
  part("shelf-list").replaceChildren(...kept.map((story) => {
    const [{ opening, text }] = lines(story);
    const [line, reopen, remove] = ["li", "button", "button"].map((name) => document.createElement(name));
    reopen.type = remove.type = "button";
    reopen.id = `reopen-${story.id}`;
    remove.id = `erase-${story.id}`;
    reopen.className = "reopen";
    reopen.append(words(opening), text.length > 80 ? `${text.slice(0, 80).replace(/\s\S*$/, "")}…` : text);
    reopen.ariaCurrent = story.id === current?.id ? "true" : null;
    reopen.addEventListener("click", () => open(story));
    remove.className = "erase";
    remove.textContent = "Effacer";
    remove.ariaLabel = `Effacer «\u00a0${plainText(story).slice(0, 40)}\u00a0»`;
    remove.addEventListener("click", () => erase(story));
    line.append(reopen, remove);
    return line;
  }));
  if (focused !== document.activeElement.id) { // c'était un bouton de l'étagère : le nouveau le remplace
    part(focused)?.focus({ preventScroll: true });
  }
}
