// @ts-check
import { byId, say } from "./dom.js";
import { Cardinality } from "./cardinality.js";
import { FamilyList, find } from "./list.js";
import { History } from "./history.js";
import { Panel } from "./panel.js";
import { parseQuery } from "./matchers.js";
import { load } from "./pattern.js";
import { PANELS, VIEWS, address, nothingShown, readAddress } from "./shown.js";
import { drawTarget } from "./target.js";
import { clock, counted, spellSeconds } from "./spelling.js";

/** @typedef {import("./panel.js").Family} Family */

/** How many families are drawn while nobody has chosen one. */
const OFFERED = 6;

/** The least number of seconds that charts show. */
const SHORTEST = 30;

const history = new History();
/** @type {Map<string, Panel>} */
const panels = new Map();
/** @type {Family[]} */
let families = [];
/** @type {Map<string, Family>} */
let byName = new Map();
/** The families that the search finds. @type {Family[]} */
let found = [];
/** The families that are drawn while nobody has chosen one. @type {string[]} */
let offered = [];
let definitions = "";
let interval = 1;
let asked = PANELS;
let latest = 0;
let first = Infinity; // the time of the first reading
let paused = false;
/** The last answer. @type {any} */
let data = null;
/** The labels of target_info. @type {string[] | null} */
let info = null;
/** The values of labels, by family. @type {Map<string, import("./cardinality.js").Label[]>} */
const labels = new Map();
let shown = nothingShown();
let trace = "";

const input = {
  search: /** @type {HTMLInputElement} */ (byId("search")), sort: /** @type {HTMLSelectElement} */ (byId("sort")),
  window: /** @type {HTMLSelectElement} */ (byId("window")), rate: /** @type {HTMLSelectElement} */ (byId("rate")),
  trace: /** @type {HTMLInputElement} */ (byId("trace")), pause: byId("pause"), scheme: byId("scheme"),
};

const list = new FamilyList((name) => {
  if (shown.view === "cardinality") {
    shown.labels = name;
  } else {
    shown.view = "charts";
    shown.chosen = shown.chosen === name ? "" : name;
  }
  changed();
});
const cardinality = new Cardinality((name) => {
  shown.labels = name;
  changed();
});

/** @type {import("./panel.js").Actions} */
const actions = {
  pin(name) {
    if (shown.pins.includes(name)) {
      shown.pins = shown.pins.filter((p) => p !== name);
      shown.chosen = name;
    } else {
      shown.pins = [...shown.pins, name].slice(-PANELS + 1);
      if (shown.chosen === name) shown.chosen = "";
    }
    changed();
  },
  close(name) {
    shown.pins = shown.pins.filter((p) => p !== name);
    if (shown.chosen === name) shown.chosen = "";
    changed();
    byId("search").focus();
  },
  labels(name) {
    shown.view = "cardinality";
    shown.labels = name;
    changed();
    byId("content").focus();
  },
  copy(text) {
    const ask = () => {
      /** @type {HTMLTextAreaElement} */ (byId("copy-text")).value = text;
      /** @type {HTMLDialogElement} */ (byId("copy")).showModal();
      /** @type {HTMLTextAreaElement} */ (byId("copy-text")).select();
    };
    if (!navigator.clipboard) return ask(); // the address is not a secure one
    navigator.clipboard.writeText(text).then(() => status("Copied.", "live"), ask);
  },
  trace: () => trace,
};

/** @param {string} text @param {"live" | "paused" | "away"} kind */
function status(text, kind) {
  const node = byId("status");
  say(node, text);
  node.className = kind;
}

/** @returns {string[]} the families that have a panel, in order */
function wanted() {
  if (shown.view !== "charts") return [];
  const names = shown.chosen && !shown.pins.includes(shown.chosen) ? [...shown.pins, shown.chosen] : shown.pins;
  return (names.length ? names : offered).slice(0, Math.min(PANELS, asked - 1));
}

/** Chooses what is drawn while nobody has chosen: the first that are found and change. */
function offer() {
  const drawable = found.filter((f) => f.series > 0 && f.type !== "info");
  offered = drawable.slice(0, OFFERED).map((f) => f.name);
}

/** The family that holds the labels of the target. */
const targetInfo = () => families.find((f) => (f.sample || f.name) === "target_info");

/** At most what a timer can wait for: beyond that it would not wait. @param {number} seconds */
const milliseconds = (seconds) => Math.min(seconds * 1000, 2 ** 31 - 1);

/** Reads once. */
async function read() {
  const query = new URLSearchParams();
  if (definitions) query.set("known", definitions);
  for (const name of wanted()) query.append("family", name);
  const about = targetInfo();
  if (about && (!info || shown.view === "target") && !query.getAll("family").includes(about.name)) query.append("family", about.name);
  if (shown.view === "cardinality" && shown.labels) query.append("labels", shown.labels);
  if (shown.view === "target") query.append("writers", "");
  const answer = await fetch("data?" + query, { cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(milliseconds(30 + 2 * interval)) });
  if (!answer.ok) throw new Error((await answer.text()).trim().slice(0, 200) || "status " + answer.status);
  take(await answer.json());
}

