/* Ce que montre la page : où en est le texte, ce qui ne va pas, l'étagère. */

import { decimal, moment } from "../numbers.js";
import { part } from "../page.js";
import { colophon, lines, named, plainText, words } from "./story.js";
import { canSpeak } from "./voice.js";

/** Dit où en est le texte ; un lecteur d'écran le lit aussi, à chaque écriture : on n'écrit que du nouveau.
    Un refus (`refused`) reste au bas de l'écran tant que le texte est plus long que lui. */
export function say(sentence, refused = false) {
  part("said").classList.toggle("refusal", refused);
  if (part("state").textContent !== sentence) {
    part("state").textContent = sentence;
  }
  if (refused) { // le texte a pu raccourcir : ce qui se dit serait au-dessus de l'écran
    requestAnimationFrame(() => part("said").scrollIntoView({ behavior: "instant", block: "nearest" }));
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

/** Dit quel réseau écrit, au pied de la page comme le fait templates/base.html, et dans la liste où on le choisit. */
export function showNetwork(network) {
  const { nom, date, note } = network;
  if (!part("reseau").value) { // on n'en a demandé aucun : c'est celui qui écrit d'ordinaire
    part("reseau").options[0].textContent = named(network);
  }
  const name = Object.assign(document.createElement("strong"), { textContent: nom });
  const trained = date ? `, entraîné ${moment(date)}` : "";
  const score = note ? ` Sa note\u00a0: ${decimal(note, 3)}\u00a0bit par caractère`
    + " (plus c’est bas, mieux il devine)." : "";
  part("network").replaceChildren("C’est ", name, ` qui écrit${trained}.${score}`);
}

/** Montre `story` (ou rien) dans `prose` ; `doing` : {writing, editing, history}. */
export function showStory(story, prose, { writing, editing, history }) {
  const focused = document.activeElement;
  part("story").hidden = !story;
  part("undo").hidden = writing || !history.canUndo;
  part("redo").hidden = writing || !history.canRedo;
  if (story) {
    const watching = part("watch").checked;
    part("tokens-hint").hidden = !watching || editing;
    part("warning").hidden = !story.warning;
    part("warning").textContent = story.warning;
    part("story").classList.toggle("writing", writing);
    prose.render(words(story), watching);
    part("colophon").textContent = writing ? "" : colophon(story);
    part("prose").hidden = part("tools").hidden = editing;
    part("editing").hidden = !editing;
    part("stop").hidden = !writing;
    for (const id of ["continue", "three", "edit", "again", "compare", "share"]) {
      part(id).hidden = writing;
    }
    part("listen").hidden = writing || !canSpeak();
  }
  if (focused.closest("[hidden]")) { // ce que l'on vient de presser s'efface : le focus passe à son voisin
    part(!story ? "amorce" : editing ? "editor" : writing ? "stop" : "continue").focus();
  }
}

/** Les mots de la personne, en italique. */
function typed(opening) {
  return Object.assign(document.createElement("span"), { className: "opening", textContent: opening });
}

/** Montre les textes gardés ; chaque bouton porte le nom du sien. */
export function showShelf(kept, current) {
  const focused = document.activeElement.id;
  part("shelf").hidden = kept.length === 0 && part("unforget").hidden;
  part("shelf-list").replaceChildren(...kept.map((story) => {
    const [{ opening, text }] = lines(story);
    const [line, reopen, remove] = ["li", "button", "button"].map((name) => document.createElement(name));
    reopen.type = remove.type = "button";
    reopen.dataset.story = remove.dataset.story = story.id;
    reopen.id = `reopen-${story.id}`;
    remove.id = `erase-${story.id}`;
    reopen.className = "reopen";
    reopen.append(typed(opening), text.length > 80 ? `${text.slice(0, 80).replace(/\s\S*$/, "")}…` : text);
    reopen.ariaCurrent = story.id === current?.id ? "true" : null;
    remove.className = "erase";
    remove.textContent = "Effacer";
    remove.ariaLabel = `Effacer «\u00a0${plainText(story).slice(0, 40)}\u00a0»`;
    line.append(reopen, remove);
    return line;
  }));
  if (focused !== document.activeElement.id) { // c'était un bouton de l'étagère : le nouveau le remplace
    part(focused)?.focus({ preventScroll: true });
  }
}
