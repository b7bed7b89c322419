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
  [/(?<![ —«(]) *:(?= |$)/g, `${NBSP}:`],
  [/\b(MM?\.|Mmes?|Mlles?|Mgr|Dr) (?=\p{Lu})/gu, `$1${NBSP}`],
];

// Après une phrase finie ou un deux-points, un tiret suivi d'une majuscule ouvre une réplique ; sinon c'est une incise.
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

/** Ce qui sépare l'amorce de sa suite, dont `raw` est le texte et `first` le premier paragraphe. */
export function gap(raw, first = "") {
  return /^\s/.test(raw) && !/^\s/.test(first) ? " " : "";
}
