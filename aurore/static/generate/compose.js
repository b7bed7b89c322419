/* Écrire une suite, ou trois ; repartir d'un mot que la personne préfère. */

import { part } from "../page.js";
import { complain, say, showNetwork, showProblem } from "./display.js";
import { form, settings } from "./fields.js";
import { countdown } from "./retry.js";
import { drawSoon, past, scene, show, turnTo } from "./scene.js";
import { keep } from "./shelf.js";
import { copyOf, newStory, raw } from "./story.js";
import { typeset } from "./typesetting.js";
import { hush } from "./voice.js";
import { explain, follow } from "./writing.js";

const STOPPED = "Arrêté. «\u00a0Continuer\u00a0» reprend d’ici.";
const SEEDS = Number(form.elements.graine.max) + 1;
const PICK = "Trois suites. Prenez celle que vous préférez\u00a0: les autres restent là.";

/** Fait continuer `base` par le réseau, depuis ce qui en est déjà écrit ; `suites` fois. `replay` : les réglages d'une
    adresse partagée, à la place de ceux du formulaire. */
export async function write(base, { suites = 1, replay = {} } = {}) {
  const previous = scene.story;
  const start = base.pieces.length;
  scene.writing?.abort();
  hush();
  const mine = scene.writing = new AbortController();
  const texts = Array.from({ length: suites }, () => ({ ...copyOf(base), start, branches: null, cut: false }));
  const next = suites === 1 ? texts[0] : { ...copyOf(base), branches: { texts, start, taken: -1 } };
  const begun = () => texts.some(({ pieces }) => pieces.length > start);
  const { reseau = "", ...chosen } = { graine: Math.floor(Math.random() * SEEDS), ...settings(), ...replay };
  const demand = { amorce: base.opening, suite: raw(base), suites, reseau, ...chosen };
  texts.forEach((text, number) => { // un texte arrêté en chemin sait aussi ce qui le redonnerait
    text.settings = { ...chosen, graine: (chosen.graine + number) % SEEDS };
  });
  scene.story = next;
  scene.editing = false;
  complain("");
  say("Le réseau lit vos mots…");
  part("finished").textContent = "";
  show();
  if (part("story").getBoundingClientRect().top > innerHeight / 2) {
    part("story").scrollIntoView();
  }
  let ending;
  let refused;
  do {
    refused = null;
    try {
      ending = await follow(texts, demand, mine.signal, { say, changed: drawSoon, signed: showNetwork });
    } catch (error) {
      refused = mine.signal.aborted ? null : error;
      ending = refused ? explain(error, begun()) : STOPPED;
    }
  } while (refused?.after && await comeBack(refused, ending));

  /** Dit pourquoi il faut attendre, et attend ; renvoie true s'il faut réessayer. */
  async function comeBack({ after }, sentence) {
    const unseen = !start;
    if (unseen) {
      scene.story = previous;
      complain(sentence);
      show();
      showProblem();
    } else {
      say(sentence, true);
    }
    const again = await countdown(after, part(unseen ? "problem" : "state"), mine.signal);
    if (again) {
      scene.story = next;
      complain("");
      say("Le réseau lit vos mots…");
      show();
    }
    return again;
  }

  const anything = suites === 1 ? next.pieces.length > 0 : begun();
  if (anything && !next.erased) {
    keep(next);
  }
  if (mine !== scene.writing) { // la personne est passée à un autre texte
    show();
    return;
  }
  scene.writing = null;
  if (anything && (begun() || !sameText(next, previous))) {
    past.leave(previous);
  }
  scene.story = anything ? next : previous;
  const unseen = refused && !next.pieces.length; // rien à voir de ce texte : cela se dit près du champ
  say(unseen ? "" : suites > 1 && begun() && !refused ? PICK : ending, Boolean(refused) && !unseen);
  complain(unseen ? ending : "");
  part("finished").textContent = texts.map((text) => typeset(raw(text, start)).join("\n")).join("\n");
  show();
  if (unseen) {
    showProblem();
  }
}

const sameText = (one, other) => one.opening === other?.opening && raw(one) === raw(other);

/** La personne préfère `piece` au token `index` : un nouveau texte part de là, l'ancien reste gardé. */
export function rewriteFrom(index, piece) {
  write(newStory(scene.story.opening, [...scene.story.pieces.slice(0, index), piece]));
}

/** La personne prend la suite `number` ; les autres restent sous le texte. */
function take(number) {
  const { texts, start } = scene.story.branches;
  const taken = texts[number];
  turnTo({ ...taken, start, branches: { texts, start, taken: number } });
  say("C’est pris. Les autres restent là.");
  show();
  part("continue").focus({ preventScroll: true });
}

part("branches").addEventListener("take", ({ detail }) => take(detail));
