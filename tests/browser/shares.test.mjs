// Les parts d'attention que donne le serveur, token par token, remises sur les mots imprimés.
import assert from "node:assert/strict";
import { test } from "node:test";

import { areResting, asWords, mean, mostLookedAt, spread } from "../../aurore/static/generate/shares.js";

const tokens = (...texts) => texts.map((texte) => ({ texte }));
const round = (numbers) => numbers.map((number) => Math.round(number * 1000) / 1000);

test("la moyenne des têtes fait encore mille", () => {
  assert.deepEqual(mean([[1000, 0, 0], [0, 400, 600]]), [500, 200, 300]);
  assert.deepEqual(mean([[700, 300]]), [700, 300]);
});

test("les mêmes tokens que les bouts imprimés gardent leurs parts", () => {
  const texts = ["\nLe", " soir,", "\n—\u00a0Viens", "\u202f!"];
  assert.deepEqual(spread(texts, tokens("le", " soir,", " — Viens", "!"), [400, 300, 200, 100]), [400, 300, 200, 100]);
});

test("relus, des tokens coupés autrement se partagent entre les bouts, et rien ne se perd", () => {
  assert.deepEqual(spread(["\nLa", " meun", "ière"], tokens("La", " me", "uni", "ère"), [100, 200, 300, 400]),
    [100, 200 + 200, 100 + 400]);
  assert.deepEqual(round(spread(["\nLa meunière"], tokens("La", " meun", "ière"), [100, 200, 700])), [1000]);
  assert.deepEqual(spread(["\nIl s’en…", " va"], tokens("Il", " s'", "en", "...", " va"), [1, 2, 3, 4, 990]), [10, 990]);
});

test("un token qui n'écrit rien compte avec le suivant, ou le dernier", () => {
  assert.deepEqual(spread(["\nCœur", " fier"], tokens("C", "", "œur", " fier", "\n"), [100, 200, 300, 250, 150]), [600, 400]);
});

test("ce qui est trop loin pour être détaillé se partage entre ses mots", () => {
  const shares = spread(["\nIl était", " une", " fois"], tokens("Il était une", " fois"), [400, 600]);
  assert.equal(Math.round(shares[0] + shares[1]), 400);
  assert.equal(shares[2], 600);
});

test("les tokens d'un mot s'ajoutent ; la ponctuation, une ligne neuve n'en sont pas", () => {
  const words = asWords(["\nLa", " meun", "ière", ".", "\nIl", " s’", "assit", "-t", " 18", "30"], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(words.map(({ text, share }) => [text.trim(), share]),
    [["La", 1], ["meunière", 5], [".", 4], ["Il", 5], ["s’", 6], ["assit", 7], ["-t", 8], ["1830", 19]]);
  assert.deepEqual(words[1].places, [1, 2]);
});

test("les plus regardés d'abord, un mot qui revient une fois pour toutes", () => {
  const words = asWords(["\nEt", " la", " nuit", ".", " et", " la", " lune", "."], [100, 50, 300, 200, 50, 100, 150, 50]);
  assert.deepEqual(mostLookedAt(words, 3).map(({ text, share, times }) => [text, share, times]),
    [["nuit", 300, 1], [".", 250, 2], ["Et", 150, 2]]);
});

test("une tête se repose sur un point, une virgule, ou le premier mot", () => {
  const resting = (...shares) => areResting(asWords(["\nLa", " nuit", ".", " Il"], shares));
  assert.ok(resting(300, 700, 0, 0) && resting(0, 700, 300, 0) && resting(150, 0, 150, 700));
  assert.ok(!resting(100, 500, 100, 300));
});
