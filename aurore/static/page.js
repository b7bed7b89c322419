/* Ce que partagent les pages. */

/** L'élément d'identifiant `id`. */
export const part = (id) => document.getElementById(id);
