/* Le tableau du premier mot : ce que deux réseaux attendaient au même endroit. `workshop/page/compare.py` en fait
   autant sans JavaScript. */

const MOST_WORDS = 6; // de chacun

/** Les lignes du tableau, {word, chances}, d'après les candidats de chaque réseau, les plus probables d'abord ;
    une chance inconnue (le mot n'est pas parmi eux) vaut null. */
export function firstWords(following) {
  const chances = following.map((candidates) => new Map(candidates.map(({ texte, p }) => [texte, p])));
  const words = new Set(following.flatMap((candidates) => candidates.slice(0, MOST_WORDS).map(({ texte }) => texte)));
  return [...words].filter((word) => word.trim())
    .map((word) => ({ word, chances: chances.map((known) => known.get(word) ?? null) }))
    .sort((one, other) => Math.max(...other.chances) - Math.max(...one.chances));
}
