/* La page /generate, quand le navigateur sait JavaScript : écrire, arrêter, continuer, recommencer.
   Sans lui, le formulaire part au serveur, qui renvoie la page avec le texte entier.

   Un texte (« story ») : {id, opening, pieces, paragraphs, warning}. Les pièces sont les événements « token »
   du serveur, {texte, p, candidats} ; les paragraphes, ceux qu'il a composés à la fin (sinon, les nôtres). */

import { desk, forget, forgetAll, keep, stories } from "./shelf.js";
import { ask, Refused } from "./stream.js";
import { Tiles } from "./tiles.js";
import { endsASentence, link, typeset } from "./typesetting.js";

const ENDINGS = {
  phrase: "Le réseau pose la plume.",
  longueur: "Le réseau s’arrête au milieu d’une phrase : « Continuer » la reprend.",
  texte: "Le réseau a mis le mot fin.",
  arret: "Le serveur s’est arrêté ; ce qui était écrit est gardé.",
};

const part = (id) => document.getElementById(id);
const form = part("form");
const field = part("amorce");
const prose = part("prose");
const tiles = new Tiles(part("row"), part("choices"), rewriteFrom);

let story = null; // le texte qu'on voit
let writing = null; // l'AbortController du texte en train de s'écrire
let drawing = false; // un affichage est déjà prévu

// --- Un texte ----------------------------------------------------------------------------

const newStory = (opening, pieces = []) => ({ id: Date.now(), opening, pieces, paragraphs: null, warning: null });
const raw = ({ pieces }) => pieces.map(({ texte }) => texte).join("");

/** Le texte imprimé, ligne par ligne : {opening, text}, la part de la personne puis celle du réseau. */
function lines(text) {
  const written = raw(text);
  const paragraphs = [...text.paragraphs ?? typeset(written, endsASentence(text.opening))];
  const printed = typeset(text.opening, true).map((opening) => ({ opening, text: "" }));
  const between = link(written, paragraphs[0]);
  if (printed.length && paragraphs.length && between !== "\n") {
    printed.at(-1).text = between + paragraphs.shift();
  }
  return [...printed, ...paragraphs.map((paragraph) => ({ opening: "", text: paragraph }))];
}

const plainText = (text) => lines(text).map((line) => line.opening + line.text).join("\n");

// --- Montrer -----------------------------------------------------------------------------

function say(sentence) {
  part("state").textContent = sentence;
}

function complain(sentence) {
  part("problem").textContent = sentence;
  field.toggleAttribute("aria-invalid", Boolean(sentence));
}

function show() {
  part("story").hidden = !story;
  if (!story) {
    return;
  }
  const watching = part("watch").checked;
  prose.hidden = watching;
  part("tiles").hidden = part("tiles-hint").hidden = !watching;
  part("warning").hidden = !story.warning;
  part("warning").textContent = story.warning ?? "";
  part("story").classList.toggle("writing", Boolean(writing));
  if (watching) {
    part("tiles-opening").textContent = typeset(story.opening, true).join(" ");
    tiles.render(story.pieces);
  } else {
    showProse();
  }
  const focused = document.activeElement;
  part("stop").hidden = !writing;
  for (const id of ["continue", "again", "copy", "download"]) {
    part(id).hidden = Boolean(writing);
  }
  if (focused?.hidden) { // le bouton qu'on vient de presser s'efface : le focus passe à son voisin
    part(writing ? "stop" : "continue").focus();
  }
}

/** Ne touche qu'aux paragraphes qui ont changé : la sélection et la lecture d'écran y survivent. */
function showProse() {
  const printed = lines(story);
  printed.forEach(({ opening, text }, at) => {
    const line = prose.children[at] ?? prose.appendChild(document.createElement("p"));
    if (line.firstChild?.textContent !== opening || line.textContent !== opening + text) {
      const words = document.createElement("span");
      words.className = "opening";
      words.textContent = opening;
      line.replaceChildren(words, text);
    }
  });
  while (prose.children.length > printed.length) {
    prose.lastElementChild.remove();
  }
}

/** Au plus un affichage par image, si vite que les tokens arrivent. */
function showSoon() {
  if (!drawing) {
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      show();
    });
  }
}

function showShelf() {
  const others = stories();
  part("shelf").hidden = others.length === 0;
  part("shelf-list").replaceChildren(...others.map((kept) => {
    const line = document.createElement("li");
    const open = document.createElement("button");
    const erase = document.createElement("button");
    const text = plainText(kept);
    open.type = erase.type = "button";
    open.className = "opening";
    open.textContent = text.length > 90 ? `${text.slice(0, 90).trimEnd()}…` : text;
    open.ariaCurrent = kept.id === story?.id ? "true" : null;
    open.addEventListener("click", () => leaf(kept));
    erase.className = "erase";
    erase.textContent = "Effacer";
    erase.ariaLabel = `Effacer « ${text.slice(0, 40)} »`;
    erase.addEventListener("click", () => {
      forget(kept.id);
      if (kept.id === story?.id) {
        clear();
      }
      showShelf();
      field.focus();
    });
    line.append(open, erase);
    return line;
  }));
}

/** Ouvre un texte de l'étagère. */
function leaf(kept) {
  writing?.abort();
  story = kept;
  say("");
  show();
  showShelf();
  part("story").scrollIntoView();
}

