// Ce que la page calcule sans navigateur : le tirage refait, l'alignement, les modifications, l'adresse d'un texte.
import assert from "node:assert/strict";
import { test } from "node:test";

import { align } from "../../aurore/static/generate/align.js";
import { doubt, drawn, entropy } from "../../aurore/static/generate/draw.js";
import { edited } from "../../aurore/static/generate/edit.js";
import { History } from "../../aurore/static/generate/history.js";
import { addressOf, readAddress } from "../../aurore/static/generate/share.js";
import { colophon, newStory, plainText, raw, words } from "../../aurore/static/generate/story.js";
import { asMarkdown } from "../../aurore/static/generate/take.js";
import { firstWords } from "../../aurore/static/compare/words.js";

const CANDIDATES = [{ texte: " a", p: 0.4 }, { texte: " b", p: 0.2 }, { texte: " c", p: 0.1 }, { texte: " d", p: 0.1 }];
const round = (numbers) => numbers.map((number) => Math.round(1000 * number) / 1000);
const chances = (settings) => round(drawn(CANDIDATES, { audace: 1, top_k: 50, top_p: 1, ...settings }).map(({ p }) => p));

const STORY = newStory("le soir,", [" la", " meun", "ière", " s'", "assit", ".", " —", " Viens", "!", " dit", "-elle", "."]
  .map((texte) => ({ texte, p: 0.5, candidats: [], hesitation: 1 })));
const NETWORK = { id: "aurore", nom: "aurore", date: "le 27 novembre 2026 à 2 h 05", note: 1.047 };
const SETTINGS = { longueur: "court", audace: 0.8, top_k: 50, top_p: 1, graine: 123456 };

test("l'audace, top-k et top-p refont le tirage du serveur", () => {
  assert.deepEqual(chances(), [0.5, 0.25, 0.125, 0.125]);
  assert.deepEqual(chances({ audace: 0.5 }), [0.727, 0.182, 0.045, 0.045]);
  assert.deepEqual(chances({ top_k: 2 }), [0.667, 0.333]);
  assert.deepEqual(chances({ top_p: 0.6 }), [0.667, 0.333]);
  assert.deepEqual(chances({ top_p: 0.05 }), [1]);
});

test("l'hésitation se compte en bits, et se voit", () => {
  assert.equal(entropy([1]), 0);
  assert.equal(entropy([0.25, 0.25, 0.25, 0.25]), 2);
  assert.deepEqual([0, 2.5, 5, 12].map(doubt), [0, 0.5, 1, 1]);
});

test("chaque signe imprimé est à son morceau, la ponctuation et les espaces comprises", () => {
  const cut = words(STORY).map((runs) => runs.map(({ text }) => text));
  assert.deepEqual(cut, [["Le soir,", " la", " meun", "ière", " s’", "assit", "."],
    ["—", "\u00a0Viens", "\u202f!", " dit", "-elle", "."]]);
  assert.equal(cut.map((runs) => runs.join("")).join("\n"), plainText(STORY));
});

test("des points, une majuscule, des signes ajoutés ou perdus n'égarent pas l'alignement", () => {
  const owners = (lines, pieces) => align(lines, pieces.map((texte) => ({ texte })))
    .map((runs) => runs.map(({ text, owner }) => [text, owner]));
  assert.deepEqual(owners(["Ah… Oui"], ["ah", "...", " oui"]), [[["Ah", 0], ["…", 1], [" Oui", 2]]]);
  assert.deepEqual(owners(["Il vint…"], ["Il", " vint", " au"]), [[["Il", 0], [" vint…", 1]]]);
  assert.deepEqual(owners(["un deux"], ["un\u200b", " deux"]), [[["un", 0], [" deux", 1]]]);
});

