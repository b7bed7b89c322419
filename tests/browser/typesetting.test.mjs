// La typographie que la page pose pendant que le texte s'écrit : les mêmes exemples que pour Python.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { capitalised, endsASentence, link, typeset } from "../../aurore/static/generate/typesetting.js";

const SAMPLES = JSON.parse(readFileSync(new URL("../typesetting_samples.json", import.meta.url), "utf-8"));

for (const { raw, paragraphs } of SAMPLES) {
  test(`composer ${JSON.stringify(raw.slice(0, 30))}`, () => assert.deepEqual(typeset(raw), paragraphs));
}

test("une amorce reçoit sa majuscule, même derrière un guillemet", () => {
  assert.deepEqual(capitalised(typeset("« où vas-tu ?")), ["«\u00a0Où vas-tu\u202f?"]);
  assert.deepEqual(capitalised([]), []);
});

test("ce qui suit un point commence une phrase, ce qui suit une virgule non", () => {
  assert.ok(["Elle partit.", "Quoi ?", "Adieu ! »", "Enfin…"].every(endsASentence));
  assert.ok(!["Elle partit,", "Le soir", "« Adieu"].some(endsASentence));
});

test("l'amorce et sa suite : une espace, rien, ou une autre ligne devant une réplique", () => {
  assert.equal(link(" la mer", "la mer"), " ");
  assert.equal(link("e la mer", "e la mer"), "");
  assert.equal(link("\u202f? dit-il", "\u202f? dit-il"), "");
  assert.equal(link(" — Non", "—\u00a0Non"), "\n");
});
