// L'étagère, sur des réserves qui se remplissent et qui se ferment comme celles d'un navigateur.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { desk, forget, forgetAll, keep, opened, stories } from "../../aurore/static/generate/shelf.js";

/** Une réserve de `most` signes : comme celle d'un navigateur, ses noms sont ses propriétés. */
class Reserve {
  constructor(most = Infinity) {
    Object.defineProperty(this, "most", { value: most });
  }

  getItem(key) {
    return this[key] ?? null;
  }

  setItem(key, value) {
    const others = Object.entries(this).filter(([name]) => name !== key);
    if ([...others, [key, value]].flat().join("").length > this.most) {
      throw new Error("QuotaExceededError");
    }
    this[key] = value;
  }

  removeItem(key) {
    delete this[key];
  }
}

const text = (id) => ({ id, opening: `Le texte ${id},`, pieces: [{ texte: " fini." }] });
const shown = () => stories().map(({ id }) => id);
let now;

beforeEach(() => {
  globalThis.localStorage = new Reserve();
  globalThis.sessionStorage = new Reserve();
  now = 0;
  Date.now = () => now += 1;
});

test("le dernier gardé vient en tête, et un texte n'est gardé qu'une fois", () => {
  ["a", "b", "c"].map(text).forEach(keep);
  assert.deepEqual(shown(), ["c", "b", "a"]);
  keep({ ...text("a"), opening: "Récrit," });
  assert.deepEqual(shown(), ["a", "c", "b"]);
  assert.equal(stories()[0].opening, "Récrit,");
  forget("c");
  assert.deepEqual(shown(), ["a", "b"]);
});

test("au-delà de vingt textes, les plus anciens s'en vont", () => {
  Array.from({ length: 23 }, (_, number) => text(number)).forEach(keep);
  assert.equal(shown().length, 20);
  assert.deepEqual([shown()[0], shown().at(-1)], [22, 3]);
});

test("quand la place manque, le nouveau chasse les plus anciens, et eux seuls", () => {
  globalThis.localStorage = new Reserve(400);
  ["a", "b", "c", "d", "e", "f"].map(text).forEach(keep);
  assert.equal(shown()[0], "f");
  assert.ok(shown().length > 1 && shown().length < 6);
  assert.deepEqual(shown(), ["f", "e", "d", "c", "b", "a"].slice(0, shown().length));
});

test("un navigateur qui refuse de garder n'arrête pas la page", () => {
  for (const refusing of [new Reserve(0), undefined]) {
    globalThis.localStorage = globalThis.sessionStorage = refusing;
    keep(text("a"));
    desk.store({ amorce: "Le soir," });
    opened.store("a");
    forgetAll();
    assert.deepEqual([shown(), desk.read(), opened.read()], [[], {}, null]);
  }
});

test("ce qui n'est pas un texte ne se montre pas", () => {
  keep(text("a"));
  localStorage["aurore.texte.b"] = "{ pas du JSON";
  localStorage["aurore.texte.c"] = JSON.stringify({ id: "c", pieces: "?" });
  localStorage["une.autre.page"] = JSON.stringify(text("d"));
  assert.deepEqual(shown(), ["a"]);
});

test("les textes d'une page d'avant sont rangés derrière les nouveaux, dans leur ordre", () => {
  localStorage["aurore.textes"] = JSON.stringify([text("récent"), text("ancien"), { id: "abîmé" }]);
  keep(text("a"));
  assert.deepEqual(shown(), ["a", "récent", "ancien"]);
  assert.equal(localStorage["aurore.textes"], undefined);
});

test("chaque onglet a son brouillon ; un nouveau commence par le dernier", () => {
  desk.store({ amorce: "Un," });
  const first = sessionStorage;
  globalThis.sessionStorage = new Reserve();
  assert.deepEqual(desk.read(), { amorce: "Un," });
  desk.store({ amorce: "Deux," });
  globalThis.sessionStorage = first;
  assert.deepEqual(desk.read(), { amorce: "Un," });
});

test("tout oublier ne laisse rien de la personne", () => {
  keep(text("a"));
  desk.store({ amorce: "Le soir," });
  opened.store("a");
  localStorage["une.autre.page"] = "1";
  forgetAll();
  assert.deepEqual([Object.keys(localStorage), Object.keys(sessionStorage)], [["une.autre.page"], []]);
});
