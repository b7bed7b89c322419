/* La salle est pleine : revenir de soi-même, en comptant les secondes à voix haute pour l'œil seulement. */

import { part } from "../page.js";

/** Compte `seconds` secondes sous `place` ; renvoie true à la fin, false si la personne préfère ne pas attendre, ou si
    `signal` l'interrompt. */
export function countdown(seconds, place, signal) {
  place.after(part("retry"));
  part("retry").hidden = false;
  return new Promise((resolve) => {
    let left = Math.max(1, Math.ceil(seconds));
    let timer = null;
    const stop = (answer) => {
      clearInterval(timer);
      part("no-retry").removeEventListener("click", giveUp);
      signal.removeEventListener("abort", giveUp);
      part("retry").hidden = true;
      resolve(answer);
    };
    const giveUp = () => stop(false);
    const show = () => {
      part("seconds").textContent = `Nouvel essai dans ${left} seconde${left > 1 ? "s" : ""}.`;
    };
    show();
    timer = setInterval(() => {
      left -= 1;
      show();
      if (left <= 0) {
        stop(true);
      }
    }, 1000);
    part("no-retry").addEventListener("click", giveUp);
    signal.addEventListener("abort", giveUp);
  });
}
