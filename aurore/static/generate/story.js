/* Un texte : {id, opening, pieces, paragraphs, warning, network, settings}. Les pièces sont les événements « token »
   du serveur, {texte, p, candidats, hesitation}, ou des mots de la personne, {texte, mine} ; les paragraphes, ceux que
   le serveur a composés à la fin, et jusque-là les nôtres. On n'en change jamais un : on en fait un autre. */

import { decimal, moment, short } from "../numbers.js";
import { align } from "./align.js";
import { capitalised, endsASentence, link, typeset } from "./typesetting.js";

/** Un nom que deux onglets, à la même milliseconde, ne donneront pas tous les deux. */
const newId = () => `${Date.now()}-${Math.floor(Math.random() * 1e6)}`;

export const newStory = (opening, pieces = []) => ({ id: newId(), opening, pieces, paragraphs: null, warning: "" });

/** Le même texte, à qui l'on pourra ajouter des pièces sans changer `story`. */
export const copyOf = (story, pieces = story.pieces) => ({ ...story, pieces: [...pieces] });

/** La suite telle que le réseau la lit, de la pièce `start` à la pièce `end`. */
export const raw = ({ pieces }, start = 0, end = pieces.length) =>
  pieces.slice(start, end).map(({ texte }) => texte).join("");

/** Le texte imprimé, ligne par ligne : {opening, text}, l'amorce puis la suite. */
export function lines(story) {
  const composed = typeset(raw(story));
  const [first, ...others] = story.paragraphs ?? (endsASentence(story.opening) ? capitalised(composed) : composed);
  const printed = capitalised(typeset(story.opening)).map((opening) => ({ opening, text: "" }));
  if (first) {
    const between = link(raw(story), first);
    if (between === "\n" || !printed.length) {
      others.unshift(first);
    } else {
      printed.at(-1).text = between + first;
    }
  }
  return [...printed, ...others.map((text) => ({ opening: "", text }))];
}

/** Le même, en texte brut : un paragraphe par ligne. */
export const plainText = (story) => lines(story).map(({ opening, text }) => opening + text).join("\n");

/** Les morceaux du texte entier, amorce comprise : {piece, index, start}, où `index` est le rang de la pièce (-1 dans
    l'amorce) et `start`, dans l'amorce, ce qui y précède le morceau. */
export function parts({ opening, looked, pieces }) {
  let before = "";
  const mine = (looked ?? [{ texte: opening }]).map((piece) => {
    const start = before;
    before += piece.texte;
    return { piece: { ...piece, mine: true }, index: -1, start };
  });
  return [...mine, ...pieces.map((piece, index) => ({ piece, index }))];
}

/** Les lignes imprimées, chacune coupée en [{text, part}], une par morceau. */
export function words(story) {
  const all = parts(story);
  const printed = lines(story).map(({ opening, text }) => opening + text);
  return align(printed, all.map(({ piece }) => piece)).map((runs) =>
    runs.map(({ text, owner }) => ({ text, part: all[owner] })));
}

/** Un réseau, nommé comme dans les listes. */
export const named = ({ nom, date, note }) =>
  `${nom}${date ? `, ${moment(date)}` : ""}${note ? ` – note ${decimal(note, 3)}` : ""}`;

/** Ce qui redonnerait ce texte : le réseau et les réglages ; `_printed.html` l'écrit de même. */
export function colophon({ network, settings }) {
  if (!network || !settings) {
    return "";
  }
  const { longueur, audace, top_k: topK, top_p: topP, graine } = settings;
  return `Écrit par ${named(network)}\u202f; longueur ${longueur}, audace ${short(audace)}, top-k ${topK}, `
    + `top-p ${short(topP)}, graine ${graine}.`;
}
