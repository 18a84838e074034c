// @ts-check
// Makes the pictures of docs/live.md: npm run pictures
import { launch, open, readings, start, stopAll } from "./browser.js";

const docs = new URL("../../docs/", import.meta.url).pathname;
const size = { width: 1280, height: 860 };
const charts = "#" + new URLSearchParams(["http_requests", "request_duration_seconds", "queue_depth", "payment_duration_seconds"].map((n) => ["pin", n]));

const browser = await launch();
try {
  const types = await start("types");
  const store = await start("store");
  await store.post("/kill");
  await Promise.all(/** @type {[string, string, "light" | "dark", number][]} */ ([
    ["live-light", types.live + charts, "light", 60],
    ["live-dark", types.live + charts, "dark", 60],
    ["live-cardinality", types.live + "#view=cardinality&labels=http_requests", "light", 5],
    ["live-writers", store.live + "#view=target", "light", 8],
  ]).map(async ([name, url, colorScheme, seconds]) => {
    const { page, wrong, close } = await open(browser, url, { viewport: size, colorScheme });
    await readings(page, seconds);
    await page.screenshot({ path: docs + name + ".png" });
    if (wrong.length) throw new Error(name + ": " + wrong.join("\n"));
    await close();
  }));
} finally {
  await browser.close();
  await stopAll();
}
