/* Ce que le réseau pensait : les rivaux d'un mot de la prose, et ce qu'il attendait des mots de la personne. */

import { part } from "../page.js";
import { Attention } from "./attention.js";
import { rewriteFrom } from "./compose.js";
import { form, settings, show as showSettings } from "./fields.js";
import { settle } from "./form.js";
import { Hesitation } from "./hesitation.js";
import { draw, scene } from "./scene.js";
import { raw } from "./story.js";
import { look } from "./stream.js";

const BESIDE = matchMedia("(min-width: 68rem)"); // les rivaux sont à côté du texte, qu'ils ne cachent pas

const fold = part("attention"); // aucun, si le réseau écrit ailleurs
const attention = fold && new Attention(fold, part("prose"), {
  ask: (token) => look(fold.dataset.api, before(token)),
  shown: (isNew) => hesitation.keepInView(isNew),
});

export const hesitation = new Hesitation(part("choices"), {
  choose: rewriteFrom,
  expected,
  settings,
  setBoldness(audace) {
    showSettings({ audace });
    settle();
    hesitation.redraw();
  },
  turned: (token) => attention?.turnTo(token),
});

/** Le texte qui précède `token`, à redonner au réseau. */
function before({ held: { index, start } }) {
  const { opening, network } = scene.story;
  const text = index === -1 ? { amorce: start } : { amorce: opening, suite: raw(scene.story, 0, index) };
  return { ...text, reseau: network?.id ?? "" };
}

/** Promet tout ce que le réseau attendait à la place de `token`, avant l'audace. */
async function expected(token) {
  return (await look(form.dataset.look, before(token))).ensuite;
}

/** Demande, une fois par texte, ce que le réseau pensait des mots de la personne. */
export async function lookAtOpening() {
  const { story } = scene;
  if (!story || story.looked || scene.writing || !part("watch").checked) {
    return;
  }
  const seen = await look(form.dataset.look, { amorce: story.opening, reseau: story.network?.id ?? "" })
    .catch(() => null); // un refus d'ici n'ôte rien au texte
  story.looked = seen?.tokens ?? null;
  if (story === scene.story) {
    draw();
  }
}

part("prose").addEventListener("choose", ({ target }) => hesitation.show(target));
part("prose").addEventListener("peek", ({ target }) => // ce que le réseau regardait se lit sous la souris : rien ne bouge
  BESIDE.matches && !attention?.isOpen && hesitation.show(target));
part("prose").addEventListener("keydown", (event) => {
  if (["Enter", " "].includes(event.key) && event.target.matches(".token")) {
    hesitation.show(event.target);
    hesitation.enter();
    event.preventDefault();
  }
});
form.elements.audace.addEventListener("input", () => hesitation.redraw());
