// Ce qu'eslint demande au JavaScript de la page, et à celui de ses tests.
import js from "@eslint/js";
import globals from "globals";

const rules = {
  ...js.configs.recommended.rules,
  "array-callback-return": "error",
  "consistent-return": "error",
  "curly": "error",
  "eqeqeq": "error",
  "no-else-return": "error",
  "no-implicit-globals": "error",
  "no-shadow": "error",
  "no-throw-literal": "error",
  "no-use-before-define": ["error", { functions: false, variables: false }],
  "no-useless-return": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-arrow-callback": "error",
  "prefer-const": "error",
  "prefer-template": "error",
  // Le HTML s'écrit dans les gabarits, qui l'échappent : jamais depuis un texte.
  "no-restricted-properties": ["error",
    ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({ property })),
    { object: "document", property: "write" }],
};

export default [
  { files: ["aurore/static/**/*.js"], languageOptions: { globals: globals.browser }, rules },
  { files: ["tests/browser/*.mjs"], languageOptions: { globals: globals.node }, rules },
];