/** @param {any} answer */
function take(answer) {
  data = answer;
  interval = data.interval;
  asked = data.limits.asked;
  if (data.index) {
    const before = new Map(families.map((f) => [f.name, f.before]));
    families = data.index.map((/** @type {any} */ f, /** @type {number} */ i) => ({
      ...f, series: data.series[i], before: before.get(f.name) ?? (families.length ? 0 : data.series[i]),
      text: (f.name + " " + (f.sample || "") + " " + f.help + " " + f.type + " " + f.labels.join(" ")).toLowerCase(),
    }));
    byName = new Map(families.map((f) => [f.name, f]));
    definitions = data.definitions;
    search();
  }
  if (data.definitions !== definitions) return; // from another process; the next answer has the index
  families.forEach((f, i) => { f.series = data.series[i]; });
  if (shown.sort !== "page" && shown.sort !== "name") search();
  const about = targetInfo();
  for (const { family, points } of data.points) {
    const f = families[family];
    if (f === about) info = points.flatMap((/** @type {any} */ p) => p.i || p.l);
    history.add(f.name, f.type, data.time, points, f.series, interval);
  }
  for (const l of data.label_values) labels.set(families[l.family].name, l.labels);
  history.keep(new Set(wanted()));
  latest = Math.max(latest, data.time);
  first = Math.min(first, data.time);
  const left = data.left_out;
  if (!paused) {
    status(clock(data.time) + " · " + counted(families.length, "family", "families") + " · " + counted(families.reduce((n, f) => n + f.series, 0), "series", "series") + " · collected in " + spellSeconds(data.duration)
      + (left.families ? " · " + counted(left.families, "family is", "families are") + " left out: the limit is " + data.limits.families + " families and " + data.limits.bytes + " bytes" : "")
      + (left.series ? " · " + left.series + " series are not drawn: the limit is " + data.limits.series + " of a family and " + data.limits.bytes + " bytes" : ""), "live");
  }
  const name = info && (nameIn(info, "service_name") || nameIn(info, "service.name"));
  say(byId("title"), name || "Live metrics");
  document.title = name ? name + " – live metrics" : "Live metrics";
  draw();
}

/** @param {string[]} all names and values in turn @param {string} name */
const nameIn = (all, name) => { const i = all.findIndex((v, k) => k % 2 === 0 && v === name); return i < 0 ? "" : all[i + 1]; };

/** Finds the families that the list has, and again once patterns can be read. */
function search() {
  const query = parseQuery(shown.query);
  say(byId("search-error"), query.error);
  if (query.waits) load().then(() => { search(); draw(); }, (e) => say(byId("search-error"), "Patterns cannot be read: " + e.message + "."));
  found = find(families, query, shown.sort);
  offer();
}

