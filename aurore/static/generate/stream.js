/* Demander une suite au serveur, et la lire pendant qu'elle s'écrit. */

const LOCKED = "Cette salle redemande son code : rechargez la page pour le donner. "
  + "Vos textes sont gardés dans ce navigateur.";
const SILENCE = 4500; // millisecondes sans rien recevoir : cela se dit
const SILENCE_IN_LINE = 9000; // à qui attend, le serveur redit sa place toutes les cinq secondes

/** Un refus du serveur ; `message` est la phrase qu'il a donnée, `after` les secondes au bout desquelles revenir. */
export class Refused extends Error {
  constructor(message, after = null) {
    super(message);
    this.after = after;
  }
}

/** Envoie `body`, en JSON ou, si c'est un texte, tel quel, à `address` ; renvoie la réponse, lève Refused si le serveur refuse. */
async function post(address, body, signal) {
  const response = await fetch(address, typeof body === "string" ? { method: "POST", body, signal } : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });
  if (response.status === 401) { // le serveur a redémarré : il ne reconnaît plus personne
    throw new Refused(LOCKED);
  }
  if (!response.ok) {
    const { message } = await response.json().catch(() => ({}));
    const after = [429, 503].includes(response.status) && Number(response.headers.get("Retry-After"));
    throw new Refused(message ?? `Le serveur a répondu par l’erreur ${response.status}. Réessayez dans un moment.`,
      after || null);
  }
  return response;
}

/** Ce qu'un réseau pense d'un texte. */
export const look = async (address, body, signal) => (await post(address, body, signal)).json();

/** Le dessin, en SVG, du code QR d'une adresse. */
export const drawQr = async (address, shared) => (await post(address, shared)).text();

/** Les événements que l'API (à `address`) répond à la demande `body`, un par un : {event, data}. Lève Refused si le
    serveur refuse, une autre erreur si la connexion se perd ; `signal` l'interrompt, et le serveur cesse d'écrire.
    `quiet` est appelé quand rien n'est venu depuis quelques secondes. */
export async function* ask(address, body, signal, quiet = () => {}) {
  let timer;
  const listen = (patience) => {
    clearTimeout(timer);
    timer = setTimeout(quiet, patience);
  };
  let open = body.suites ?? 1; // les suites qui s'écrivent encore
  try {
    listen(SILENCE);
    const response = await post(address, { ...body, stream: true }, signal);
    for await (const happening of events(response.body, () => listen(SILENCE))) {
      if (happening.event === "place") {
        listen(SILENCE_IN_LINE);
      }
      if (happening.event === "erreur") {
        throw new Refused(happening.data.message);
      }
      open -= happening.event === "fin" ? 1 : 0;
      yield happening;
    }
  } finally {
    clearTimeout(timer);
  }
  if (open > 0) {
    throw new Error("La réponse s'est interrompue avant l'événement « fin ».");
  }
}

/** Le format text/event-stream : des blocs séparés par une ligne vide, de lignes « nom: valeur ».
    `heard` est appelé à chaque envoi, même d'un commentaire, qui dit seulement que le serveur est là. */
async function* events(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    heard();
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
