/* Un texte : {id, opening, pieces, paragraphs, warning}. Les pièces sont les événements « token » du serveur,
   {texte, p, candidats} ; les paragraphes, ceux qu'il a composés à la fin, et jusque-là les nôtres. */

import { capitalised, endsASentence, link, typeset } from "./typesetting.js";

export const newStory = (opening, pieces = []) => ({ id: Date.now(), opening, pieces, paragraphs: null, warning: "" });

/** La suite telle que le réseau l'a écrite, depuis la pièce `start`. */
export const raw = ({ pieces }, start = 0) => pieces.slice(start).map(({ texte }) => texte).join("");

/** Le texte imprimé, ligne par ligne : {opening, text}, la part de la personne puis celle du réseau. */
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
