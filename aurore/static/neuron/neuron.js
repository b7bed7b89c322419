// La page « Un seul neurone » : ce que font les commandes, et ce que la page en dit.

import { decimal, short } from "../numbers.js";
import { drawCurve, drawPlot } from "./drawing.js";
import { DATA_SETS, START, UNSEEN_ANIMALS, answer, averageError, mistakes, probability, train, weightedSum }
  from "./learning.js";
import { part } from "../page.js";

const SPECIES = ["chat", "chien"];
const NAMES = ["mass", "ears", "bias"];
const ANIMATION = 4000; // millisecondes, au plus

const inBrackets = (number) => (number < 0 ? `(${decimal(number, 1)})` : decimal(number, 1));
const plural = (count, word) => `${count} ${word}${count > 1 ? "s" : ""}`;

let weights = { ...START };
let animals = DATA_SETS.both;
let runs = []; // les derniers essais
let running = null;

const everyone = () => [...animals, ...UNSEEN_ANIMALS];

// --- Dire -------------------------------------------------------------------------------

const fillRow = (table, cells) => {
  const row = table.tBodies[0].insertRow();
  cells.forEach((text) => { row.insertCell().textContent = text; });
};

const show = () => {
  NAMES.forEach((name) => {
    part(name).value = weights[name];
    part(`${name}-value`).textContent = decimal(weights[name], 1);
  });
  const followed = everyone().find(({ name }) => name === part("animal").value);
  part("sum").textContent = `${decimal(weights.mass, 1)} × ${decimal(followed.mass / 10)} + ${inBrackets(weights.ears)} × `
    + `${decimal(followed.ears / 10)} + ${inBrackets(weights.bias)} = ${decimal(weightedSum(weights, followed))}, `
    + `donc ${SPECIES[answer(weights, followed)]} (chien à ${Math.round(100 * probability(weights, followed))}\u00a0%).`;
  part("result").textContent = `${plural(mistakes(weights, animals), "faute")} sur ${animals.length} dans le cahier, `
    + `${plural(mistakes(weights, UNSEEN_ANIMALS), "faute")} sur ${UNSEEN_ANIMALS.length} parmi les animaux jamais vus. `
    + `Erreur moyenne\u00a0: ${decimal(averageError(weights, animals))}.`;
  drawPlot(part("plot"), weights, animals, UNSEEN_ANIMALS, followed);
};

const listAnimals = () => {
  const chosen = part("animal").value;
  part("animal").replaceChildren(...everyone().map(({ name }) => new Option(name)));
  part("animal").value = chosen;
  if (part("animal").selectedIndex < 0) { part("animal").selectedIndex = 0; }
};

const fillTable = () => {
  part("animals").tBodies[0].replaceChildren();
  everyone().forEach((one) => fillRow(part("animals"), [
    one.name + (UNSEEN_ANIMALS.includes(one) ? " (jamais vu)" : ""), decimal(one.mass, 1), decimal(one.ears, 1),
    SPECIES[one.species], SPECIES[answer(weights, one)]]));
};

// --- Entraîner --------------------------------------------------------------------------

const settings = () => ({
  epochs: Number(part("epochs").value),
  batchSize: Math.min(Number(part("training").elements.batch.value), animals.length),
  learningRate: Number(part("rate").value),
});

const start = () => {
  const chosen = settings();
  const run = { epochs: chosen.epochs, updates: 0, name: describe(chosen), seen: [], unseen: [] };
  runs = [...runs, run].slice(-3);
  note(run, 0);
  const steps = train(weights, animals, chosen);
  const perEpoch = Math.ceil(animals.length / chosen.batchSize);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const total = perEpoch * chosen.epochs;
  const began = performance.now();
  part("train").textContent = "Arrêter";
  part("progress").hidden = false;
  part("result").setAttribute("aria-busy", "true"); // un lecteur d'écran ne lit que le résultat
  const advance = (now) => {
    const due = still ? total : Math.ceil(total * (now - began) / Math.min(ANIMATION, 150 * total));
    while (run.updates < Math.min(due, total)) {
      ({ weights } = steps.next().value);
      run.updates += 1;
      note(run, run.updates / perEpoch);
    }
    if (run.updates < total) {
      running = requestAnimationFrame(advance);
      show();
      drawCurve(part("curve"), runs);
    } else {
      finish();
    }
  };
  running = requestAnimationFrame(advance);
};

const describe = ({ epochs, batchSize, learningRate }) => `${part("data").selectedOptions[0].text}\u202f; lot\u00a0: ${batchSize}\u202f; `
  + `${plural(epochs, "époque")}\u202f; vitesse\u00a0: ${short(learningRate)}`;

const note = (run, epoch) => {
  run.seen.push([epoch, averageError(weights, animals)]);
  run.unseen.push([epoch, averageError(weights, UNSEEN_ANIMALS)]);
};

const finish = () => {
  cancelAnimationFrame(running);
  running = null;
  part("train").textContent = "Entraîner";
  part("result").removeAttribute("aria-busy");
  const run = runs.at(-1);
  fillRow(part("runs"), [run.name, run.updates, decimal(averageError(weights, animals)),
    `${mistakes(weights, animals)} sur ${animals.length}, et ${mistakes(weights, UNSEEN_ANIMALS)} sur `
    + `${UNSEEN_ANIMALS.length} jamais vus`]);
  refresh();
};

const refresh = () => {
  show();
  fillTable();
  drawCurve(part("curve"), runs);
};

// --- Écouter ----------------------------------------------------------------------------

part("by-hand").addEventListener("input", (event) => {
  if (running) { finish(); }
  if (event.target.type === "range") { weights = { ...weights, [event.target.id]: Number(event.target.value) }; }
  refresh();
});
part("data").addEventListener("change", () => {
  if (running) { finish(); }
  animals = DATA_SETS[part("data").value];
  listAnimals();
  refresh();
});
part("by-hand").addEventListener("submit", (event) => event.preventDefault());
part("training").addEventListener("submit", (event) => {
  event.preventDefault();
  if (running) { finish(); } else { start(); }
});
part("reset").addEventListener("click", () => {
  if (running) { finish(); }
  weights = { ...START };
  refresh();
});

listAnimals();
refresh();
