/* La page /generate, quand le navigateur sait JavaScript : écrire, arrêter, continuer, recommencer.
   Sans lui, le formulaire part au serveur, qui renvoie la page avec le texte entier. */

import { part } from "../page.js";
import { complain, say, showNetwork, showProblem, showShelf, showStory } from "./display.js";
import { field, form, restore, settings, settle } from "./form.js";
import { forget, forgetAll, keep, stories } from "./shelf.js";
import { newStory, plainText, raw } from "./story.js";
import { ask, Refused } from "./stream.js";
import { copy, download } from "./take.js";
import { Tiles } from "./tiles.js";
import { typeset } from "./typesetting.js";

const ENDINGS = JSON.parse(part("state").dataset.endings); // les mots de contract.py
const RESUME = " «\u00a0Continuer\u00a0» la reprend.";
const STOPPED = "Arrêté. «\u00a0Continuer\u00a0» reprend d’ici.";
const CUT = "La connexion s’est interrompue. Ce qui était écrit est gardé\u00a0: «\u00a0Continuer\u00a0» reprend d’ici.";
const UNREACHABLE = "Le serveur ne répond pas. Vos mots sont toujours là\u00a0: vérifiez la connexion, puis réessayez.";

const tiles = new Tiles(part("row"), part("choices"), rewriteFrom);

let story = null; // le texte que l'on voit
let writing = null; // l'AbortController de celui qui s'écrit
let drawing = false; // un affichage est déjà prévu

function show() {
  showStory(story, Boolean(writing), tiles);
  showShelf(stories(), story, reopen, erase);
}

/** Montre le texte, sans l'étagère : au plus une fois par image, si vite que viennent les tokens. */
function showSoon() {
  if (!drawing) {
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      showStory(story, Boolean(writing), tiles);
    });
  }
}

// --- Écrire ------------------------------------------------------------------------------

/** Fait continuer `next` par le réseau, depuis ce qui en est déjà écrit. */
async function write(next) {
  const start = next.pieces.length;
  const previous = story;
  writing?.abort();
  const mine = writing = new AbortController();
  story = next;
  complain("");
  say("Le réseau lit vos mots…");
  part("finished").textContent = "";
  show();
  if (part("story").getBoundingClientRect().top > innerHeight / 2) {
    part("story").scrollIntoView();
  }
  const demand = { amorce: next.opening, suite: raw(next), ...settings() };
  let ending;
  let refused = false;
  try {
    for await (const { event, data } of ask(form.dataset.api, demand, mine.signal)) {
      if (event === "place") {
        say(`D’autres écrivent en ce moment\u00a0: vous êtes à la place ${data.place}.`);
      } else if (event === "token") {
        say("Le réseau écrit…");
        next.pieces.push(data);
        next.paragraphs = null;
      } else if (event === "fin") {
        next.paragraphs = data.paragraphes;
        ending = typeset(ENDINGS[data.fin]).join(" ") + (data.fin === "longueur" ? RESUME : "");
      }
      const warning = event === "avertissement" ? data.message : data.avertissement;
      if (warning !== undefined) {
        next.warning = typeset(warning ?? "").join(" ");
      }
      if (data.reseau) {
        showNetwork(data.reseau);
      }
      showSoon();
    }
  } catch (error) {
    refused = !mine.signal.aborted;
    ending = refused ? explain(error, next.pieces.length > start) : STOPPED;
  }
  const anything = next.pieces.length > 0;
  if (anything && !next.erased) {
    keep(next);
  }
  if (mine === writing) { // sinon la personne est passée à un autre texte
    writing = null;
    story = anything ? next : previous;
    const unseen = refused && !anything; // rien à voir de ce texte : cela se dit près du champ
    say(unseen ? "" : ending, refused && !unseen);
    complain(unseen ? ending : "");
    part("finished").textContent = typeset(raw(next, start)).join("\n");
    show();
    if (unseen) {
      showProblem();
    }
  } else {
    show();
  }
}

/** Renvoie la phrase qui explique `error` ; `cut` : le réseau avait commencé d'écrire. */
function explain(error, cut) {
  if (error instanceof Refused) {
    return typeset(error.message).join(" ");
  }
  return cut ? CUT : UNREACHABLE;
}

/** La personne préfère `piece` au token `index` : un nouveau texte part de là, l'ancien reste gardé. */
function rewriteFrom(index, piece) {
  write(newStory(story.opening, [...story.pieces.slice(0, index), piece]));
}

// --- Les textes gardés -------------------------------------------------------------------

function reopen(kept) {
  writing?.abort();
  writing = null;
  story = kept;
  say("");
  show();
  part("story-title").focus({ preventScroll: true });
  part("story").scrollIntoView();
}

function erase(kept) {
  forget(kept.id);
  if (kept.id === story?.id) {
    clear();
  }
  show();
  field.focus();
}

/** Ne montre plus aucun texte ; celui qui s'écrivait s'arrête et n'est pas gardé. */
function clear() {
  if (writing) {
    story.erased = true;
    writing.abort();
    writing = null;
  }
  story = null;
  say("");
}

// --- Les commandes -----------------------------------------------------------------------

const commands = {
  stop: () => writing?.abort(),
  continue: () => write(story),
  again: () => write(newStory(story.opening)),
  copy: () => copy(plainText(story)).then(() => say("Le texte est dans le presse-papiers.")),
  download: () => download(plainText(story), "aurore.txt"),
  "forget-all"() {
    if (confirm("Effacer tous vos textes de ce navigateur\u202f?")) {
      forgetAll();
      clear();
      show();
      field.focus();
    }
  },
};

for (const [id, command] of Object.entries(commands)) {
  part(id).addEventListener("click", command);
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  write(newStory(field.value.trim()));
});
form.addEventListener("input", settle);
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat) { // tenue, la touche se répète
    form.requestSubmit();
  }
});
part("watch").addEventListener("change", () => {
  settle();
  show();
});
part("openings").addEventListener("submit", (event) => {
  event.preventDefault();
  const typed = field.value.trim();
  const opening = event.submitter.value;
  if (!typed || stories().some((kept) => kept.opening === typed)) { // des mots pas encore écrits restent là
    field.value = opening;
    settle();
  }
  write(newStory(opening));
});
addEventListener("pagehide", () => writing && story.pieces.length && keep(story));

restore();
const written = part("prose").dataset.raw; // un texte demandé avant que ce script soit prêt
if (written) {
  keep(newStory(field.value.trim(), [{ texte: written }]));
}
story = stories()[0] ?? null;
show();
part("tools").hidden = false;
