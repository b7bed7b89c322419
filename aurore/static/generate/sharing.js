/* Le dialogue « Partager » : l'adresse du texte, son code QR, et de quoi l'emporter. */

import { part } from "../page.js";
import { form } from "./fields.js";
import { addressOf } from "./share.js";
import { drawQr } from "./stream.js";
import { plainText } from "./story.js";
import { asMarkdown, asText, copy, download } from "./take.js";

const HERE = new Set(["localhost", "127.0.0.1", "[::1]"]);
const ONLY_HERE = "Cette adresse ne s’ouvre que sur cet ordinateur.";
const TOO_LONG = "Ce texte est trop long pour un code QR\u00a0: copiez l’adresse.";

let shared = null; // le texte que l'on partage

const say = (sentence) => {
  part("shared").textContent = sentence;
};

/** Ouvre le dialogue sur `story`. */
export async function openSharing(story) {
  shared = story;
  const address = addressOf(location.origin + location.pathname, story);
  part("address").value = address;
  part("qr-hint").textContent = HERE.has(location.hostname) ? ONLY_HERE : "";
  part("qr").hidden = true;
  say("");
  part("sharing").showModal();
  try {
    const drawing = new DOMParser().parseFromString(await drawQr(form.dataset.qr, address), "text/html");
    const qr = drawing.querySelector("svg");
    qr.setAttribute("role", "img");
    qr.setAttribute("aria-label", "Le code QR de cette adresse");
    part("qr").replaceChildren(qr);
    part("qr").hidden = false;
  } catch {
    part("qr-hint").textContent = TOO_LONG;
  }
}

const commands = {
  "copy-address": () => copy(part("address").value).then(() => say("L’adresse est dans le presse-papiers.")),
  copy: () => copy(plainText(shared)).then(() => say("Le texte est dans le presse-papiers.")),
  "download-txt": () => download(asText(shared), "aurore.txt"),
  "download-md": () => download(asMarkdown(shared), "aurore.md"),
  print() {
    part("sharing").close();
    print();
  },
  "close-sharing": () => part("sharing").close(),
};

for (const [id, command] of Object.entries(commands)) {
  part(id).addEventListener("click", command);
}
