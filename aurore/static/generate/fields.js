/* Les champs du formulaire, sur les pages qui font écrire. */

import { short } from "../numbers.js";
import { part } from "../page.js";

export const form = part("form");
export const field = part("amorce");

const NUMBERS = ["audace", "top_k", "top_p", "graine"];

/** Les réglages, dans les mots de l'API ; un champ vide n'y est pas. */
export function settings() {
  const { longueur, reseau } = form.elements;
  const numbers = NUMBERS.map((name) => [name, form.elements[name].value]).filter(([, value]) => value !== "");
  return { longueur: longueur.value, ...Object.fromEntries(numbers.map(([name, value]) => [name, Number(value)])),
    ...(reseau ? { reseau: reseau.value } : {}) };
}

/** Remet les réglages `given`, et met à jour ce qui en dépend. */
export function show(given = {}) {
  for (const name of ["longueur", "reseau", ...NUMBERS]) {
    const element = form.elements[name];
    if (element && given[name] !== undefined && given[name] !== null) {
      const { value } = element;
      element.value = given[name];
      element.value ||= value; // un réseau qui n'est plus là ne se choisit pas
    }
  }
  part("audace-shown").textContent = short(form.elements.audace.value);
}
