// @ts-check
// What the tests and the pictures share: the program that is looked at, and the
// browser that looks.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

/** @typedef {import("playwright-core").Page} Page */

const here = import.meta.dirname;
/** npm run target builds it. */
const binary = join(here, "build/target");

/** How long anything may take, in milliseconds. It ends what hangs, and decides nothing else. */
export const PATIENCE = Number(process.env.PATIENCE || 180_000);

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();

/** Ends the programs that tests which failed have left. */
export async function stopAll() {
  for (const child of running) child.stdin?.end();
  await Promise.all([...running].map((child) => once(child, "exit")));
}

/**
 * Returns an address that stays free while nobody listens: its port is below those that a
 * system gives to sockets which ask for any.
 * @returns {Promise<string>}
 */
export async function freeAddress() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const free = await new Promise((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (free) return "127.0.0.1:" + port;
  }
}

/**
 * Starts the program.
 * @param {string} metrics what it has @param {string} [listen] where
 */
export async function start(metrics, listen = "127.0.0.1:0") {
  if (!existsSync(binary)) throw new Error("there is no " + binary + ": npm run target builds it");
  const child = spawn(binary, ["-metrics", metrics, "-listen", listen], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = once(child, "exit");
  running.add(child);
  void ended.then(() => running.delete(child));
  const lines = createInterface({ input: child.stdout });
  const url = await Promise.race([once(lines, "line").then(([line]) => String(line)), ended.then(() => { throw new Error("the target ended"); })]);
  return {
    url,
    live: url + "/live/",
    /** @param {string} path */
    async post(path) {
      const answer = await fetch(url + path, { method: "POST", signal: AbortSignal.timeout(PATIENCE) });
      if (!answer.ok) throw new Error(path + ": " + answer.status + " " + await answer.text());
    },
    /** @param {string} [accept] */
    async metrics(accept = "text/plain") {
      return (await fetch(url + "/metrics", { headers: { Accept: accept }, signal: AbortSignal.timeout(PATIENCE) })).text();
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

const chrome = process.env.CHROMIUM || "/usr/bin/chromium";

/** Starts the browser, with a profile of its own. */
export async function launch() {
  if (!existsSync(chrome)) throw new Error("there is no " + chrome + ": apt-get install chromium, or name another in CHROMIUM");
  return chromium.launch({
    executablePath: chrome, timeout: PATIENCE,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--font-render-hinting=none", "--host-resolver-rules=MAP rebound.invalid 127.0.0.1"],
  });
}

/**
 * Opens a page, and notes what should not happen.
 * @param {import("playwright-core").Browser} browser @param {string} url @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function open(browser, url, options) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, reducedMotion: "reduce", colorScheme: "light", permissions: ["clipboard-read", "clipboard-write"], ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.addInitScript(() => { // counts what the page has read and drawn
    const g = /** @type {any} */ (globalThis), json = Response.prototype.json;
    g.read = 0;
    Response.prototype.json = async function () {
      const answer = await json.call(this);
      setTimeout(() => g.read++); // when the page has drawn it
      return answer;
    };
  });
  /** @type {string[]} */
  const wrong = [];
  page.on("console", (m) => { if (m.type() === "error" || m.type() === "warning") wrong.push("console: " + m.text()); });
  page.on("pageerror", (e) => wrong.push("error: " + (e.stack || e)));
  page.on("dialog", (d) => { wrong.push("dialog: " + d.message()); void d.dismiss(); });
  page.on("request", (r) => { if (!r.url().startsWith(new URL("/live/", url).href)) wrong.push("request: " + r.url()); });
  page.on("popup", (p) => wrong.push("popup: " + p.url()));
  await page.goto(url);
  return { page, wrong, close: () => context.close() };
}

/** Waits until the page has read, and drawn, a number of times from now. @param {Page} page @param {number} [times] */
export async function readings(page, times = 1) {
  const before = await page.evaluate(() => /** @type {any} */ (globalThis).read);
  await until(page, (want) => /** @type {any} */ (globalThis).read >= want, before + times);
}

/** Waits until a function of the page returns something true. @param {Page} page @param {string | ((arg: any) => unknown)} what @param {any} [arg] */
export async function until(page, what, arg) {
  await page.waitForFunction(what, arg, { timeout: PATIENCE, polling: 100 });
}
