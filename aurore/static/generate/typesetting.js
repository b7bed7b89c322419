/* La belle typographie, pendant que le texte s'écrit. Les mêmes règles que workshop/page/typesetting.py,
   vérifiées sur les mêmes exemples : tests/typesetting_samples.json. */

const NBSP = "\u00a0"; // espace insécable : dans les guillemets, devant « : », après le tiret de dialogue
const THIN = "\u202f"; // insécable et fine : devant « ; », « ! » et « ? »

// Dans l'ordre où elles s'appliquent.
const RULES = [
  [/\s+/g, " "],
  [/\.{3,}/g, "…"],
  [/'/g, "’"],
  [/« */g, `«${NBSP}`],
  [/ *»/g, `${NBSP}»`],
  [/(?<![ —«(]) *([;!?]+)/g, `${THIN}$1`],
  [/(?<![ —«(]) *:(?= |$)/g, `${NBSP}:`], // mais « 10:30 » reste ainsi
  [/\b(MM?\.|Mmes?|Mlles?|Mgr|Dr) (?=\p{Lu})/gu, `$1${NBSP}`], // un titre ne quitte pas son nom
];

// Après une phrase finie ou un deux-points, un tiret suivi d'une majuscule ouvre une réplique ; sinon
// c'est une incise.
const REPLY = /(?<=[.!?…:»]) ?— ?(?=[«\p{Lu}])/gu;

/** Les paragraphes, en français imprimé, d'un texte dans la forme que lit le réseau. */
export function typeset(raw) {
  return raw.split(/\n+/).flatMap((line) => {
    const text = RULES.reduce((done, [pattern, replacement]) => done.replace(pattern, replacement), line);
    return text.replace(REPLY, "\n— ").split("\n");
  }).map((paragraph) => paragraph
    .replace(/^ +| +$/g, "") // celles-là seules : un paragraphe peut commencer par une insécable et « ? »
    .replace(/^— ?(?=[«\p{Lu}])/u, `—${NBSP}`)).filter(Boolean);
}

/** Les mêmes paragraphes, une majuscule à la première lettre : ils commencent une phrase. */
export function capitalised([first, ...others]) {
  return first ? [first.replace(/^[^\p{L}\p{N}_]*\p{L}/u, (start) => start.toUpperCase()), ...others] : [];
}

/** Dit si ce qui suit `text` commence une phrase. */
export const endsASentence = (text) => /[.!?…]\s*(?:»\s*)?$/.test(text);

/** Ce qui sépare l'amorce de sa suite, de texte `raw` et de premier paragraphe `first` : une espace, rien, ou
    une fin de ligne devant une réplique. */
export function link(raw, first) {
  if (first.startsWith(`—${NBSP}`)) {
    return "\n";
  }
  return /^\s/.test(raw) && !/^\s/.test(first) ? " " : "";
}
