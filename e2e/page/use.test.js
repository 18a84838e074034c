// @ts-check
// How people use the page of package live: colours, phones, keyboards, screen readers,
// targets of many series, and targets whose texts are hostile.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { launch, open, readings, start, stopAll, until } from "./browser.js";
import { accessible, eventually, legend, panel } from "./expect.js";

/** @typedef {import("playwright-core").Page} Page */
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof start>>} */
let types;

before(async () => {
  mkdirSync(new URL("./screenshots/", import.meta.url), { recursive: true });
  types = await start("types");
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await stopAll();
});

/** @param {Page} page @param {string} name */
const picture = (page, name) => page.screenshot({ path: new URL("./screenshots/" + name + ".png", import.meta.url).pathname });

const every = "#" + new URLSearchParams(["http_requests", "queue_depth", "request_duration_seconds", "response_size_bytes", "worker_state", "build"].map((n) => ["pin", n]));

for (const scheme of /** @type {const} */ (["light", "dark"])) {
  test("colours: " + scheme, async () => {
    const { page, wrong, close } = await open(browser, types.live + every, { colorScheme: scheme });
    await readings(page, 3);
    for (const details of await page.locator("details").all()) await details.locator("summary").click();
    await readings(page);
    const luminance = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g)?.map(Number).reduce((a, b) => a + b, 0) ?? -1);
    const back = await luminance();
    assert.ok(scheme === "dark" ? back < 150 : back > 600, scheme + ": " + back);
    await accessible(page, scheme);
    await picture(page, "charts-" + scheme);
    await page.getByRole("button", { name: "Colours: system" }).click();
    await page.getByRole("button", { name: "Colours: light" }).click();
    assert.ok((await luminance()) < 150);
    await page.reload(); // the browser remembers them
    await page.getByRole("button", { name: "Colours: dark" }).waitFor();
    await accessible(page, scheme + ", set to dark");
    assert.deepEqual(wrong, []);
    await close();
  });
}

