/* Lire le texte à voix haute, avec la voix du navigateur. */

export const canSpeak = () => "speechSynthesis" in globalThis;

/** Lit `text` ; `ended` est appelé à la fin, ou si l'on se tait. */
export function speak(text, ended) {
  speechSynthesis.cancel();
  const paragraphs = text.split("\n").filter(Boolean); // une phrase trop longue se perd dans certains navigateurs
  paragraphs.forEach((paragraph, at) => {
    const said = new SpeechSynthesisUtterance(paragraph);
    said.lang = "fr-FR";
    if (at === paragraphs.length - 1) {
      said.addEventListener("end", ended);
    }
    said.addEventListener("error", ended);
    speechSynthesis.speak(said);
  });
}

export const hush = () => canSpeak() && speechSynthesis.cancel();
