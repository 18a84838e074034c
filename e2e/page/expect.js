// @ts-check
// What the tests compare: the target's own page, and what the browser shows of it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { PATIENCE } from "./browser.js";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").Locator} Locator */

/**
 * Reads a page of metrics in the text format: values by series, as they are written.
 * @param {string} text
 * @returns {Map<string, string>}
 */
export function parse(text) {
  const all = new Map();
  for (const line of text.split("\n")) {
    const m = /^([^#].*) (\S+)$/.exec(line);
    if (m) all.set(m[1], m[2]);
  }
  return all;
}

/** A number as both write it. @param {string | undefined} v */
export const number = (v) => (v === "+Inf" ? Infinity : v === "-Inf" ? -Infinity : v === "Infinity" ? Infinity : v === "-Infinity" ? -Infinity : Number(v));

/** The panel of a family. @param {Page} page @param {string} name */
export const panel = (page, name) => page.locator("section.panel").filter({ has: page.getByRole("heading", { name, exact: true }) });

/**
 * Reads the table under a chart: the cells of each row by the first, numbers whole.
 * @param {Locator} of @param {string} [region]
 * @returns {Promise<Map<string, string[]>>}
 */
export async function legend(of, region = ".legend") {
  const rows = await of.locator(region + " tbody tr").evaluateAll((all) => all.map((tr) => [...tr.children].map((td) => /** @type {HTMLElement} */ (td).dataset.exact ?? td.textContent ?? "")));
  return new Map(rows.map(([name, ...rest]) => [name, rest]));
}

/** Copies a panel's CSV, and reads it: columns by name. @param {Page} page @param {Locator} of */
export async function csv(page, of) {
  if (!(await of.locator("details").evaluate((d) => /** @type {HTMLDetailsElement} */ (d).open))) await of.locator("summary").click();
  await page.evaluate(() => navigator.clipboard.writeText(""));
  await of.getByRole("button", { name: "Copy CSV" }).click();
  const text = await eventually("the CSV", () => page.evaluate(() => navigator.clipboard.readText()), (t) => t !== "");
  const [heads, ...rows] = text.trimEnd().split("\r\n").map((line) => [...line.matchAll(/"((?:[^"]|"")*)"/g)].map((m) => m[1].replaceAll('""', '"')));
  return new Map(heads.map((h, i) => [h, rows.map((r) => r[i])]));
}

/**
 * Repeats a question until its answer will do.
 * @template T
 * @param {string} what @param {() => Promise<T>} ask @param {(answer: T) => boolean} will
 * @returns {Promise<T>}
 */
export async function eventually(what, ask, will) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (will(answer)) return answer;
    if (Date.now() > end) assert.fail("gave up waiting for " + what + ": " + JSON.stringify(answer instanceof Map ? [...answer] : answer, null, 1)?.slice(0, 2000));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const axe = readFileSync(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** Looks for what keeps people from using the page. @param {Page} page @param {string} what */
export async function accessible(page, what) {
  // The page's policy allows no scripts but its own, so that axe goes in by the debugger.
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe });
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
    expression: "axe.run(document, { resultTypes: ['violations'] }).then((r) => JSON.stringify(r.violations.map((v) => [v.id, v.help, v.nodes.map((n) => n.target.join(' ') + ': ' + n.failureSummary)])))",
    awaitPromise: true, returnByValue: true,
  });
  await session.detach();
  assert.ok(!exceptionDetails, JSON.stringify(exceptionDetails));
  assert.deepEqual(JSON.parse(result.value), [], what);
}
