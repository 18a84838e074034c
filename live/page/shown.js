// @ts-check
/** What the page shows, as its address holds it behind #. */

/** How many panels there are at once. */
export const PANELS = 16;

export const VIEWS = ["charts", "cardinality", "target"];
export const WINDOWS = [60, 300, 900, 1800];
export const RATES = [5, 15, 60, 300];
export const SORTS = ["page", "name", "series", "growth"];

/**
 * @typedef {{view: string, query: string, sort: string, pins: string[], chosen: string, labels: string, window: number, rate: number}} Shown
 * view: one of VIEWS; query: of the search; chosen: the family that is shown beside the pins; labels: the family whose labels are; window, rate: seconds
 */

/** @returns {Shown} */
export const nothingShown = () => ({ view: "charts", query: "", sort: "page", pins: [], chosen: "", labels: "", window: 300, rate: 15 });

/** @param {Shown} s @returns {string} */
export function address(s) {
  const q = new URLSearchParams();
  const before = nothingShown();
  if (s.view !== before.view) q.set("view", s.view);
  if (s.query) q.set("q", s.query);
  if (s.sort !== before.sort) q.set("sort", s.sort);
  for (const pin of s.pins) q.append("pin", pin);
  if (s.chosen) q.set("show", s.chosen);
  if (s.labels) q.set("labels", s.labels);
  if (s.window !== before.window) q.set("window", String(s.window));
  if (s.rate !== before.rate) q.set("rate", String(s.rate));
  return "#" + q;
}

/** Reads an address; what it does not say, or says wrong, is as without one. @param {string} hash @returns {Shown} */
export function readAddress(hash) {
  const q = new URLSearchParams(hash.replace(/^#/, ""));
  const s = nothingShown();
  /** @template T @param {T[]} all @param {T} v @param {T} otherwise */
  const one = (all, v, otherwise) => (all.includes(v) ? v : otherwise);
  s.view = one(VIEWS, q.get("view") || "", s.view);
  s.query = q.get("q") || "";
  s.sort = one(SORTS, q.get("sort") || "", s.sort);
  s.pins = [...new Set(q.getAll("pin"))].slice(0, PANELS - 1);
  s.chosen = q.get("show") || "";
  s.labels = q.get("labels") || "";
  s.window = one(WINDOWS, Number(q.get("window")), s.window);
  s.rate = one(RATES, Number(q.get("rate")), s.rate);
  return s;
}
