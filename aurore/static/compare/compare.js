/* La page /comparer : deux réseaux continuent la même phrase, en même temps, avec la même graine. */

import { part } from "../page.js";
import { field, form, settings, show as showSettings } from "../generate/fields.js";
import { printed } from "../generate/hesitation.js";
import { percent } from "../numbers.js";
import { ONE_LINE } from "../generate/prose.js";
import { readAddress } from "../generate/share.js";
import { lines, newStory } from "../generate/story.js";
import { ask, look, Refused } from "../generate/stream.js";
import { typeset } from "../generate/typesetting.js";
import { firstWords } from "./words.js";

const ENDINGS = JSON.parse(part("state-0").dataset.endings); // les mots de contract.py
const UNREACHABLE = "Le serveur ne répond pas. Vérifiez la connexion, puis réessayez.";
const SEEDS = Number(form.elements.graine.max) + 1;

let writing = null; // l'AbortController de ceux qui s'écrivent

const chosen = () => ["premier", "second"].map((name) => part(name).selectedOptions[0]);

function showText(number, story) {
  part(`prose-${number}`).replaceChildren(...lines(story).map(({ opening, text }) => {
    const paragraph = document.createElement("p");
    const words = Object.assign(document.createElement("span"), { className: "opening", textContent: opening });
    paragraph.append(...(opening ? [words] : []), text);
    paragraph.classList.toggle("short", paragraph.textContent.length < ONE_LINE);
    return paragraph;
  }));
}

/** Un des deux textes : il s'écrit dans sa colonne, et y dit comment il finit. */
async function write(number, demand, signal) {
  const story = newStory(demand.amorce);
  const say = (sentence) => {
    part(`state-${number}`).textContent = sentence;
  };
  say("Le réseau lit vos mots…");
  showText(number, story);
  try {
    for await (const { event, data } of ask(form.dataset.api, demand, signal)) {
      if (event === "token") {
        story.pieces.push(data);
      } else if (event === "place") {
        say(`D’autres écrivent en ce moment\u00a0: place ${data.place}.`);
      } else if (event === "fin") {
        story.paragraphs = data.paragraphes;
        say(typeset(ENDINGS[data.fin]).join(" "));
      }
      showText(number, story);
    }
  } catch (error) {
    say(signal.aborted ? "Arrêté." : error instanceof Refused ? typeset(error.message).join(" ") : UNREACHABLE);
  }
}

async function showWords(amorce, networks, signal) {
  const looks = await Promise.all(networks.map((reseau) => look(form.dataset.look, { amorce, reseau }, signal)));
  part("words").tBodies[0].replaceChildren(...firstWords(looks.map(({ ensuite }) => ensuite)).map(({ word, chances }) => {
    const row = document.createElement("tr");
    const name = Object.assign(document.createElement("th"), { scope: "row", textContent: printed(word.trim()) });
    row.append(name, ...chances.map((chance) => Object.assign(document.createElement("td"), {
      textContent: chance ? percent(chance) : "presque rien" })));
    return row;
  }));
  part("words").hidden = false;
}

async function compare() {
  writing?.abort();
  const mine = writing = new AbortController();
  const { signal } = mine;
  const options = chosen();
  const asked = { graine: Math.floor(Math.random() * SEEDS), ...settings() };
  const amorce = field.value.trim();
  part("problem").textContent = "";
  part("words").hidden = true;
  part("results").hidden = part("stop").hidden = false;
  part("draw").textContent = `Graine ${asked.graine}.`;
  options.forEach((option, number) => {
    part(`signature-${number}`).textContent = option.textContent.trim();
    part(`column-${number}`).textContent = option.dataset.name;
  });
  part("results-title").focus({ preventScroll: true });
  part("results").scrollIntoView();
  await Promise.all([
    ...options.map((option, number) => write(number, { ...asked, amorce, reseau: option.value }, signal)),
    showWords(amorce, options.map(({ value }) => value), signal).catch(() => {}), // le texte aura dit pourquoi
  ]);
  if (mine === writing) {
    writing = null;
    part("stop").hidden = true;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  compare();
});
form.addEventListener("input", showSettings);
part("stop").addEventListener("click", () => writing?.abort());
const { amorce, ...shared } = readAddress(location.hash);
if (amorce) {
  field.value = amorce;
  showSettings(shared);
}
showSettings();
