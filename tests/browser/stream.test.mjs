// Lire la réponse du serveur, où que le réseau la coupe, et reconnaître chacune de ses fins.
import assert from "node:assert/strict";
import test from "node:test";

import { ask, Refused } from "../../aurore/static/generate/stream.js";

const event = (name, data) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const TOKENS = ["L’été", " «", " œuvre\n"].map((texte) => event("token", { texte }));
const END = event("fin", { fin: "phrase" });

/** Une réponse dont le corps arrive par morceaux de `size` octets. */
function answer(text, size, status = 200) {
  const bytes = new TextEncoder().encode(text);
  return new Response(new ReadableStream({
    start(controller) {
      for (let place = 0; place < bytes.length; place += size) {
        controller.enqueue(bytes.slice(place, place + size));
      }
      controller.close();
    },
  }), { status });
}

/** Tout ce que `ask` donne d'une telle réponse. */
async function read(response) {
  globalThis.fetch = async (address, options) => {
    assert.equal(address, "/ici");
    assert.equal(JSON.parse(options.body).stream, true);
    return response;
  };
  const happenings = [];
  for await (const happening of ask("/ici", { amorce: "Le soir" })) {
    happenings.push(happening);
  }
  return happenings;
}

for (const size of [1, 2, 3, 7, 1000]) {
  test(`les événements sont les mêmes par morceaux de ${size} octets`, async () => {
    for (const text of [TOKENS.join("") + END, (TOKENS.join("") + END).replaceAll("\n\n", "\r\n\r\n")]) {
      const happenings = await read(answer(text, size));
      assert.deepEqual(happenings.map((happening) => happening.event), ["token", "token", "token", "fin"]);
      assert.equal(happenings.slice(0, 3).map(({ data }) => data.texte).join(""), "L’été « œuvre\n");
    }
  });
}

test("un commentaire du serveur, qui dit seulement qu'il est là, n'est pas un événement", async () => {
  const happenings = await read(answer(`: là\n\n${TOKENS[0]}: là\n\n${END}`, 5));
  assert.deepEqual(happenings.map((happening) => happening.event), ["token", "fin"]);
});

test("une réponse coupée avant sa fin est une erreur, et non un refus", async () => {
  await assert.rejects(read(answer(TOKENS.join(""), 4)), (error) => !(error instanceof Refused));
});

test("la phrase d'un refus est celle du serveur", async () => {
  await assert.rejects(read(answer(JSON.stringify({ message: "La salle est pleine." }), 9, 503)),
    (error) => error instanceof Refused && error.message === "La salle est pleine.");
  await assert.rejects(read(answer(TOKENS[0] + event("erreur", { message: "Le réseau s’est tu." }), 9)),
    (error) => error instanceof Refused && error.message === "Le réseau s’est tu.");
});

test("une réponse qui n'est pas de notre serveur a quand même sa phrase", async () => {
  await assert.rejects(read(answer("<h1>Bad gateway</h1>", 9, 502)),
    (error) => error instanceof Refused && error.message.includes("502"));
  await assert.rejects(read(answer("", 9, 401)),
    (error) => error instanceof Refused && error.message.includes("code"));
});
