/* L'adresse d'un texte : tout y est, après le dièse, que le navigateur n'envoie pas au serveur. */

import { raw } from "./story.js";

const NUMBERS = ["audace", "top_k", "top_p", "graine"];

/** L'adresse qui redonne la dernière suite de `story` ; ce qui était déjà écrit avant elle y est en toutes lettres. */
export function addressOf(page, { opening, pieces, start = 0, network, settings }) {
  const before = raw({ pieces }, 0, start);
  const held = { amorce: opening, ...(before ? { suite: before } : {}), ...(network ? { reseau: network.id } : {}),
    ...settings };
  return `${page}#${new URLSearchParams(held)}`;
}

/** Ce que contient le fragment `hash` d'une adresse, dans les mots de l'API ; {} s'il n'y a rien. */
export function readAddress(hash) {
  const held = Object.fromEntries(new URLSearchParams(hash.replace(/^#/, "")));
  if (!held.amorce) {
    return {};
  }
  for (const name of NUMBERS.filter((name) => name in held)) {
    held[name] = Number(held[name]);
  }
  return held;
}
