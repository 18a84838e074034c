// Checks the types of the page's scripts, which JSDoc gives, and of the tests. The
// scripts are copied beside uPlot's own types, because uPlot itself has none inside.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const from = join(here, "../../live/page");
const to = join(here, "build/page");
rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });
const scripts = readdirSync(from).filter((name) => name.endsWith(".js") && name !== "uplot.js");
for (const name of scripts) cpSync(join(from, name), join(to, name));
cpSync(join(here, "node_modules/uplot/dist/uPlot.d.ts"), join(to, "uplot.d.ts"));
try {
  execFileSync(process.execPath, [join(here, "node_modules/typescript/bin/tsc"), "--project", here], { stdio: "inherit" });
} catch {
  process.exit(1); // tsc has said why; build/page stands for live/page
}
console.log(scripts.length + " scripts of the page have right types");
