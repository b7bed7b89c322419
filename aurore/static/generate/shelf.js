/* L'étagère : les textes de la personne, gardés dans son navigateur. Là où il refuse de garder
   (navigation privée, place épuisée), la page marche de même et oublie en se fermant. */

const STORIES = "aurore.textes";
const DESK = "aurore.bureau"; // ce qui est tapé et réglé, sans être encore écrit
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

/** Les textes gardés, du plus récent au plus ancien. */
export function stories() {
  const kept = read(everyTab, STORIES);
  return Array.isArray(kept) ? kept.filter((story) => Array.isArray(story?.pieces)) : [];
}

/** Garde `story` en tête ; s'il n'y a plus de place, les plus anciens s'en vont. */
export function keep(story) {
  const kept = [story, ...stories().filter(({ id }) => id !== story.id)].slice(0, MOST);
  while (kept.length && !store(everyTab, STORIES, kept)) {
    kept.pop();
  }
}

/** Oublie le texte `id`. */
export function forget(id) {
  store(everyTab, STORIES, stories().filter((story) => story.id !== id));
}

/** Oublie tout, brouillon compris. */
export function forgetAll() {
  try {
    localStorage.removeItem(STORIES);
    localStorage.removeItem(DESK);
    sessionStorage.removeItem(DESK);
  } catch { /* rien n'était gardé */ }
}

/** Ce qui est tapé et réglé : chaque onglet retrouve le sien, un nouveau commence par celui du dernier fermé. */
export const desk = {
  read: () => read(thisTab, DESK) ?? read(everyTab, DESK) ?? {},
  store(value) {
    store(thisTab, DESK, value);
    store(everyTab, DESK, value);
  },
};
