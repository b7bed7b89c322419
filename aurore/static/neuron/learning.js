// Un neurone et ce qui l'instruit : des animaux inventés, la somme pondérée, la descente de gradient.
// Rien ici ne touche à la page : neuron.js dessine ce que ce module calcule.

const CAT = 0;
export const DOG = 1;

const animal = (name, mass, ears, species) => ({ name, mass, ears, species }); // kilos, centimètres

const TRAINING_ANIMALS = [
  animal("Minette", 3.1, 6.2, CAT), animal("Médor", 12.4, 7.1, DOG), animal("Félix", 3.6, 6.8, CAT),
  animal("Rita", 5.2, 9.8, DOG), animal("Gribouille", 4.2, 5.9, CAT), animal("Youki", 10.4, 6.9, DOG),
  animal("Réglisse", 4.5, 6.5, CAT), animal("Belle", 17.0, 9.2, DOG), animal("Pacha", 7.2, 7.1, CAT),
  animal("Filou", 8.3, 8.9, DOG), animal("Câline", 5.0, 7.0, CAT), animal("Ulysse", 14.1, 14.6, DOG),
  animal("Moustache", 5.4, 6.1, CAT), animal("Praline", 7.1, 12.2, DOG), animal("Nougat", 4.0, 7.2, CAT),
  animal("Tempête", 18.6, 12.8, DOG), animal("Cannelle", 6.3, 6.4, CAT), animal("Gaspard", 6.4, 13.3, DOG),
];

export const UNSEEN_ANIMALS = [
  animal("Ficelle", 3.4, 7.0, CAT), animal("Rex", 15.5, 11.0, DOG), animal("Plume", 4.8, 6.2, CAT),
  animal("Bobine", 6.0, 11.3, DOG), animal("Sultan", 6.7, 6.9, CAT), animal("Diane", 13.2, 8.4, DOG),
  animal("Chipie", 3.9, 6.5, CAT), animal("Oscar", 9.6, 9.7, DOG),
];

// Trois façons de remplir le cahier d'exercices. Le corrigé (`species`) y est ce que l'on dit au neurone.
const COIN_TOSSES = [0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1];
export const DATA_SETS = {
  both: TRAINING_ANIMALS,
  dogs: TRAINING_ANIMALS.filter(({ species }) => species === DOG),
  shuffled: TRAINING_ANIMALS.map((one, index) => ({ ...one, species: COIN_TOSSES[index] })),
};

export const START = { mass: 4, ears: -4, bias: 0 };

// La probabilité, selon le neurone, que cet animal soit un chien : une somme pondérée, ramenée entre 0 et 1.
// Les mesures sont divisées par dix, pour que les trois réglages aient le même ordre de grandeur.
export const weightedSum = (weights, { mass, ears }) =>
  weights.mass * mass / 10 + weights.ears * ears / 10 + weights.bias;
export const probability = (weights, one) => 1 / (1 + Math.exp(-weightedSum(weights, one)));
export const answer = (weights, one) => (weightedSum(weights, one) > 0 ? DOG : CAT);

// L'erreur moyenne : la surprise du neurone (en nats) quand on lui montre le corrigé. 0 : il en était sûr.
export const averageError = (weights, animals) => animals.reduce((total, one) => {
  const sum = weightedSum(weights, one);
  return total + Math.log1p(Math.exp(-Math.abs(sum))) + Math.max(0, one.species === DOG ? -sum : sum);
}, 0) / animals.length;

export const mistakes = (weights, animals) =>
  animals.filter((one) => answer(weights, one) !== one.species).length;

// Une mise à jour : chaque réglage recule dans la direction qui fait monter l'erreur de ce lot.
const updated = (weights, batch, learningRate) => {
  const slope = { mass: 0, ears: 0, bias: 0 };
  for (const one of batch) {
    const excess = (probability(weights, one) - one.species) / batch.length;
    slope.mass += excess * one.mass / 10;
    slope.ears += excess * one.ears / 10;
    slope.bias += excess;
  }
  return {
    mass: weights.mass - learningRate * slope.mass,
    ears: weights.ears - learningRate * slope.ears,
    bias: weights.bias - learningRate * slope.bias,
  };
};

// Donne les réglages après chaque mise à jour. Le même hasard à chaque essai, pour pouvoir comparer.
export function* train(weights, animals, { epochs, batchSize, learningRate }) {
  const random = seededRandom(42);
  for (let epoch = 1; epoch <= epochs; epoch += 1) {
    const order = shuffled(animals, random);
    for (let start = 0; start < order.length; start += batchSize) {
      weights = updated(weights, order.slice(start, start + batchSize), learningRate);
      yield { epoch, weights };
    }
  }
}

const shuffled = (items, random) => {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other], result[last]];
  }
  return result;
};

// Un générateur congruentiel (constantes de Numerical Recipes) : bien assez pour mélanger dix-huit animaux.
const seededRandom = (state) => () => {
  state = (1664525 * state + 1013904223) % 4294967296;
  return state / 4294967296;
};
