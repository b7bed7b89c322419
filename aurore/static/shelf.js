/* L'étagère : les textes de la personne, gardés dans son navigateur. Là où il refuse de garder
   (navigation privée, place épuisée), la page marche de même et oublie en se fermant. */

const STORIES = "aurore.textes";
const DESK = "aurore.bureau"; // ce qui est tapé et réglé, sans être encore écrit
const MOST = 20; // textes : avec leurs candidats, quelques dizaines de kilooctets chacun

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function store(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** Les textes gardés, du plus récent au plus ancien. */
export function stories() {
  const kept = read(STORIES);
  return Array.isArray(kept) ? kept.filter((story) => Array.isArray(story?.pieces)) : [];
}

/** Garde `story` en tête ; s'il n'y a plus de place, les plus anciens s'en vont. */
export function keep(story) {
  const kept = [story, ...stories().filter(({ id }) => id !== story.id)].slice(0, MOST);
  while (kept.length && !store(STORIES, kept)) {
    kept.pop();
  }
}

/** Oublie le texte `id`. */
export function forget(id) {
  store(STORIES, stories().filter((story) => story.id !== id));
}

/** Oublie tout, brouillon compris. */
export function forgetAll() {
  try {
    localStorage.removeItem(STORIES);
    localStorage.removeItem(DESK);
  } catch { /* rien n'était gardé */ }
}

export const desk = { read: () => read(DESK) ?? {}, store: (value) => store(DESK, value) };
