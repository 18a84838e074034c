// @ts-check
// The page of package live in a real browser: what it shows of a program, by numbers
// that are compared with the program's own page.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { freeAddress, launch, open, readings, start, stopAll, until } from "./browser.js";
import { accessible, csv, eventually, legend, number, panel, parse } from "./expect.js";

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

/** @param {string[]} names */
const pins = (...names) => "#" + new URLSearchParams(names.map((n) => ["pin", n]));

/** Holds the target's numbers still while f runs. @param {() => Promise<void>} f */
async function held(f) {
  await types.post("/hold");
  try {
    await f();
  } finally {
    await types.post("/release");
  }
}

test("counters are rates, with the totals of the target's page", async () => {
  const { page, wrong, close } = await open(browser, types.live + pins("http_requests"));
  await readings(page, 3);
  const of = panel(page, "http_requests");
  await held(async () => {
    const metrics = parse(await types.metrics());
    const want = ['method="GET", code="200"', 'method="POST", code="200"', 'method="POST", code="500"', 'method="PUT", code="200"'];
    const rows = await eventually("the totals", () => legend(of), (r) => want.every((l) => number(r.get(l)?.[1]) === number(metrics.get("http_requests_total{" + l.replace(", ", ",") + "}"))));
    assert.deepEqual([...rows.keys()], want);
    const columns = await csv(page, of);
    const times = (columns.get("time") || []).map((t) => Date.parse(t) / 1000);
    for (const name of want) { // the rate over 15 s, reckoned anew
      const totals = (columns.get(name + " (total)") || []).map(number);
      const last = times.length - 1;
      let first = 0;
      while (first < last - 1 && times[first] < times[last] - 15) first++;
      const rate = (totals[last] - totals[first]) / (times[last] - times[first]);
      const got = number(columns.get(name)?.[last]);
      assert.ok(Math.abs(got - rate) <= 1e-2 * Math.abs(rate) + 1e-9, name + ": " + got + ", not " + rate);
    }
  });
  await of.getByRole("button", { name: "Copy PromQL" }).click();
  assert.equal(await eventually("the query", () => page.evaluate(() => navigator.clipboard.readText()), (t) => t.startsWith("rate")), "rate(http_requests_total[1m])");
  await picture(page, "counter");
  assert.deepEqual(wrong, []);
  await close();
});

test("gauges, summaries, states, infos and unknown values are those of the target's page", async () => {
  const { page, wrong, close } = await open(browser, types.live + pins("queue_depth", "response_size_bytes", "worker_state", "build", "legacy_values", "weather_celsius"));
  await readings(page, 2);
  await held(async () => {
    const metrics = parse(await types.metrics());
    const is = (/** @type {string | undefined} */ shown, /** @type {string} */ series) => metrics.has(series) && Object.is(number(shown), number(metrics.get(series)));
    await eventually("gauges", () => legend(panel(page, "queue_depth")), (r) => ["packing", "billing", "mail"].every((q) => is(r.get('queue="' + q + '"')?.[0], 'queue_depth{queue="' + q + '"}')));
    await eventually("a custom collector's gauge", () => legend(panel(page, "weather_celsius")), (r) => is(r.get("(no labels)")?.[0], "weather_celsius"));
    await eventually("numbers that JSON lacks", () => legend(panel(page, "legacy_values")), (r) => ["nan", "inf", "minus", "tiny", "huge"].every((k) => is(r.get('kind="' + k + '"')?.[0], 'legacy_values{kind="' + k + '"}')));
    await eventually("quantiles", async () => [await legend(panel(page, "response_size_bytes")), parse(await types.metrics())], ([r, m]) =>
      ["0.5", "0.9", "0.99"].every((q) => number(r.get("quantile " + q)?.[0]) === number(/** @type {any} */ (m.get('response_size_bytes{quantile="' + q + '"}')))) && number(r.get("count")?.[0]) === number(/** @type {any} */ (m.get("response_size_bytes_count"))));
    await eventually("states", () => legend(panel(page, "worker_state")), (r) => [0, 1, 2, 3].every((i) => metrics.get('worker_state{worker="w' + i + '",worker_state="' + r.get('worker="w' + i + '"')?.[0] + '"}') === "1.0"));
    const info = await panel(page, "build").locator(".legend tbody").innerText();
    assert.match(info.replace(/\s+/g, " "), /version 4\.2\.0 .*revision 9f3c1d7|revision 9f3c1d7 .*version 4\.2\.0/);
  });
  await picture(page, "types");
  assert.deepEqual(wrong, []);
  await close();
});

