/* L'attention d'une tête, des tokens aux mots : les parts que donne le serveur, mises sur ce que l'on voit. */

import { align } from "./align.js";

const LETTER = /[\p{L}\p{N}]/u;
const ENDS_IN_A_LETTER = /[\p{L}\p{N}]$/u;
const STARTS_WITH_A_LETTER = /^[\p{L}\p{N}]/u;
const RESTING = 300; // pour mille : en deçà, ce que les têtes posent là où il n'y a rien à lire ne mérite pas d'être dit

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const signs = (text) => text.replace(/\s/g, "").length;

/** Ce que regardent ensemble plusieurs têtes : la moyenne de leurs parts. */
export const mean = (heads) => heads[0].map((_, at) => sum(heads.map((head) => head[at])) / heads.length);

/** Les parts de chacun des bouts imprimés `texts`, de celles des `tokens` ({texte}) du même texte. Un token à cheval sur
    deux bouts se partage ; celui qui n'écrit rien compte avec le suivant. */
export function spread(texts, tokens, shares) {
  const lines = align(texts, tokens);
  const lengths = tokens.map(() => 0);
  lines.flat().forEach(({ text, owner }) => { lengths[owner] += signs(text); });
  const carried = tokens.map(() => 0);
  shares.forEach((share, at) => {
    const next = lengths.findIndex((length, rank) => rank >= at && length);
    carried[next === -1 ? lengths.findLastIndex(Boolean) : next] += share;
  });
  return lines.map((runs) => sum(runs.map(({ text, owner }) => carried[owner] * signs(text) / lengths[owner])));
}

/** Les bouts `texts` réunis en mots, leurs parts `shares` ajoutées : [{text, share, places}], `places` étant les rangs
    de ces bouts. Une ponctuation est à part : une tête la regarde souvent, elle. */
export function asWords(texts, shares) {
  const words = [];
  texts.forEach((text, place) => {
    const last = words.at(-1);
    if (last && ENDS_IN_A_LETTER.test(last.text) && STARTS_WITH_A_LETTER.test(text)) {
      last.text += text;
      last.share += shares[place];
      last.places.push(place);
    } else {
      words.push({ text, share: shares[place], places: [place] });
    }
  });
  return words;
}

/** Les `most` mots les plus regardés, le premier d'abord : {text, share, times}, s'il revient plusieurs fois. */
export function mostLookedAt(words, most) {
  const found = new Map();
  for (const { text, share } of words) {
    const name = text.trim();
    const known = found.get(name.toLowerCase()) ?? { text: name, share: 0, times: 0 };
    found.set(name.toLowerCase(), { ...known, share: known.share + share, times: known.times + 1 });
  }
  return [...found.values()].sort((one, other) => other.share - one.share).slice(0, most);
}

/** Dit si ces têtes se reposent : sur la ponctuation, ou sur le premier mot. */
export const areResting = (words) =>
  sum(words.filter(({ text }, at) => at === 0 || !LETTER.test(text)).map(({ share }) => share)) >= RESTING;
