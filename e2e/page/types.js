// Checks the types of the page's scripts, which JSDoc gives, and of the tests. The
// scripts are copied beside the types of the libraries, which have none inside; a library
// that tests run is copied as well.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const from = join(here, "../../live/page");
const to = join(here, "build/page");
rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });
const scripts = readdirSync(from).filter((name) => name.endsWith(".js") && name !== "uplot.js" && name !== "re2js.js");
for (const name of scripts) cpSync(join(from, name), join(to, name));
cpSync(join(here, "node_modules/uplot/dist/uPlot.d.ts"), join(to, "uplot.d.ts"));
cpSync(join(here, "node_modules/re2js/build/index.d.ts"), join(to, "re2js.d.ts"));
cpSync(join(from, "re2js.js"), join(to, "re2js.js"));
try {
  execFileSync(process.execPath, [join(here, "node_modules/typescript/bin/tsc"), "--project", here], { stdio: "inherit" });
} catch {
  process.exit(1); // tsc has said why; build/page stands for live/page
}
console.log(scripts.length + " scripts of the page have right types");