test("a phone", async () => {
  const { page, wrong, close } = await open(browser, types.live + every, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
  await readings(page, 2);
  for (const view of ["Charts", "Cardinality", "Target"]) {
    await page.getByRole("button", { name: view, exact: true }).tap();
    await readings(page, 2);
    const [is, may] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(is <= may, view + ": " + is + " pixels wide, of " + may);
    await accessible(page, "phone, " + view);
    await picture(page, "phone-" + view.toLowerCase());
  }
  await page.getByRole("button", { name: "Charts", exact: true }).tap();
  await panel(page, "http_requests").scrollIntoViewIfNeeded();
  await picture(page, "phone-panel");
  assert.deepEqual(wrong, []);
  await close();
});

test("the keyboard alone", async () => {
  const { page, wrong, close } = await open(browser, types.live);
  await readings(page);
  const focused = () => page.evaluate(() => { const e = document.activeElement; return (e?.getAttribute("aria-label") || e?.id || e?.textContent || "").trim(); });
  /** @param {string} key @param {RegExp} what */
  const pressUntil = async (key, what) => {
    for (let i = 0; i < 200; i++) {
      await page.keyboard.press(key);
      if (what.test(await focused())) return;
    }
    assert.fail("no " + key + " leads to " + what);
  };
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "content");
  await page.keyboard.press("/");
  assert.equal(await focused(), "search");
  await page.keyboard.type("_requests");
  await page.keyboard.press("ArrowDown");
  await eventually("the list", focused, (f) => f.startsWith("Chttp_requests"));
  await page.keyboard.press("ArrowDown");
  await eventually("the next", focused, (f) => f.startsWith("Ctenant_requests"));
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await panel(page, "http_requests").waitFor();
  await readings(page, 2);
  assert.match(await focused(), /^Chttp_requests/, "the focus stays while the page goes on");
  const ring = await page.evaluate(() => document.activeElement && getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(ring, "solid");
  await pressUntil("Tab", /^Pin http_requests$/);
  await page.keyboard.press("Enter");
  await eventually("a pin", async () => page.url(), (u) => u.includes("pin=http_requests"));
  await pressUntil("Tab", /^http_requests: series and their values$/);
  await readings(page, 2);
  assert.match(await focused(), /^http_requests: series/, "the focus stays in a table that is drawn anew");
  await pressUntil("Tab", /^Exemplars, created, copy$/);
  await page.keyboard.press("Enter");
  await pressUntil("Tab", /^Copy PromQL$/);
  await page.keyboard.press("Enter");
  await eventually("the query", () => page.evaluate(() => navigator.clipboard.readText()), (t) => t === "rate(http_requests_total[1m])");
  await pressUntil("Tab", /^Values of labels$/);
  await page.keyboard.press("Enter");
  await page.locator("#cardinality-labels").getByRole("heading", { name: "http_requests" }).waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await accessible(page, "the keys");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.keyboard.press("p");
  await until(page, () => document.getElementById("status")?.className === "paused");
  await page.keyboard.press("p");
  for (const [key, view] of [["3", "target"], ["1", "charts"]]) {
    await page.keyboard.press(key);
    await page.locator("#" + view).waitFor();
  }
  await pressUntil("Shift+Tab", /^search$/);
  await page.keyboard.press("Escape");
  assert.equal(await page.getByLabel("Search families").inputValue(), "");
  await pressUntil("Shift+Tab", /^pause$/);
  assert.deepEqual(wrong, []);
  await close();
});

test("5,000 families of 200,000 series", async (t) => {
  const target = await start("large");
  const began = Date.now();
  const { page, wrong, close } = await open(browser, target.live);
  await until(page, () => document.getElementById("status")?.textContent?.includes("200,000 series"));
  const loaded = Date.now() - began;
  // What keeps the page from taking input, from now on.
  await page.evaluate(() => {
    const g = /** @type {any} */ (globalThis);
    g.longest = 0;
    new PerformanceObserver((list) => { for (const e of list.getEntries()) g.longest = Math.max(g.longest, e.duration); }).observe({ type: "longtask" });
  });
  await readings(page, 3);
  const names = page.locator("#families .family");
  const times = [];
  for (const [query, want] of /** @type {[string, number][]} */ ([["service_4999", 1], ["retries", 300], ['bytes{zone="north"}', 300], ["", 300]])) {
    const [ms, n] = await page.evaluate((text) => {
      const search = /** @type {HTMLInputElement} */ (document.getElementById("search"));
      const start = performance.now();
      search.value = text;
      search.dispatchEvent(new Event("input"));
      const listed = document.querySelectorAll("#families .family").length;
      void document.body.offsetHeight; // laid out, too
      return [Math.round(performance.now() - start), listed];
    }, query);
    assert.equal(n, want, query);
    times.push(ms);
  }
  await page.getByLabel("Sort by").selectOption("growth");
  await names.nth(5).click();
  await readings(page, 2);
  await page.getByRole("button", { name: "Cardinality" }).click();
  await page.locator("#cardinality-families table").waitFor();
  await eventually("values of labels", () => page.locator("#cardinality-labels").innerText(), (s) => /instance\s+40 values/.test(s));
  await picture(page, "large");
  const longest = await page.evaluate(() => /** @type {any} */ (globalThis).longest);
  const collected = await page.locator("#status").innerText();
  // Times depend on what else the machine does, and decide nothing.
  t.diagnostic("shown after " + loaded + " ms; searches took " + times.join(", ") + " ms; nothing blocked input for longer than " + Math.round(longest) + " ms; " + collected);
  assert.deepEqual(wrong, []);
  await close();
  await target.stop();
});

test("hostile names, help texts, labels and values are text", async () => {
  /** @type {string[]} */
  const injections = JSON.parse(readFileSync(new URL("./target/injections.json", import.meta.url), "utf8"));
  const target = await start("hostile");
  const { page, wrong, close } = await open(browser, target.live);
  await readings(page);
  const shown = (/** @type {string} */ s) => s.replace(/\s+/g, " ").trim();
  const listed = (await page.locator("#families .family").evaluateAll((all) => all.map((e) => e.textContent || ""))).map(shown);
  injections.forEach((text, i) => assert.ok(listed.includes(shown(text + " #" + i)) || listed.includes("injection_" + i), JSON.stringify(text) + " is not in the list"));
  const elements = () => page.evaluate(() => [...document.querySelectorAll("script, iframe, object, embed, base, math, template, link, meta, style, svg, form, img")].map((e) => e.outerHTML).sort());
  const before = await elements();
  await page.evaluate(() => localStorage.setItem("telltale-trace", "https://traces.invalid/{trace_id}"));
  const names = await page.locator("#families .family").evaluateAll((all) => all.map((e) => e.textContent || ""));
  for (let i = 0; i < names.length; i += 14) {
    await page.goto("about:blank");
    await page.goto(target.live + "#" + new URLSearchParams(names.slice(i, i + 14).map((n) => ["pin", n])));
    await readings(page, 2);
    for (const details of await page.locator("details").all()) await details.locator("summary").click();
    await readings(page);
    const heads = await page.locator(".panel h2").evaluateAll((all) => all.map((e) => e.textContent));
    assert.deepEqual(heads, names.slice(i, i + 14));
    for (const href of await page.locator("details a").evaluateAll((all) => all.map((a) => /** @type {HTMLAnchorElement} */ (a).href))) assert.match(href, /^https:\/\/traces\.invalid\/[^/?#]*$/);
    await page.locator(".panel .u-over").first().hover();
    if (i === 0) { await picture(page, "hostile"); await accessible(page, "hostile"); }
    assert.deepEqual(await elements(), before);
  }
  for (const text of injections) { // in the search and the address, too
    await page.evaluate((t) => { location.hash = String(new URLSearchParams({ q: t, show: t, pin: t + "2", view: t, labels: t, sort: t, window: t })); }, text);
    await until(page, (t) => /** @type {HTMLInputElement} */ (document.getElementById("search")).value === t.replace(/[\r\n]/g, ""), text);
  }
  await page.goto(target.live + "#view=cardinality&labels=" + encodeURIComponent(names[0]));
  await readings(page, 2);
  await page.goto(target.live + "#view=target");
  await readings(page);
  assert.deepEqual(await elements(), before);
  assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).injected), undefined);
  assert.equal(await page.evaluate(() => /** @type {any} */ (Object.prototype).values), undefined);
  assert.deepEqual(wrong, []);
  await close();
  await target.stop();
});