test("histograms are heat maps of what the target counted meanwhile", async () => {
  await types.post("/hold");
  const first = parse(await types.metrics());
  const { page, wrong, close } = await open(browser, types.live + pins("request_duration_seconds", "payment_duration_seconds", "pool_ages"));
  await until(page, () => document.querySelectorAll(".legend tbody tr").length > 10);
  await types.post("/release");
  await readings(page, 4);
  await held(async () => {
    const metrics = parse(await types.metrics());
    const grown = (/** @type {string} */ series) => number(metrics.get(series)) - number(first.get(series));
    const buckets = (/** @type {string} */ le) => ["/cart", "/pay"].reduce((n, route) => n + grown('request_duration_seconds_bucket{route="' + route + '",le="' + le + '"}'), 0);
    const classic = panel(page, "request_duration_seconds");
    const count = ["/cart", "/pay"].reduce((n, route) => n + number(metrics.get('request_duration_seconds_count{route="' + route + '"}')), 0);
    await eventually("the count", () => legend(classic), (r) => number(r.get("count")?.[0]) === count);
    const columns = await csv(page, classic);
    let below = 0;
    for (const le of ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "+Inf"]) {
      const name = "bucket to " + (le === "+Inf" ? "Infinity" : number(le));
      const sum = (columns.get(name) || []).reduce((n, v) => n + Number(v || 0), 0);
      assert.equal(sum, buckets(le) - below, name);
      below = buckets(le);
    }
    assert.ok(below > 0, "nothing was observed");
    const [q50, q90, q99] = [0.5, 0.9, 0.99].map((q) => number(columns.get("quantile " + q)?.filter((v) => v !== "").at(-1)));
    assert.ok(q50 > 0.005 && q50 < q90 && q90 <= q99 && q99 <= 2.5, q50 + " " + q90 + " " + q99);
    const native = panel(page, "payment_duration_seconds");
    await eventually("the count", () => legend(native), (r) => number(r.get("count")?.[0]) === number(metrics.get("payment_duration_seconds_count")));
    const exponential = [...await csv(page, native)].filter(([name]) => name.startsWith("bucket to "));
    assert.ok(exponential.length > 8, exponential.length + " buckets");
    assert.equal(exponential.reduce((n, [, c]) => n + c.reduce((m, v) => m + Number(v || 0), 0), 0), grown("payment_duration_seconds_count"));
    const present = await legend(panel(page, "pool_ages"));
    assert.equal(number(present.get("observations")?.[0]), 11);
  });
  await picture(page, "histograms");
  assert.deepEqual(wrong, []);
  await close();
});

test("of 500 series the largest are drawn, and the rest folded", async () => {
  const { page, wrong, close } = await open(browser, types.live + pins("shard_operations", "shard_duration_seconds"));
  await readings(page, 3);
  const of = panel(page, "shard_operations");
  const rows = await eventually("the table", () => legend(of), (r) => r.has("the other 491, summed") && r.has("the other 491, their mean"));
  assert.equal(await of.locator(".legend .swatch").count(), 10);
  assert.ok(rows.size > 200, rows.size + " rows");
  await page.getByLabel("Search families").fill('{shard=~"s00[0-4]"}');
  await eventually("five series", () => legend(of), (r) => r.size === 5 && r.has('shard="s004"'));
  await eventually("five histograms", async () => (await panel(page, "shard_duration_seconds").locator(".legend thead").innerText()), (t) => t.includes("all 5 series"));
  await picture(page, "many-series");
  assert.deepEqual(wrong, []);
  await close();
});

