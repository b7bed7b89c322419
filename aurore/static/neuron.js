// La page « Un seul neurone » : ce que font les commandes, et ce que la page en dit.

import { decimal, drawCurve, drawPlot } from "./neuron_drawing.js";
import { DATA_SETS, START, UNSEEN_ANIMALS, answer, averageError, mistakes, probability, train, weightedSum }
  from "./neuron_learning.js";

const SPECIES = ["chat", "chien"];
const NAMES = ["mass", "ears", "bias"];
const ANIMATION = 4000; // millisecondes, au plus

const $ = (id) => document.getElementById(id);
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
    $(name).value = weights[name];
    $(`${name}-value`).textContent = decimal(weights[name], 1);
  });
  const followed = everyone().find(({ name }) => name === $("animal").value);
  $("sum").textContent = `${decimal(weights.mass, 1)} × ${decimal(followed.mass / 10)} + ${inBrackets(weights.ears)} × `
    + `${decimal(followed.ears / 10)} + ${inBrackets(weights.bias)} = ${decimal(weightedSum(weights, followed))}, `
    + `donc ${SPECIES[answer(weights, followed)]} (chien à ${Math.round(100 * probability(weights, followed))}\u00a0%).`;
  $("result").textContent = `${plural(mistakes(weights, animals), "faute")} sur ${animals.length} dans le cahier, `
    + `${plural(mistakes(weights, UNSEEN_ANIMALS), "faute")} sur ${UNSEEN_ANIMALS.length} parmi les animaux jamais vus. `
    + `Erreur moyenne : ${decimal(averageError(weights, animals))}.`;
  drawPlot($("plot"), weights, animals, UNSEEN_ANIMALS, followed);
};

const listAnimals = () => {
  const chosen = $("animal").value;
  $("animal").replaceChildren(...everyone().map(({ name }) => new Option(name)));
  $("animal").value = chosen;
  if ($("animal").selectedIndex < 0) $("animal").selectedIndex = 0;
};

const fillTable = () => {
  $("animals").tBodies[0].replaceChildren();
  everyone().forEach((one) => fillRow($("animals"), [
    one.name + (UNSEEN_ANIMALS.includes(one) ? " (jamais vu)" : ""), decimal(one.mass, 1), decimal(one.ears, 1),
    SPECIES[one.species], SPECIES[answer(weights, one)]]));
};

// --- Entraîner --------------------------------------------------------------------------

const settings = () => ({
  epochs: Number($("epochs").value),
  batchSize: Math.min(Number($("training").elements.batch.value), animals.length),
  learningRate: Number($("rate").value),
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
  $("train").textContent = "Arrêter";
  $("progress").hidden = false;
  $("result").setAttribute("aria-busy", "true"); // un lecteur d'écran ne lit que le résultat
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
      drawCurve($("curve"), runs);
    } else {
      finish();
    }
  };
  running = requestAnimationFrame(advance);
};

const describe = ({ epochs, batchSize, learningRate }) => `${$("data").selectedOptions[0].text} ; lot : ${batchSize} ; `
  + `${plural(epochs, "époque")} ; vitesse : ${learningRate.toLocaleString("fr-FR")}`;

const note = (run, epoch) => {
  run.seen.push([epoch, averageError(weights, animals)]);
  run.unseen.push([epoch, averageError(weights, UNSEEN_ANIMALS)]);
};

const finish = () => {
  cancelAnimationFrame(running);
  running = null;
  $("train").textContent = "Entraîner";
  $("result").removeAttribute("aria-busy");
  const run = runs.at(-1);
  fillRow($("runs"), [run.name, run.updates, decimal(averageError(weights, animals)),
    `${mistakes(weights, animals)} sur ${animals.length}, et ${mistakes(weights, UNSEEN_ANIMALS)} sur `
    + `${UNSEEN_ANIMALS.length} jamais vus`]);
  refresh();
};

const refresh = () => {
  show();
  fillTable();
  drawCurve($("curve"), runs);
};

// --- Écouter ----------------------------------------------------------------------------

$("by-hand").addEventListener("input", (event) => {
  if (running) finish();
  if (event.target.type === "range") weights = { ...weights, [event.target.id]: Number(event.target.value) };
  refresh();
});
$("data").addEventListener("change", () => {
  if (running) finish();
  animals = DATA_SETS[$("data").value];
  listAnimals();
  refresh();
});
$("by-hand").addEventListener("submit", (event) => event.preventDefault());
$("training").addEventListener("submit", (event) => {
  event.preventDefault();
  if (running) finish(); else start();
});
$("reset").addEventListener("click", () => {
  if (running) finish();
  weights = { ...START };
  refresh();
});

$("neuron").hidden = false;
listAnimals();
refresh();