test("une modification garde ce qui n'a pas changé, et ce que le réseau en pensait", () => {
  const changed = edited(STORY, plainText(STORY).replace("Viens", "Venez donc"), 500);
  assert.equal(plainText(changed), plainText(STORY).replace("Viens", "Venez donc"));
  assert.equal(changed.opening, STORY.opening);
  assert.deepEqual(changed.pieces.slice(0, 7), STORY.pieces.slice(0, 7));
  assert.deepEqual(changed.pieces.filter(({ mine }) => mine).map(({ texte }) => texte.trim()), ["Venez donc"]);
  assert.equal(changed.pieces.at(-1).candidats, undefined); // il pensait à autre chose
  assert.equal(STORY.pieces.length, 12);
});

test("l'amorce aussi se modifie, et garde sa longueur", () => {
  const changed = edited(STORY, plainText(STORY).replace("soir", "matin"), 500);
  assert.equal(changed.opening, "Le matin,");
  assert.equal(raw(changed), raw(STORY));
  const long = edited(STORY, plainText(STORY).replace("soir", "soir ".repeat(10).trim()), 20);
  assert.ok(long.opening.length <= 20);
  assert.equal(plainText(long), plainText(STORY).replace("soir", "soir ".repeat(10).trim()));
});

test("couper au curseur, ajouter à la fin, tout effacer", () => {
  assert.equal(plainText(edited(STORY, "Le soir, la meun", 500)), "Le soir, la meun");
  const longer = edited(STORY, `${plainText(STORY)} Il vint.`, 500);
  assert.equal(plainText(longer), `${plainText(STORY)} Il vint.`);
  assert.deepEqual(longer.pieces.slice(0, 12), STORY.pieces);
  assert.equal(edited(STORY, "", 500).opening, "");
  assert.equal(edited(STORY, plainText(STORY), 500), STORY);
});

test("annuler et rétablir", () => {
  const past = new History();
  past.leave("a");
  past.leave("b");
  assert.equal(past.undo("c"), "b");
  assert.equal(past.undo("b"), "a");
  assert.equal(past.canUndo, false);
  assert.equal(past.redo("a"), "b");
  past.leave("b");
  assert.equal(past.canRedo, false);
});

test("l'adresse d'un texte le redonne", () => {
  const story = { ...STORY, opening: "L'été & l'hiver #2", start: 2, network: NETWORK, settings: SETTINGS };
  const address = new URL(addressOf("http://127.0.0.1:8080/generate", story));
  assert.equal(address.search, "");
  assert.deepEqual(readAddress(address.hash),
    { amorce: "L'été & l'hiver #2", suite: " la meun", reseau: "aurore", ...SETTINGS });
  assert.deepEqual(readAddress("#answer"), {});
  assert.deepEqual(readAddress("#amorce=Le+soir&suites=3&__proto__=a"), { amorce: "Le soir" });
});

test("le texte emporté dit d'où il vient, et ne devient pas une mise en forme", () => {
  assert.equal(colophon({ network: NETWORK, settings: SETTINGS }), "Écrit par aurore, le 27 novembre 2026 à 2\u00a0h\u00a005 "
    + "– note 1,047\u202f; longueur court, audace 0,8, top-k 50, top-p 1, graine 123456.");
  const markdown = asMarkdown(newStory("1. *Elle* #1"), new Date(2026, 10, 27));
  assert.ok(markdown.startsWith("1\\. \\*Elle\\* \\#1\n\n---\n\n*Le 27 novembre 2026."));
});

test("le tableau du premier mot dit ce que chacun attendait", () => {
  const rows = firstWords([CANDIDATES, [{ texte: " b", p: 0.6 }, { texte: " z", p: 0.3 }, { texte: "\n", p: 0.1 }]]);
  assert.deepEqual(rows.slice(0, 3), [{ word: " b", chances: [0.2, 0.6] }, { word: " a", chances: [0.4, null] },
    { word: " z", chances: [null, 0.3] }]);
  assert.equal(rows.length, 5);
});
