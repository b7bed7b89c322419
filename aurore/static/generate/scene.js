/* Ce que l'on voit : le texte, s'il s'écrit, si on le modifie ; et de quoi y revenir. */

import { part } from "../page.js";
import { showBranches } from "./branches.js";
import { showShelf, showStory } from "./display.js";
import { History } from "./history.js";
import { Prose } from "./prose.js";
import { keep, opened, stories } from "./shelf.js";

/** `story` : le texte que l'on voit ; `writing` : l'AbortController de celui qui s'écrit. */
export const scene = { story: null, writing: null, editing: false };
export const past = new History();

const prose = new Prose(part("prose"));
let drawing = false; // un affichage est déjà prévu

/** Montre le texte, sans l'étagère. */
export function draw() {
  const { story, editing } = scene;
  const writing = Boolean(scene.writing);
  showStory(story, prose, { writing, editing, history: past });
  showBranches(story?.branches, writing, editing);
}

/** Montre le texte au plus une fois par image, si vite que viennent les tokens. */
export function drawSoon() {
  if (!drawing) {
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      draw();
    });
  }
}

/** Montre tout. */
export function show() {
  draw();
  showShelf(stories(), scene.story);
  opened.store(scene.story?.id ?? null);
}

/** Passe à `next` ; « Annuler » ramène à ce que l'on quitte. */
export function turnTo(next) {
  past.leave(scene.story);
  scene.story = next;
  keep(next);
}

/** Interrompt le texte qui s'écrit ; ce qui en est écrit reste. */
export function interrupt() {
  scene.writing?.abort();
  scene.writing = null;
  scene.editing = false;
}
