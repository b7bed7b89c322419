/* Trois suites à la fois : en prendre une, les deux autres restent à portée. */

import { part } from "../page.js";
import { raw } from "./story.js";
import { typeset } from "./typesetting.js";

/** Montre les suites `texts`, qui commencent à la pièce `start` ; `taken` est le rang de celle qui est prise, -1 tant
    qu'aucune ne l'est. Les choisir envoie l'événement « take » ; pendant qu'elles s'écrivent, on attend. */
export function showBranches(branches, writing, hidden) {
  const place = part("branches");
  place.hidden = !branches || hidden;
  if (!branches) {
    place.replaceChildren();
    return;
  }
  const { texts, start, taken } = branches;
  if (place.children.length !== texts.length || place.branches !== branches.texts) {
    place.branches = texts;
    place.replaceChildren(...texts.map((_, number) => branch(number)));
  }
  texts.forEach((text, number) => {
    const [prose, button] = place.children[number].children;
    const written = text.pieces.length > start ? text : null;
    prose.textContent = written ? typeset(raw(text, start)).join("\n") : "…";
    place.children[number].classList.toggle("taken", number === taken);
    button.hidden = writing || !written;
    button.textContent = number === taken ? "Celle-ci est prise" : taken === -1 ? "Prendre celle-ci"
      : "Prendre plutôt celle-ci";
    button.disabled = number === taken;
  });
}

function branch(number) {
  const block = Object.assign(document.createElement("div"), { className: "branch" });
  const prose = document.createElement("p");
  const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet" });
  prose.id = `branch-${number}`;
  button.setAttribute("aria-describedby", prose.id);
  button.addEventListener("click", () => part("branches").dispatchEvent(new CustomEvent("take", { detail: number })));
  block.append(prose, button);
  return block;
}