test("the policy of the page allows it nothing else", async () => {
  const { page, close } = await open(browser, types.live);
  await readings(page);
  const outcome = await page.evaluate(async () => {
    const tried = [];
    tried.push(await fetch("https://elsewhere.invalid/").then(() => "fetched", () => "refused"));
    const script = document.createElement("script");
    try { script.text = "globalThis.injected = 1"; document.body.append(script); } catch { /* trusted types */ }
    const box = document.createElement("div");
    try { box.innerHTML = "<img src=x onerror='globalThis.injected = 2'>"; document.body.append(box); } catch { tried.push("no markup"); }
    try { /** @type {any} */ (setTimeout)("globalThis.injected = 3"); } catch { tried.push("no code of text"); }
    await new Promise((resolve) => setTimeout(resolve, 10));
    return [...tried, String(/** @type {any} */ (globalThis).injected)];
  });
  assert.deepEqual(outcome, ["refused", "no markup", "no code of text", "undefined"]);
  assert.ok(await legend(page.locator("main")));
  await close();
});

test("the libraries are as npm has them", () => {
  for (const [ours, theirs] of [["uplot.js", "uplot/dist/uPlot.esm.js"], ["uplot.css", "uplot/dist/uPlot.min.css"], ["uplot.license.txt", "uplot/LICENSE"], ["re2js.js", "re2js/build/index.js"], ["re2js.license.txt", "re2js/LICENSE"]]) {
    assert.deepEqual(readFileSync(new URL("../../live/page/" + ours, import.meta.url)), readFileSync(new URL("./node_modules/" + theirs, import.meta.url)), ours);
  }
});

test("a pattern in the address does not hold the page", async () => {
  const target = await start("hostile");
  const at = (/** @type {string} */ pattern) => target.live + "#" + new URLSearchParams({ q: "slow{text=~" + JSON.stringify(pattern) + "}", show: "slow_to_match" });
  const { page, wrong, close } = await open(browser, target.live);
  /** @type {string[]} */
  const requests = [];
  page.on("request", (r) => requests.push(r.url()));
  await page.reload();
  await readings(page, 2);
  const library = new URL("re2js.js", target.live).href;
  assert.ok(requests.length && !requests.includes(library), "the library of patterns is loaded without a pattern");
  await page.goto(at("(a|a)*b"));
  await panel(page, "slow_to_match").getByText("No series matches.").waitFor();
  await page.goto(at("(a|a)*a"));
  await panel(page, "slow_to_match").getByText('text="aaa').first().waitFor();
  await page.goto(at("(a"));
  await page.getByText("The pattern of text cannot be read: missing closing ) in (a.").waitFor();
  await page.goto(at("(a{100}){1000}"));
  await page.getByText("The pattern of text cannot be read: invalid repeat count in {1000}.").waitFor();
  assert.ok(requests.includes(library));
  assert.deepEqual(wrong, []);
  await close();
  await target.stop();
});

test("a page of elsewhere whose name leads to this machine gets nothing", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const rebound = types.url.replace("127.0.0.1", "rebound.invalid");
  for (const path of ["/live/", "/live/data", "/live/main.js"]) {
    const answer = await page.goto(rebound + path);
    assert.equal(answer?.status(), 421, path);
    assert.match(await page.evaluate(() => document.body.innerText), /knows no name "rebound.invalid".*localhost/);
  }
  assert.equal((await page.goto(types.url.replace("127.0.0.1", "localhost") + "/live/"))?.status(), 200);
  await context.close();
});
