// Les deux dessins de la page « Un seul neurone » : le plan des animaux, et la courbe de l'erreur.

import { decimal } from "../numbers.js";
import { DOG, answer, weightedSum } from "./learning.js";

const MASSES = 20, EARS = 16; // kilos et centimètres, au bout des axes
const WORST = 2;              // l'erreur moyenne, en haut de la courbe

const shape = (name, attributes, text = "") => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  element.textContent = text;
  return element;
};

const redraw = (svg, shapes) => {
  svg.querySelectorAll(":scope > g").forEach((group) => group.remove());
  const group = shape("g", {});
  group.append(...shapes);
  svg.append(group);
};

// --- Le plan ----------------------------------------------------------------------------

const x = (mass) => 40 + mass * 370 / MASSES;
const y = (ears) => 320 - ears * 310 / EARS;

export const drawPlot = (svg, weights, animals, unseen, followed) => {
  const points = dogSide(weights).map(([mass, ears]) => `${x(mass)},${y(ears)}`).join(" ");
  const shapes = [shape("polygon", { class: "dog-side", points }),
    shape("path", { class: "axis", d: `M${x(0)},${y(EARS)}V${y(0)}H${x(MASSES)}` })];
  for (let mass = 0; mass <= MASSES; mass += 5) {
    shapes.push(shape("text", { x: x(mass), y: 336, "text-anchor": "middle" }, mass));
  }
  for (let ears = 4; ears <= EARS; ears += 4) {
    shapes.push(shape("text", { x: 34, y: y(ears) + 4, "text-anchor": "end" }, ears));
  }
  shapes.push(shape("text", { x: x(MASSES), y: 354, "text-anchor": "end" }, "masse (kg)"),
    shape("text", { x: 46, y: 20 }, "oreilles (cm)"));
  for (const [kind, group] of [["", animals], [" unseen", unseen]]) {
    group.forEach((one) => shapes.push(...animalShapes(one, kind, weights)));
  }
  shapes.push(shape("circle", { class: "followed", cx: x(followed.mass), cy: y(followed.ears), r: 12 }));
  redraw(svg, shapes);
};

// Le polygone où le neurone répond « chien » : le cadre, coupé par la frontière.
const dogSide = (weights) => {
  const corners = [[0, 0], [MASSES, 0], [MASSES, EARS], [0, EARS]];
  const sum = ([mass, ears]) => weightedSum(weights, { mass, ears });
  return corners.flatMap((corner, index) => {
    const next = corners[(index + 1) % 4];
    const [here, there] = [sum(corner), sum(next)];
    const kept = here > 0 ? [corner] : [];
    if ((here > 0) !== (there > 0)) {
      const share = here / (here - there);
      kept.push(corner.map((value, axis) => value + share * (next[axis] - value)));
    }
    return kept;
  });
};

const animalShapes = (one, kind, weights) => {
  const [left, top] = [x(one.mass), y(one.ears)];
  const shapes = [one.species === DOG
    ? shape("rect", { class: `dog${kind}`, x: left - 5.5, y: top - 5.5, width: 11, height: 11 })
    : shape("circle", { class: `cat${kind}`, cx: left, cy: top, r: 6 })];
  if (answer(weights, one) !== one.species) {
    shapes.push(shape("path", { class: "mistake", d: `M${left - 8},${top - 8}l16,16m0,-16l-16,16` }));
  }
  return shapes;
};

// --- La courbe --------------------------------------------------------------------------

// `runs` : les derniers essais, chacun { epochs, seen, unseen }, deux listes de [époque, erreur].
export const drawCurve = (svg, runs) => {
  const epochs = Math.max(1, ...runs.map((run) => run.epochs));
  const across = (epoch) => 40 + epoch * 370 / epochs;
  const down = (error) => 165 - Math.min(error, WORST) * 150 / WORST;
  const shapes = [shape("path", { class: "axis", d: "M40,10V165H410" })];
  for (let error = 0; error <= WORST; error += 0.5) {
    shapes.push(shape("text", { x: 34, y: down(error) + 4, "text-anchor": "end" }, decimal(error, 1) + (error < WORST ? "" : "+")));
  }
  shapes.push(shape("text", { x: 40, y: 182, "text-anchor": "middle" }, 0),
    shape("text", { x: 410, y: 182, "text-anchor": "end" }, `${epochs} époque${epochs > 1 ? "s" : ""}`));
  runs.forEach((run, index) => ["unseen", "seen"].forEach((kind) => shapes.push(shape("polyline", {
    class: `${kind}-curve${index < runs.length - 1 ? " earlier" : ""}`,
    points: run[kind].map(([epoch, error]) => `${across(epoch)},${down(error)}`).join(" "),
  }))));
  redraw(svg, shapes);
};
