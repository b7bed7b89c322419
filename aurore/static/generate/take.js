/* Emporter un texte : le presse-papiers, un fichier. */

import { day } from "../numbers.js";
import { colophon, plainText } from "./story.js";

/** Met `text` dans le presse-papiers. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // hors de https et de cette machine, les navigateurs le cachent : reste l'ancienne façon
    const focused = document.activeElement;
    const carrier = Object.assign(document.createElement("textarea"), { value: text });
    (document.querySelector("dialog[open]") ?? document.body).append(carrier); // hors du dialogue, rien n'est choisi
    carrier.select();
    document.execCommand("copy");
    carrier.remove();
    focused.focus();
  }
}

/** Télécharge `text` dans le fichier `name`. */
export function download(text, name) {
  const href = URL.createObjectURL(new Blob([text, "\n"], { type: "text/plain" }));
  Object.assign(document.createElement("a"), { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000); // le temps que le navigateur le prenne
}

/** Le texte et, dessous, sa date et ce qui le redonnerait. */
export const asText = (story, when = new Date()) =>
  [plainText(story), "", `Le ${day(when)}. ${colophon(story)}`.trim()].join("\n");

/** Le même, en Markdown : un paragraphe par ligne vide, rien de ce qui est écrit n'y devient une mise en forme. */
export function asMarkdown(story, when = new Date()) {
  const escaped = plainText(story).replace(/[\\`*_{}[\]<>#|~]/g, "\\$&").replace(/^(\d*)([-+.)])(?=\s)/gm, "$1\\$2");
  return [...escaped.split("\n"), "---", `*${`Le ${day(when)}. ${colophon(story)}`.trim()}*`].join("\n\n");
}
