/* À qui est chaque signe d'un texte imprimé : l'aligner sur les morceaux dont il est fait.

   L'imprimé ne diffère du texte brut que par ses espaces, ses apostrophes, ses points de suspension, une
   majuscule, et des points ajoutés à la fin : les autres signes se suivent dans le même ordre. */

const BLANK = /\s/;
const FARTHEST = 8; // signes du texte brut que l'imprimé a pu laisser tomber d'un coup

const like = (raw, shown) => raw === shown || (raw === "'" && shown === "’") || (raw === "." && shown === "…")
  || raw.toLowerCase() === shown.toLowerCase();

/** Coupe chaque ligne imprimée de `lines` en [{text, owner}], où `owner` est le rang, dans `pieces`, du morceau à qui
    est ce bout. Les espaces vont avec le mot qui les suit. */
export function align(lines, pieces) {
  const raw = pieces.flatMap((piece, owner) => [...piece.texte].map((sign) => ({ sign, owner })));
  let at = 0;
  let last = 0;

  function ownerOf(shown) {
    while (at < raw.length && BLANK.test(raw[at].sign)) {
      at += 1;
    }
    const found = raw.slice(at, at + FARTHEST).findIndex(({ sign }) => like(sign, shown));
    if (found === -1) {
      return last; // un signe que la composition a ajouté
    }
    at += found;
    last = raw[at].owner;
    do {
      at += 1;
    } while (shown === "…" && raw[at]?.sign === ".");
    return last;
  }

  return lines.map((line) => {
    const runs = [];
    let blanks = "";
    for (const shown of line) {
      if (BLANK.test(shown)) {
        blanks += shown;
        continue;
      }
      const owner = ownerOf(shown);
      if (runs.at(-1)?.owner === owner) {
        runs.at(-1).text += blanks + shown;
      } else {
        runs.push({ text: blanks + shown, owner });
      }
      blanks = "";
    }
    return runs;
  });
}
