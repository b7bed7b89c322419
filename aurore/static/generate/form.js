/* Ce qui est tapé et réglé, retrouvé quand on recharge la page. */

import { part } from "../page.js";
import { desk } from "./shelf.js";

export const form = part("form");
export const field = part("amorce");

/** Les réglages, dans les mots de l'API. */
export function settings() {
  const { longueur, audace } = form.elements;
  return { longueur: longueur.value, audace: Number(audace.value) };
}

/** Met à jour ce qui dépend du formulaire, et le garde. */
export function settle() {
  const { longest } = field.dataset;
  const { length } = field.value.trim();
  part("count").hidden = length < 0.8 * longest;
  part("count").textContent = `${length} caractères sur ${longest}.`;
  part("audace-shown").textContent = form.elements.audace.value.replace(".", ",");
  desk.store({ amorce: field.value, ...settings(), watching: part("watch").checked });
}

/** Remet ce qui était gardé, sauf sur des mots que le serveur vient de rendre. */
export function restore() {
  const kept = desk.read();
  form.elements.longueur.value = kept.longueur ?? form.elements.longueur.value;
  form.elements.audace.value = kept.audace ?? form.elements.audace.value;
  part("watch").checked = kept.watching ?? false;
  field.value ||= kept.amorce ?? "";
  settle();
}
