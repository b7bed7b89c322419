/* Ce qui est tapé et réglé sur /generate, retrouvé quand on recharge la page. */

import { part } from "../page.js";
import { field, settings, show } from "./fields.js";
import { desk } from "./shelf.js";

/** Met à jour ce qui dépend du formulaire, et le garde. */
export function settle() {
  const { longest } = field.dataset;
  const { length } = field.value.trim();
  part("count").hidden = length < 0.8 * longest;
  part("count").textContent = `${length} caractères sur ${longest}.`;
  show();
  desk.store({ amorce: field.value, ...settings(), watching: part("watch").checked });
}

/** Remet ce qui était gardé, sauf sur des mots que le serveur vient de rendre ; le réseau reste celui qui écrit. */
export function restore() {
  const { amorce, watching, ...kept } = desk.read();
  const asked = new URLSearchParams(location.search); // /generate?audace=1.2 : le serveur l'a déjà mis
  show(Object.fromEntries(Object.entries(kept).filter(([name]) => name !== "reseau" && !asked.has(name))));
  part("watch").checked = watching ?? false;
  field.value ||= amorce ?? "";
  settle();
}
