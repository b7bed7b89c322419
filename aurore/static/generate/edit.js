/* Le texte modifié à la main : garder ce qui n'a pas changé, avec ce que le réseau en pensait. */

import { copyOf, words } from "./story.js";

/** Le nombre de signes que `one` et `other` ont en commun au début. */
function common(one, other, most = Math.min(one.length, other.length)) {
  let length = 0;
  while (length < most && one[length] === other[length]) {
    length += 1;
  }
  return length;
}

/** Les morceaux imprimés, bout à bout : {text, part}, une fin de ligne comprise dans celui qui commence la suivante. */
function printedRuns(story) {
  return words(story).flatMap((runs, line) =>
    runs.map(({ text, part }, at) => ({ text: line && !at ? `\n${text}` : text, part })));
}

const textOf = (runs) => runs.map(({ text }) => text).join("");

/** Coupe `text` à la dernière espace avant `most` signes. */
function cut(text, most) {
  if (text.length <= most) {
    return [text, ""];
  }
  const end = text.lastIndexOf(" ", most);
  return end > 0 ? [text.slice(0, end), text.slice(end)] : [text.slice(0, most), text.slice(most)];
}

/** Renvoie `story` devenue `text` : les morceaux intacts du début et de la fin restent, ce qui est entre eux est à la
    personne. Ce que le réseau pensait de la fin ne vaut plus : il pensait à autre chose. L'amorce garde `longest`
    signes au plus. */
export function edited(story, text, longest) {
  const runs = printedRuns(story);
  const old = textOf(runs);
  if (old === text) {
    return story;
  }
  let start = common(old, text);
  const most = Math.min(old.length, text.length) - start;
  let end = common([...old].reverse().join(""), [...text].reverse().join(""), most);
  const before = whole(runs, start);
  start = textOf(before).length;
  const after = whole([...runs].reverse(), end).reverse();
  end = textOf(after).length;
  const middle = text.slice(start, text.length - end);

  const isOpening = ({ part }) => part.index === -1;
  const openingIsIntact = runs.filter(isOpening).every((run) => before.includes(run));
  const kept = before.filter((run) => !isOpening(run)).map(({ part }) => part.piece);
  const following = after.filter((run) => !isOpening(run)).map(({ part: { piece } }) =>
    ({ texte: piece.texte, ...(piece.mine ? { mine: true } : {}) }));
  const typed = (texte) => (texte ? [{ texte, mine: true }] : []);
  if (openingIsIntact) {
    return { ...copyOf(story, [...kept, ...typed(middle), ...following]), paragraphs: null };
  }
  const [opening, rest] = cut(textOf(before) + middle + textOf(after.filter(isOpening)), longest);
  return { ...copyOf(story, [...typed(rest), ...following]), opening, looked: null, paragraphs: null };
}

/** Les premiers de `runs` qui tiennent tout entiers dans `length` signes. */
function whole(runs, length) {
  let end = 0;
  return runs.filter(({ text }) => {
    end += text.length;
    return end <= length;
  });
}
