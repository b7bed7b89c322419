/* Les nombres et les dates comme le français les écrit : un seul endroit pour toutes les pages.
   `workshop/narration.py` fait de même pour Python et les gabarits. */

const ROUNDED = new Intl.NumberFormat("fr", { style: "percent", maximumSignificantDigits: 2 });
const LEAST = 0.001; // une chance plus petite n'est pas écrite

/** Un nombre à `digits` décimales, ni plus ni moins : 1,047. */
export const decimal = (number, digits = 2) => number.toLocaleString(
  "fr", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");

/** Un nombre, sans les zéros qui le finiraient : 0,8. */
export const short = (number, digits = 3) => Number(number).toLocaleString("fr", { maximumFractionDigits: digits });

/** Une chance, en pour cent : 21 %. */
export const percent = (p) => (p < LEAST ? `<\u00a0${ROUNDED.format(LEAST)}` : ROUNDED.format(p));

/** Une date : 27 novembre 2026. */
export const day = (when) => when.toLocaleDateString("fr", { day: "numeric", month: "long", year: "numeric" });

/** Une date et une heure venues du serveur, dont l'heure ne va pas à la ligne. */
export const moment = (written) => written.replaceAll(" h ", "\u00a0h\u00a0");
