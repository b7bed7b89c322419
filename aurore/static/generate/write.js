/* La page /generate, quand le navigateur sait JavaScript : à chaque bouton, à chaque touche, son geste.
   Sans lui, le formulaire part au serveur, qui renvoie la page avec le texte entier. */

import { part } from "../page.js";
import { write } from "./compose.js";
import { say } from "./display.js";
import { dropEdit, edit, goOnFromTheCaret, keepEdit, travel } from "./editing.js";
import { field, form } from "./fields.js";
import { restore, settle } from "./form.js";
import { interrupt, scene, show, turnTo } from "./scene.js";
import { addressOf, readAddress } from "./share.js";
import { openSharing } from "./sharing.js";
import { follow as followTabs, forget, forgetAll, keep, opened, stories } from "./shelf.js";
import { newStory, plainText } from "./story.js";
import { hesitation, lookAtOpening } from "./thinking.js";
import { hush, speak } from "./voice.js";

const RELOADED = "La page s’est fermée pendant que ce texte s’écrivait\u00a0: il est coupé ici. "
  + "«\u00a0Continuer\u00a0» le reprend.";

let erased = null; // le dernier texte effacé de l'étagère

// --- Les textes gardés -------------------------------------------------------------------

function reopen(kept) {
  interrupt();
  scene.story = kept;
  say("");
  show();
  lookAtOpening();
  part("story-title").focus({ preventScroll: true });
  part("story").scrollIntoView();
}

function erase(kept) {
  forget(kept.id);
  erased = kept;
  part("unforget").hidden = false;
  if (kept.id === scene.story?.id) {
    clear();
  }
  show();
  part("unforget").focus({ preventScroll: true });
}

/** Ne montre plus aucun texte ; celui qui s'écrivait s'arrête et n'est pas gardé. */
function clear() {
  if (scene.writing) {
    scene.story.erased = true;
  }
  interrupt();
  scene.story = null;
  say("");
}

part("shelf-list").addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  const kept = stories().find(({ id }) => id === button?.dataset.story);
  if (kept) {
    (button.className === "erase" ? erase : reopen)(kept);
  }
});
followTabs(show);

// --- Les commandes -----------------------------------------------------------------------

const commands = {
  stop: () => scene.writing?.abort(),
  continue: () => write(scene.story),
  three: () => write(scene.story, { suites: 3 }),
  again: () => write(newStory(scene.story.opening)),
  share: () => openSharing(scene.story),
  edit,
  "go-on": goOnFromTheCaret,
  "keep-edit": keepEdit,
  "drop-edit": dropEdit,
  undo: () => travel("undo"),
  redo: () => travel("redo"),
  compare() {
    part("compare").href = addressOf(part("compare").pathname, scene.story);
  },
  listen() {
    const listening = part("listen").ariaPressed === "true";
    const press = (on) => {
      part("listen").ariaPressed = String(on);
      part("listen").textContent = on ? "Se taire" : "Écouter";
    };
    if (listening) {
      hush();
    } else {
      speak(plainText(scene.story), () => press(false));
    }
    press(!listening);
  },
  "forget-all"() {
    if (confirm("Effacer tous vos textes de ce navigateur\u202f?")) {
      forgetAll();
      clear();
      show();
      field.focus();
    }
  },
  unforget() {
    keep(erased);
    part("unforget").hidden = true;
    reopen(erased);
  },
};
for (const [id, command] of Object.entries(commands)) {
  part(id).addEventListener("click", command);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  write(newStory(field.value.trim()));
});
for (const place of [form, part("settings")]) {
  place.addEventListener("input", settle);
}
part("watch").addEventListener("change", () => {
  settle();
  hesitation.close();
  show();
  lookAtOpening();
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

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  const command = event.ctrlKey || event.metaKey;
  const typing = target.matches("textarea, input:not([type=checkbox], [type=radio], [type=range])");
  if (command && key === "Enter" && !event.repeat) { // tenue, la touche se répète
    if (target === field) {
      form.requestSubmit();
    } else if (target.id === "editor") {
      event.preventDefault(); // sinon la même touche presserait « Arrêter », qui reçoit le focus
      goOnFromTheCaret();
    }
  } else if (command && key.toLowerCase() === "z" && !typing) { // dans un champ, c'est le navigateur qui annule
    event.preventDefault();
    hesitation.close();
    travel(event.shiftKey ? "redo" : "undo");
  } else if (key === "Escape" && !part("sharing").open) {
    if (hesitation.isOpen) {
      hesitation.leave();
    } else if (scene.editing) {
      dropEdit();
    } else {
      scene.writing?.abort();
    }
  }
});

// --- En arrivant, en partant ----------------------------------------------------------------

/** Refait le texte d'une adresse partagée ; renvoie false s'il n'y en a pas. */
function replay() {
  const { amorce, suite, ...asked } = readAddress(location.hash);
  if (!amorce) {
    return false;
  }
  history.replaceState(null, "", location.pathname + location.search); // recharger ne le refera pas
  field.value = amorce;
  settle();
  const held = newStory(amorce, suite ? [{ texte: suite }] : []);
  if ("graine" in asked) {
    write(held, { replay: asked });
  } else { // un texte modifié à la main : il est là tout entier, rien n'est à refaire
    turnTo(held);
    show();
  }
  return true;
}

addEventListener("pagehide", () => {
  hush();
  if (scene.writing && scene.story.pieces.length) {
    scene.story.cut = true; // et non une copie : la requête qui se coupe va garder ce texte à son tour
    keep(scene.story);
  }
});
addEventListener("hashchange", replay);

restore();
part("shortcuts").hidden = part("tools").hidden = false;
part("settings").open = matchMedia("(min-width: 68rem)").matches; // à côté du texte, ils ne cachent rien
document.querySelector(".without-script")?.remove();
const written = part("prose").dataset.raw; // un texte demandé avant que ce script soit prêt
if (written) {
  keep(newStory(field.value.trim(), [{ texte: written }]));
}
if (!replay()) {
  scene.story = (written ? null : stories().find(({ id }) => id === opened.read())) ?? stories()[0] ?? null;
  show();
  if (scene.story?.cut) {
    say(RELOADED, true);
  }
  lookAtOpening();
}
