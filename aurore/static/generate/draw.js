/* Le tirage, refait dans la page : ce que l'audace, top-k et top-p font des chances que donne le réseau. */

/** Les chances de `candidates` ({texte, p}, le plus probable d'abord, avant tout réglage) une fois réglées. */
export function drawn(candidates, { audace, top_k: topK, top_p: topP = 1 }) {
  const kept = candidates.slice(0, topK);
  const weights = kept.map(({ p }) => (p / kept[0].p) ** (1 / audace));
  const chances = shares(weights);
  let before = 0;
  const count = chances.filter((chance) => { // ceux qui font ensemble top_p, comme sampling.py
    const enters = topP >= 1 || before < topP;
    before += chance;
    return enters;
  }).length;
  return shares(weights.slice(0, count)).map((p, at) => ({ texte: kept[at].texte, p }));
}

function shares(weights) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** L'hésitation entre ces chances, en bits. */
export const entropy = (chances) => chances.reduce((sum, p) => sum - (p > 0 ? p * Math.log2(p) : 0), 0);

/** De 0, sûr de lui, à 1, très hésitant : la couleur d'un mot. */
export const doubt = (bits) => Math.min(1, bits / 5);
