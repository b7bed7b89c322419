/* Demander une suite au serveur, et la lire pendant qu'elle s'écrit. */

/** Un refus du serveur ; `message` est la phrase qu'il a donnée. */
export class Refused extends Error {}

const LOCKED = "Cette salle redemande son code : rechargez la page pour le donner. "
  + "Vos textes sont gardés dans ce navigateur.";

/** Les événements que l'API (à `address`) répond à la demande `body`, un par un : {event, data}. Lève Refused si le
    serveur refuse, une autre erreur si la connexion se perd ; `signal` l'interrompt, et le serveur cesse d'écrire. */
export async function* ask(address, body, signal) {
  const response = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...body, stream: true }),
    signal,
  });
  if (response.status === 401) { // le serveur a redémarré : il ne reconnaît plus personne
    throw new Refused(LOCKED);
  }
  if (!response.ok) {
    const { message } = await response.json().catch(() => ({}));
    throw new Refused(message ?? `Le serveur a répondu par l’erreur ${response.status}. Réessayez dans un moment.`);
  }
  let ended = false;
  for await (const happening of events(response.body)) {
    if (happening.event === "erreur") {
      throw new Refused(happening.data.message);
    }
    ended = happening.event === "fin";
    yield happening;
  }
  if (!ended) {
    throw new Error("La réponse s'est interrompue avant l'événement « fin ».");
  }
}

/** Le format text/event-stream : des blocs séparés par une ligne vide, de lignes « nom: valeur ». */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    const blocks = (pending + value).replaceAll("\r\n", "\n").split("\n\n");
    pending = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
      if (fields.data) {
        yield { event: fields.event, data: JSON.parse(fields.data) };
      }
    }
  }
}
