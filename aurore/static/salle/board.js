// Le tableau de la salle se recharge seul, sans perdre ni la place où l'on lit, ni le focus.

const EVERY = 3000; // millisecondes
const table = document.getElementById("table");
const lost = document.getElementById("lost");

async function refresh() {
  try {
    const answer = await fetch(table.dataset.source);
    if (answer.status === 401) {
      window.location.reload(); // le serveur a été relancé : il redemande son code
      return;
    }
    if (!answer.ok) {
      throw new Error(answer.statusText);
    }
    const fresh = table.cloneNode(false);
    fresh.append(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
    fresh.normalize();
    if (!fresh.isEqualNode(table)) {
      table.replaceChildren(...fresh.childNodes);
    }
    lost.textContent = "";
  } catch {
    lost.textContent = "La page ne répond plus : ce qui suit n’est peut-être plus vrai.";
  }
  window.setTimeout(refresh, EVERY);
}

window.setTimeout(refresh, EVERY);