test("the search finds by name, help, label and matchers, and the address holds what is shown", async () => {
  const { page, wrong, close } = await open(browser, types.live);
  await readings(page);
  const search = page.getByLabel("Search families");
  const names = () => page.locator("#families .family").allInnerTexts();
  assert.ok((await names()).length > 40);
  for (const [query, want] of /** @type {[string, string[]][]} */ ([
    ["ORDERS waiting", ["queue_depth"]],
    ['{code="500"}', ["http_requests"]],
    ['requests{tenant!=""}', ["tenant_requests"]],
    ["nothing has this name", []],
  ])) {
    await search.fill(query);
    await eventually(query, names, (all) => all.join() === want.join());
  }
  await search.fill('requests{code="500",method=~"P.*"}');
  await page.locator("#families button", { hasText: "http_requests" }).click();
  await eventually("one series", () => legend(panel(page, "http_requests")), (r) => [...r.keys()].join() === 'method="POST", code="500"');
  await page.getByRole("button", { name: "Pin http_requests" }).click();
  await search.fill("queue");
  await page.locator("#families button", { hasText: "queue_depth" }).click();
  await search.fill('{queue="mail"');
  await search.fill('{queue="mail",queue}');
  await eventually("an error", () => page.locator("#search-error").innerText(), (t) => t.startsWith("A matcher is written"));
  await search.fill('{queue="mail"}');
  await page.getByLabel("Show").selectOption("900");
  await page.getByLabel("Rates over").selectOption("60");
  await page.getByLabel("Sort by").selectOption("series");
  await page.reload();
  await readings(page);
  await eventually("what was shown", () => legend(panel(page, "queue_depth")), (r) => [...r.keys()].join() === 'queue="mail"');
  assert.equal(await search.inputValue(), '{queue="mail"}');
  assert.equal(await page.getByLabel("Show").inputValue(), "900");
  assert.equal(await page.getByLabel("Rates over").inputValue(), "60");
  assert.equal(await page.getByLabel("Sort by").inputValue(), "series");
  assert.equal(await panel(page, "http_requests").getByRole("button", { name: "Pin http_requests" }).getAttribute("aria-pressed"), "true");
  await panel(page, "http_requests").getByRole("button", { name: "Close http_requests" }).click();
  await eventually("the address", async () => page.url(), (u) => !u.includes("http_requests"));
  assert.deepEqual(wrong, []);
  await close();
});

test("a restart of the target is a reset, and what was seen stays", async () => {
  const address = await freeAddress();
  let target = await start("types", address);
  const { page, wrong, close } = await open(browser, target.live + pins("http_requests"));
  await readings(page, 4);
  const of = panel(page, "http_requests");
  const name = 'method="GET", code="200"';
  const before = number((await eventually("a total", () => legend(of), (r) => r.has(name))).get(name)?.[1]);
  await target.stop();
  await until(page, () => document.getElementById("status")?.className === "away");
  target = await start("types", address);
  await until(page, () => document.getElementById("status")?.className === "live");
  await readings(page, 2);
  const columns = await csv(page, of);
  const totals = (columns.get(name + " (total)") || []).filter((v) => v !== "").map(number);
  const fell = totals.findIndex((v, i) => i > 0 && v < totals[i - 1]);
  assert.ok(fell > 0 && totals.includes(before), "totals " + totals);
  for (const v of columns.get(name) || []) assert.ok(v === "" || number(v) >= 0, "a rate of " + v);
  assert.deepEqual(wrong.filter((w) => !/net::ERR_(CONNECTION_(REFUSED|RESET|CLOSED|ABORTED)|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING|CONTENT_LENGTH_MISMATCH)/.test(w)), []);
  await close();
  await target.stop();
});

