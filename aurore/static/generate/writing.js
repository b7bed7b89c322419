/* Faire écrire le réseau : suivre ce qui vient, dire ce qui se passe, expliquer ce qui ne va pas. */

import { part } from "../page.js";
import { form } from "./fields.js";
import { ask, Refused } from "./stream.js";
import { typeset } from "./typesetting.js";

const ENDINGS = JSON.parse(part("state").dataset.endings); // les mots de contract.py
const RESUME = " «\u00a0Continuer\u00a0» la reprend.";
const SILENT = "Le serveur ne dit plus rien depuis quelques secondes. Ce qui est écrit est gardé\u00a0; on attend encore…";
const CUT = "La connexion s’est interrompue. Ce qui était écrit est gardé\u00a0: «\u00a0Continuer\u00a0» reprend d’ici.";
const UNREACHABLE = "Le serveur ne répond pas. Vos mots sont toujours là\u00a0: vérifiez la connexion, puis réessayez.";

/** Demande les suites de `demand` et les ajoute à `texts`, une par texte ; `say` reçoit où l'on en est, `changed` est
    appelé à chaque nouveauté. Renvoie la phrase qui dit pourquoi cela finit. */
export async function follow(texts, demand, signal, { say, changed, signed }) {
  let ending = "";
  for await (const { event, data } of ask(form.dataset.api, demand, signal, () => say(SILENT))) {
    const text = texts[data.numero ?? 0];
    if (event === "place") {
      say(`D’autres écrivent en ce moment\u00a0: vous êtes à la place ${data.place}.`);
    } else if (event === "token") {
      say("Le réseau écrit…");
      text.pieces.push(data);
      text.paragraphs = null;
    } else if (event === "fin") {
      Object.assign(text, { paragraphs: data.paragraphes, network: data.reseau, settings: data.reglages });
      ending = typeset(ENDINGS[data.fin]).join(" ") + (data.fin === "longueur" ? RESUME : "");
      signed(data.reseau);
    }
    const warning = event === "avertissement" ? data.message : data.avertissement;
    if (warning !== undefined) {
      texts.forEach((each) => Object.assign(each, { warning: typeset(warning ?? "").join(" ") }));
    }
    changed();
  }
  return ending;
}

/** Renvoie la phrase qui explique `error` ; `begun` : le réseau avait commencé d'écrire. */
export function explain(error, begun) {
  if (error instanceof Refused) {
    return typeset(error.message).join(" ");
  }
  return begun ? CUT : UNREACHABLE;
}
