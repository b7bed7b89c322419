/* Annuler, rétablir : les états d'un texte, l'un après l'autre. Un état est un texte entier, ou rien. */

const MOST = 100;

export class History {
  #past = [];
  #future = [];

  /** Retient `state`, que l'on quitte pour un nouveau. */
  leave(state) {
    this.#past = [...this.#past, state].slice(-MOST);
    this.#future = [];
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** Renvoie l'état d'avant `current`. */
  undo(current) {
    this.#future.push(current);
    return this.#past.pop();
  }

  /** Renvoie l'état que l'on avait quitté pour `current` en annulant. */
  redo(current) {
    this.#past.push(current);
    return this.#future.pop();
  }
}