test("a paused page does not read, and a target that nobody looks at is not collected", async () => {
  const target = await start("types");
  const scrapes = async () => number(parse(await target.metrics()).get("telltale_scrapes_total"));
  const { page, wrong, close } = await open(browser, target.live);
  await readings(page, 2);
  await page.keyboard.press("p");
  await until(page, () => document.getElementById("status")?.className === "paused");
  let before = await eventually("an end of readings", async () => { const n = await scrapes(); await new Promise((r) => setTimeout(r, 1500)); return [n, await scrapes()]; }, ([a, b]) => b === a + 1);
  await page.keyboard.press("p");
  await until(page, () => document.getElementById("status")?.className === "live");
  const tabs = await Promise.all([1, 2, 3].map(() => open(browser, target.live)));
  const [began, n] = [Date.now(), await scrapes()];
  await Promise.all(tabs.map(({ page }) => readings(page, 3)));
  const collected = (await scrapes()) - n - 1;
  assert.ok(collected <= (Date.now() - began) / 1000 + 1, collected + " collections in " + (Date.now() - began) + " ms by four tabs");
  for (const tab of tabs) { assert.deepEqual(tab.wrong, []); await tab.close(); }
  assert.deepEqual(wrong, []);
  await close();
  before = await eventually("an end of collections", async () => { const n = await scrapes(); await new Promise((r) => setTimeout(r, 1500)); return [n, await scrapes()]; }, ([a, b]) => b === a + 1);
  assert.ok(before[0] > 0);
  await target.stop();
});

test("cardinality: series by family and label, and what grows", async () => {
  const { page, wrong, close } = await open(browser, types.live + "#view=cardinality&labels=shard_operations");
  await readings(page);
  const card = page.locator("[data-label='shard']");
  await card.waitFor();
  assert.match(await card.getByRole("heading").innerText(), /500 values/);
  const rows = await legend(page.locator("#cardinality-families"), "");
  assert.equal(rows.get("Cshard_operations")?.[0], "500");
  await page.getByRole("button", { name: "http_requests" }).last().click();
  await eventually("labels", () => page.locator("#cardinality-labels").innerText(), (t) => /method\s+3 values/.test(t) && /code\s+2 values/.test(t));
  const values = await legend(page.locator("[data-label='code']"), "table");
  assert.deepEqual([...values], [["200", ["3"]], ["500", ["1"]]]);
  assert.match(page.url(), /labels=http_requests/);
  await page.getByLabel("Sort by").selectOption("growth");
  await picture(page, "cardinality");
  await accessible(page, "cardinality");
  assert.deepEqual(wrong, []);
  await close();
});

test("the target: info, faults by collector, limits; exemplars lead to traces; created times; series that end", async () => {
  const { page, wrong, close } = await open(browser, types.live + "#view=target");
  await readings(page, 2);
  for (const what of [/service_name/, /service_version\s+4\.2\.0/, /main\.types\.func1\s+with faults/, /\*collectors\.Go\s+whole/, /series_limit\s+[1-9]/, /tenant_requests\s+[1-9]/]) {
    await eventually("the target to show " + what, () => page.locator("#target-body").innerText(), (t) => what.test(t));
  }
  await accessible(page, "target");
  await picture(page, "target");
  await page.getByLabel("Where they lead").fill("https://traces.invalid/{trace_id}?x=1");
  await page.keyboard.press("Tab"); // leaves the field
  await page.goto(types.live + "#show=request_duration_seconds");
  const of = panel(page, "request_duration_seconds");
  await of.locator("summary").click();
  const link = of.locator("details a").first();
  await link.waitFor();
  assert.match(await link.getAttribute("href") || "", /^https:\/\/traces\.invalid\/[0-9a-f]{16}\?x=1$/);
  assert.match(await of.locator("details").innerText(), /Series were created from 20\d\d-|Created 20\d\d-/);
  await page.goto(types.live + "#show=session_age_seconds");
  await eventually("series that ended", () => panel(page, "session_age_seconds").innerText(), (t) => /ended meanwhile/.test(t));
  assert.deepEqual(wrong, []);
  await close();
});

test("with a store: the writers, alive, dead and folded, and their shares", async () => {
  const target = await start("store");
  const { page, wrong, close } = await open(browser, target.live + "#view=target");
  const card = () => page.locator(".card.wide").innerText();
  await eventually("four writers", card, (t) => t.includes("4 alive") && /web\s+\d+\s+alive/.test(t) && /\d+\.\d %/.test(t));
  await target.post("/kill");
  await eventually("a dead one", card, (t) => t.includes("3 alive") && t.includes("1 dead"));
  await picture(page, "writers");
  await target.post("/fold");
  await eventually("an archive", card, (t) => t.includes("0 dead") && t.includes("1 folded") && t.includes("archive of the dead"));
  await accessible(page, "writers");
  assert.deepEqual(wrong, []);
  await close();
  await target.stop();
});
