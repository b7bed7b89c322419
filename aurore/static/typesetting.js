/* La belle typographie, pendant que le texte s'écrit. Les mêmes règles que workshop/page/typesetting.py,
   vérifiées sur les mêmes exemples : tests/typesetting_samples.json. */

const NBSP = "\u00a0"; // espace insécable : dans les guillemets, devant « : », après le tiret de dialogue
const THIN = "\u202f"; // insécable et fine : devant « ; », « ! » et « ? »

// Dans l'ordre où elles s'appliquent. Les quatre premières ramènent à la forme que lit le réseau.
const RULES = [
  [/\s+/g, " "],
  [/[“„]/g, "«"],
  [/”/g, "»"],
  [/ ?(?:-{2,}|[–—―]) ?/g, " — "],
  [/'/g, "’"],
  [/\.{3,}/g, "…"],
  [/"([^"]*)"/g, "«$1»"],
  [/(?<![ —«(;!?]) *([;!?]+)/g, `${THIN}$1`],
  [/(?<![ —«(]) *:(?![\p{L}\p{N}])/gu, `${NBSP}:`],
  [/« */g, `«${NBSP}`],
  [/ *»/g, `${NBSP}»`],
  [/(?<![\p{L}\p{N}’-])(MM?\.|Mmes?|Mlles?|Dr|Ste?) (?=\p{Lu})/gu, `$1${NBSP}`],
  [/(?<=\d) (?=\d{3}(?!\d))/g, THIN],
];

// Après une phrase finie ou un deux-points, un tiret suivi d'une majuscule ouvre une réplique ; sinon
// c'est une incise.
const REPLY = /(?<=[.!?…:»]) ?— ?(?=[«\p{Lu}])/gu;

/** Les paragraphes, en français imprimé, d'un texte dans la forme que lit le réseau ; `capital` met une
    majuscule au premier mot. */
export function typeset(raw, capital = false) {
  const paragraphs = raw.split(/\n+/).flatMap((line) => {
    const text = RULES.reduce((done, [pattern, replacement]) => done.replace(pattern, replacement), line);
    return text.replace(REPLY, "\n— ").split("\n");
  }).map((paragraph) => paragraph
    .replace(/^ +| +$/g, "") // celles-là seules : un paragraphe peut commencer par une insécable et « ? »
    .replace(/^— ?(?=[«\p{Lu}])/u, `—${NBSP}`)).filter(Boolean);
  if (capital && paragraphs.length) {
    paragraphs[0] = paragraphs[0].replace(/^[^\p{L}\d]*\p{L}/u, (start) => start.toUpperCase());
  }
  return paragraphs;
}

/** Dit si ce qui suit `text` commence une phrase. */
export const endsASentence = (text) => !text.trim() || /[.!?…][»”\s]*$/.test(text);

/** Ce qui sépare l'amorce de sa suite, de texte `raw` et de premier paragraphe `first` : une espace, rien, ou
    une fin de ligne devant une réplique. */
export function link(raw, first = "") {
  if (first.startsWith(`—${NBSP}`)) {
    return "\n";
  }
  return /^\s/.test(raw) && !/^\s/.test(first) ? " " : "";
}
