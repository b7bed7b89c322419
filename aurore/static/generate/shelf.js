/* L'étagère : les textes de la personne, gardés dans son navigateur. Là où il refuse de garder
   (navigation privée, place épuisée), la page marche de même et oublie en se fermant. */

const STORY = "aurore.texte."; // suivi du nom du texte : deux onglets n'écrivent jamais au même endroit
const FORMER = "aurore.textes"; // tous ensemble, jusqu'en novembre 2026
const DESK = "aurore.bureau"; // ce qui est tapé et réglé, sans être encore écrit
const OPENED = "aurore.ouvert"; // le texte que montre cet onglet
const MOST = 20; // textes : avec leurs candidats, quelques dizaines de kilooctets chacun

// Le navigateur peut refuser jusqu'au nom de ses réserves.
const everyTab = () => localStorage;
const thisTab = () => sessionStorage;

function read(storage, key) {
  try {
    return JSON.parse(storage().getItem(key));
  } catch {
    return null;
  }
}

function store(storage, key, value) {
  try {
    storage().setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

function remove(storage, ...names) {
  try {
    names.forEach((name) => storage().removeItem(name));
  } catch { /* rien n'était gardé */ }
}

function keys() {
  try {
    return Object.keys(everyTab()).filter((key) => key.startsWith(STORY));
  } catch {
    return [];
  }
}

const isAStory = (story) => Array.isArray(story?.pieces) && typeof story.opening === "string";

/** Range à leur nouvelle place les textes d'une page d'avant. */
function move() {
  const former = read(everyTab, FORMER);
  remove(everyTab, FORMER);
  (Array.isArray(former) ? former : []).filter(isAStory).forEach((story, at) => {
    store(everyTab, STORY + story.id, { ...story, kept: -at });
  });
}

/** Les textes gardés, du plus récent au plus ancien. */
export function stories() {
  move();
  return keys().map((key) => read(everyTab, key)).filter(isAStory).sort((one, other) => other.kept - one.kept);
}

/** Garde `story` en tête ; s'il n'y a plus de place, les plus anciens s'en vont. */
export function keep(story) {
  const others = stories().filter(({ id }) => id !== story.id);
  remove(everyTab, ...others.splice(MOST - 1).map(({ id }) => STORY + id));
  while (!store(everyTab, STORY + story.id, { ...story, kept: Date.now() }) && others.length) {
    remove(everyTab, STORY + others.pop().id);
  }
}

/** Oublie le texte `id`. */
export const forget = (id) => remove(everyTab, STORY + id);

/** Oublie tout, brouillon compris. */
export function forgetAll() {
  remove(everyTab, ...keys(), FORMER, DESK);
  remove(thisTab, DESK, OPENED);
}

/** Appelle `changed` quand un autre onglet garde ou oublie un texte. */
export function follow(changed) {
  addEventListener("storage", ({ key }) => (key === null || key.startsWith(STORY)) && changed());
}

/** Ce qui est tapé et réglé : chaque onglet retrouve le sien, un nouveau commence par celui du dernier fermé. */
export const desk = {
  read: () => read(thisTab, DESK) ?? read(everyTab, DESK) ?? {},
  store(value) {
    store(thisTab, DESK, value);
    store(everyTab, DESK, value);
  },
};

/** Le nom du texte ouvert dans cet onglet. */
export const opened = {
  read: () => read(thisTab, OPENED),
  store: (id) => store(thisTab, OPENED, id),
};
