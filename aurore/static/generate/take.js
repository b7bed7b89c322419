/* Emporter un texte : le presse-papiers, un fichier. */

/** Met `text` dans le presse-papiers. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // hors de https et de cette machine, les navigateurs le cachent : reste l'ancienne façon
    const focused = document.activeElement;
    const carrier = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(carrier);
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
