/* L'adresse d'un texte : tout y est, après le dièse, que le navigateur n'envoie pas au serveur. */

import { raw } from "./story.js";

const TEXTS = ["amorce", "suite", "reseau", "longueur"];
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
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const held = (names, read) => names.filter((name) => given.has(name)).map((name) => [name, read(given.get(name))]);
  return given.get("amorce") ? Object.fromEntries([...held(TEXTS, String), ...held(NUMBERS, Number)]) : {};
}
