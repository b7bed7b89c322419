/* Modifier le texte à la main, continuer d'où est le curseur ; annuler, rétablir. */

import { part } from "../page.js";
import { write } from "./compose.js";
import { say } from "./display.js";
import { edited } from "./edit.js";
import { field } from "./fields.js";
import { draw, past, scene, show, turnTo } from "./scene.js";
import { keep } from "./shelf.js";
import { plainText } from "./story.js";

const LONGEST = Number(field.dataset.longest);

/** Ouvre le texte entier dans un champ. */
export function edit() {
  scene.editing = true;
  part("editor").value = plainText(scene.story);
  draw();
  part("editor").focus({ preventScroll: true });
  part("editing").scrollIntoView({ behavior: "instant", block: "nearest" });
}

/** Garde ce qui est dans le champ. */
export function keepEdit() {
  const next = edited(scene.story, part("editor").value.trim(), LONGEST);
  scene.editing = false;
  if (next !== scene.story && next.opening) {
    turnTo({ ...next, start: next.pieces.length, branches: null, network: null, settings: null });
    say("Votre texte est gardé.");
  }
  show();
}

/** Laisse le texte comme il était. */
export function dropEdit() {
  scene.editing = false;
  show();
}

/** Garde ce qui précède le curseur, et le fait continuer. */
export function goOnFromTheCaret() {
  const { value, selectionStart } = part("editor");
  const whole = edited(scene.story, value.trimEnd(), LONGEST); // d'abord ce qui a changé, puis ce qui s'en va
  const next = edited(whole, value.slice(0, selectionStart).trimEnd(), LONGEST);
  if (next.opening) {
    write(next);
  } else {
    say("Placez le curseur après quelques mots\u00a0: le réseau les continuera.", true);
  }
}

/** Revient à l'état d'avant (`step` : « undo »), ou à celui que l'on avait quitté (« redo »). */
export function travel(step) {
  if (scene.writing || scene.editing || !(step === "undo" ? past.canUndo : past.canRedo)) {
    return;
  }
  scene.story = past[step](scene.story);
  if (scene.story) {
    keep(scene.story);
  }
  say(step === "undo" ? "Annulé." : "Rétabli.");
  show();
}