/** Efface le texte qu'on voit, même s'il s'écrit encore. */
function clear() {
  if (writing) {
    story.erased = true; // write() ne le remettra pas sur l'étagère
    writing.abort();
    writing = null;
  }
  story = null;
  show();
}

// --- Écrire ------------------------------------------------------------------------------

/** Fait continuer `next` par le réseau, depuis ce qui en est déjà écrit. */
async function write(next) {
  writing?.abort();
  const mine = writing = new AbortController();
  const previous = story;
  const start = next.pieces.length;
  story = next;
  complain("");
  say("Le réseau lit vos mots…");
  part("finished").textContent = "";
  show();
  if (part("story").getBoundingClientRect().top > innerHeight / 2) {
    part("story").scrollIntoView();
  }
  let ending;
  try {
    const { longueur, audace } = settings();
    for await (const { event, data } of ask({ amorce: next.opening, suite: raw(next), longueur, audace }, mine.signal)) {
      if (event === "place") {
        say(`D’autres écrivent en ce moment : vous êtes à la place ${data.place}.`);
      } else if (event === "token") {
        say("Le réseau écrit…");
        next.pieces.push(data);
        next.paragraphs = null;
        showSoon();
      } else if (event === "fin") {
        next.paragraphs = data.paragraphes;
        next.warning = data.avertissement;
        ending = ENDINGS[data.fin];
      }
    }
  } catch (error) {
    ending = mine.signal.aborted ? "Arrêté : « Continuer » reprend d’ici." : misfortune(error, next.pieces.length > start);
  }
  if (next.pieces.length && !next.erased) {
    keep(next);
  }
  if (mine === writing) { // sinon un autre texte a pris la suite
    writing = null;
    story = next.pieces.length ? next : previous;
    say(ending);
    show();
    part("finished").textContent = typeset(raw({ pieces: next.pieces.slice(start) })).join("\n");
  }
  showShelf();
}

/** Dit ce qui est arrivé près du champ, et rend ce qu'il faut dire près du texte. */
function misfortune(error, begun) {
  if (begun) {
    return error instanceof Refused ? error.message
      : "La connexion s’est interrompue. Ce qui était écrit est gardé : « Continuer » reprend d’ici.";
  }
  complain(error instanceof Refused ? error.message
    : "Le serveur ne répond pas. Vos mots sont toujours là : vérifiez la connexion, puis réessayez.");
  return "";
}

/** La personne préfère `piece` au token `index` : un nouveau texte part de là, l'ancien reste gardé. */
function rewriteFrom(index, piece) {
  write(newStory(story.opening, [...story.pieces.slice(0, index), piece]));
}

// --- Les réglages, gardés ----------------------------------------------------------------

function settings() {
  const { longueur, audace } = form.elements;
  return { amorce: field.value, longueur: longueur.value, audace: Number(audace.value), watch: part("watch").checked };
}

function settle() {
  const { longest } = field.dataset;
  const length = field.value.trim().length;
  part("count").hidden = length < 0.8 * longest;
  part("count").textContent = `${length} caractères sur ${longest}.`;
  part("audace-shown").textContent = form.elements.audace.value.replace(".", ",");
  desk.store(settings());
}

function restore() {
  const kept = desk.read();
  field.value ||= kept.amorce ?? "";
  form.elements.longueur.value = kept.longueur ?? form.elements.longueur.value;
  form.elements.audace.value = kept.audace ?? form.elements.audace.value;
  part("watch").checked = kept.watch ?? false;
  if (prose.dataset.raw !== undefined) { // un texte envoyé avant que ce script soit prêt
    story = newStory(field.value, [{ texte: prose.dataset.raw }]);
    keep(story);
  } else {
    story = stories()[0] ?? null;
  }
}

// --- Les commandes -----------------------------------------------------------------------

const commands = {
  stop: () => writing?.abort(),
  continue: () => write(story),
  again: () => write(newStory(story.opening)),
  copy: () => copy(plainText(story)),
  download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([plainText(story), "\n"], { type: "text/plain" }));
    link.download = "aurore.txt";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  },
  "forget-all"() {
    if (confirm("Effacer tous vos textes de ce navigateur ?")) {
      forgetAll();
      clear();
      showShelf();
      field.focus();
    }
  },
};

/** Hors de https et de cette machine, les navigateurs cachent le presse-papiers : reste l'ancienne façon. */
async function copy(text) {
  const carrier = document.createElement("textarea");
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    carrier.value = text;
    document.body.append(carrier);
    carrier.select();
    document.execCommand("copy");
    carrier.remove();
    part("copy").focus();
  }
  say("Le texte est dans le presse-papiers.");
}

for (const [id, command] of Object.entries(commands)) {
  part(id).addEventListener("click", command);
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  write(newStory(field.value.trim()));
});
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    form.requestSubmit();
  }
});
form.addEventListener("input", settle);
part("watch").addEventListener("change", () => {
  settle();
  show();
});
part("openings").addEventListener("submit", (event) => {
  event.preventDefault();
  const opening = event.submitter.value;
  const known = stories().some((kept) => kept.opening === field.value.trim());
  if (!field.value.trim() || known) { // des mots pas encore écrits restent dans le champ
    field.value = opening;
    settle();
  }
  write(newStory(opening));
});
addEventListener("pagehide", () => writing && story?.pieces.length && keep(story));

restore();
settle();
show();
showShelf();
part("tools").hidden = false;