/** Draws the list and the view. */
function draw() {
  const names = wanted();
  for (const view of VIEWS) {
    byId(view).hidden = view !== shown.view;
    const button = byId("view-" + view);
    if (view === shown.view) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  list.draw(found, families.length, new Set(shown.view === "cardinality" ? [shown.labels] : names), new Set(shown.pins));
  drawPanels(names);
  if (shown.view === "cardinality") {
    const order = shown.sort === "page" ? [...found].sort((a, b) => b.series - a.series) : found;
    cardinality.draw(order, families, byName.get(shown.labels), labels.get(shown.labels));
  }
  if (shown.view === "target" && data) drawTarget(data, info);
}

/** @param {string[]} names */
function drawPanels(names) {
  for (const [name, panel] of panels) if (!names.includes(name) || !byName.has(name)) { panel.destroy(); panels.delete(name); }
  if (shown.view !== "charts") return;
  const { matchers } = parseQuery(shown.query);
  const key = JSON.stringify(matchers.map((m) => [m.name, m.op, m.value]));
  const main = byId("panels");
  /** @type {[number, number]} */
  const span = [Math.max(latest - shown.window, Math.min(first, latest - SHORTEST)), latest];
  const some = shown.pins.length > 0 || shown.chosen !== "";
  const focused = document.activeElement;
  names.filter((name) => byName.has(name)).forEach((name, i) => {
    const family = /** @type {Family} */ (byName.get(name));
    let panel = panels.get(name);
    if (!panel) panels.set(name, (panel = new Panel(family, actions)));
    if (main.children[i] !== panel.node) main.insertBefore(panel.node, main.children[i] || null);
    panel.draw(family, history.families.get(name), { matchers, key, span, rate: shown.rate }, shown.pins.includes(name), !some);
  });
  if (focused instanceof HTMLElement && focused.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
  const offer = byId("offer");
  offer.hidden = some;
  if (!some) say(offer, !families.length ? "" : !found.length ? "No family matches." : "The first families of the list. Choose one, and pin those that should stay.");
  const gone = names.filter((name) => !byName.has(name));
  if (gone.length && families.length && some) { offer.hidden = false; say(offer, "Not on the target's page: " + gone.join(", ")); }
}

/** Writes what is shown to the address, and draws it. */
function changed() {
  globalThis.history.replaceState(null, "", address(shown));
  fill();
  search();
  draw();
  wake();
}

/** Shows in the controls what is shown. */
function fill() {
  if (input.search.value !== shown.query) input.search.value = shown.query;
  input.sort.value = shown.sort;
  input.window.value = String(shown.window);
  input.rate.value = String(shown.rate);
}

/** Reads what is shown from the address. */
function restore() {
  shown = readAddress(location.hash);
  fill();
  search();
}

/** @type {() => void} */
let wake = () => {};

/** Reads as often as the target collects, but not while the page is paused or hidden. */
async function run() {
  for (;;) {
    const began = performance.now();
    if (!paused && !document.hidden) {
      try {
        await read();
      } catch (e) {
        if (!paused) status("The target does not answer: " + (e instanceof Error ? e.message : String(e)) + ". It is asked again.", "away");
      }
    }
    await /** @type {Promise<void>} */ (new Promise((resolve) => {
      wake = resolve;
      setTimeout(resolve, Math.max(200, milliseconds(interval) - (performance.now() - began)));
    }));
  }
}

function pause() {
  paused = !paused;
  input.pause.setAttribute("aria-pressed", String(paused));
  say(input.pause, paused ? "Go on" : "Pause");
  if (paused) status("Paused" + (latest ? " at " + clock(latest) : "") + ".", "paused");
  wake();
}

/** @param {string} view */
function show(view) {
  shown.view = view;
  if (view === "cardinality" && !shown.labels) shown.labels = shown.chosen || shown.pins[0] || [...families].sort((a, b) => b.series - a.series)[0]?.name || "";
  changed();
}

/** The colours: those of the system, light, dark. */
const schemes = ["system", "light", "dark"];
let scheme = "system";
function setScheme(/** @type {string} */ name) {
  scheme = name;
  const root = document.documentElement;
  if (name === "system") delete root.dataset.scheme;
  else root.dataset.scheme = name;
  root.dataset.look = name + String(matchMedia("(prefers-color-scheme: dark)").matches);
  say(input.scheme, "Colours: " + name);
  draw();
}

/** What the browser keeps from one visit to the next, if it keeps anything. @param {string} key @param {string} [value] */
function remembered(key, value) {
  try {
    if (value !== undefined) localStorage.setItem("telltale-" + key, value);
    return localStorage.getItem("telltale-" + key) || "";
  } catch {
    return "";
  }
}

input.search.addEventListener("input", () => { shown.query = input.search.value; changed(); });
input.search.addEventListener("keydown", (e) => {
  if (e.key === "ArrowDown") { e.preventDefault(); /** @type {HTMLElement | null} */ (byId("families").querySelector("button[tabindex='0']"))?.focus(); }
  if (e.key === "Escape") { shown.query = input.search.value = ""; changed(); }
});
input.sort.addEventListener("change", () => { shown.sort = input.sort.value; changed(); });
input.window.addEventListener("change", () => { shown.window = Number(input.window.value); changed(); });
input.rate.addEventListener("change", () => { shown.rate = Number(input.rate.value); changed(); });
input.trace.addEventListener("change", () => { trace = input.trace.value; remembered("trace", trace); draw(); });
input.pause.addEventListener("click", pause);
input.scheme.addEventListener("click", () => { setScheme(schemes[(schemes.indexOf(scheme) + 1) % schemes.length]); remembered("scheme", scheme); });
for (const view of VIEWS) byId("view-" + view).addEventListener("click", () => show(view));
const help = () => /** @type {HTMLDialogElement} */ (byId("help")).showModal();
byId("keys").addEventListener("click", help);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setScheme(scheme));
byId("skip").addEventListener("click", (e) => { e.preventDefault(); byId("content").focus(); });
addEventListener("hashchange", () => { restore(); draw(); wake(); });
addEventListener("resize", () => draw());
document.addEventListener("visibilitychange", () => wake());
document.addEventListener("keydown", (e) => {
  const typing = e.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName);
  if (typing || e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
  if (e.key === "/") { e.preventDefault(); input.search.focus(); }
  if (e.key === "p") pause();
  if (e.key === "?") help();
  const view = VIEWS[Number(e.key) - 1];
  if (view) show(view);
});

// Not of the address: whoever sends it would choose where exemplars lead.
input.trace.value = trace = remembered("trace");
restore();
setScheme(schemes.includes(remembered("scheme")) ? remembered("scheme") : "system");
run();
