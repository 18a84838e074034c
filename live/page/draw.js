// @ts-check
import { bar, el, table } from "./dom.js";
import { position } from "./heat.js";
import { heatOf } from "./history.js";
import { rates } from "./numbers.js";
import { labelText, matches } from "./matchers.js";
import { COLOURS, colour } from "./charts.js";
import { isBytes, spell, spellingOf } from "./spelling.js";

/**
 * @typedef {import("./history.js").FamilyHistory} FamilyHistory
 * @typedef {import("./history.js").Series} Series
 * @typedef {{type: string, name: string, unit: string}} Family
 * @typedef {{matchers: import("./matchers.js").Matcher[], key: string, span: [number, number], rate: number}} View key: tells matchers apart
 * @typedef {{heads: string[], rows: string[][]}} Sheet what CSV has
 * @typedef {{times: number[], note: string, legend: (at: number) => Node, sheet: () => Sheet, empty?: boolean}} Drawn legend: the table of the values at a place in time; empty: there is no series
 */

/** How many series are drawn, how many rows a table has, and the quantiles of histograms. */
const TOP = COLOURS;
const ROWS = 200;
const BANDS = 40;
const QUANTILES = [0.5, 0.9, 0.99];

/**
 * Draws a family's history.
 * @param {import("./charts.js").Chart} chart @param {Family} family @param {FamilyHistory} history @param {View} view
 * @returns {Drawn}
 */
export function drawFamily(chart, family, history, view) {
  let from = 0;
  while (from < history.times.length - 1 && history.times[from] < view.span[0] - view.rate) from++;
  const times = history.times.slice(from);
  const series = [...history.series.values()]
    .filter((s) => matches(view.matchers, family.type === "info" ? [...s.labels, ...(lastOf(s.values) || [])] : s.labels))
    .map((s) => ({ labels: s.labels, values: from ? s.values.slice(from) : s.values }));
  if (!series.length) return nothing(times, history.series.size ? "No series matches." : "It has no series.");
  switch (family.type) {
    case "histogram":
    case "gaugehistogram":
      return drawHistogram(chart, family, history, from, view);
    case "summary":
      return drawSummary(chart, family, times, series, view);
    case "stateset":
      return drawStates(chart, family, times, series, view);
    case "info":
      return showInfos(family, times, series);
    default:
      return drawNumbers(chart, family, times, series, view);
  }
}

/** @param {number[]} times @param {string} note @returns {Drawn} */
const nothing = (times, note) => ({ times, note, legend: () => el("div"), sheet: () => ({ heads: [], rows: [] }), empty: true });

/** @param {any[]} values */
function lastOf(values) {
  for (let i = values.length - 1; i >= 0; i--) if (values[i] !== null) return values[i];
  return null;
}

/** @typedef {{labels: string[], values: any[]}} Shown */
/** @typedef {{name: string, line: (number | null)[], values: any[] | null, rest?: boolean}} Line values: the totals of a counter */

/** A number as a table shows it. @param {number | null | undefined} v @param {import("./spelling.js").Spelling} spelling @returns {import("./dom.js").Value} */
const number = (v, spelling) => ({ text: spelling(v), exact: v === null || v === undefined ? undefined : String(v) });

/** @param {import("./charts.js").Chart} chart @param {Family} family @param {number[]} times @param {Shown[]} series @param {View} view @returns {Drawn} */
function drawNumbers(chart, family, times, series, view) {
  const counts = family.type === "counter";
  const spelling = spellingOf(family);
  /** @type {Line[]} */
  const drawn = series.map((s) => ({ name: labelText(s.labels), line: counts ? rates(times, s.values, view.rate) : s.values, values: s.values }));
  drawn.sort((a, b) => rank(b.line[b.line.length - 1]) - rank(a.line[a.line.length - 1]));
  const top = drawn.slice(0, drawn.length > TOP ? TOP - 1 : TOP);
  const rest = drawn.slice(top.length);
  top.sort((a, b) => (a.name < b.name ? -1 : 1)); // so that the colours stay while the order changes
  const lines = [...top];
  const { sums, means } = fold(rest, times.length);
  if (rest.length) lines.push({ name: "the other " + rest.length + ", their mean", line: means, values: null, rest: true });
  const each = counts ? (/** @type {number | null | undefined} */ v) => spelling(v) + (v === null || v === undefined ? "" : "/s") : spelling;
  chart.lines(times, lines, view.span, each, isBytes(family));
  if (rest.length && counts) lines.push({ name: "the other " + rest.length + ", summed", line: sums, values: null });
  const heads = counts ? ["series", "#a second", "#total"] : ["series", "#value"];
  return {
    times,
    note: (counts ? "Rate a second, over " + view.rate + " s." : "") + (rest.length ? " The " + top.length + " largest are drawn apart, and the mean of the rest." : ""),
    legend: (at) => {
      const row = (/** @type {Line} */ l, /** @type {string | Node} */ name) => [name, number(l.line[at], each), ...(counts ? [number(l.values?.[at], spelling)] : [])];
      return table(family.name + ": series and their values", heads, [...lines.map((l, i) => row(l, i < TOP ? named(i, l.name) : l.name)), ...rest.slice(0, ROWS).map((l) => row(l, el("span", { class: "folded" }, l.name)))]);
    },
    sheet: () => sheetOf(times, [...lines, ...(counts ? top.map((l) => ({ name: l.name + " (total)", line: l.values || [] })) : [])]),
  };
}

/** Adds lines up, and takes their mean. @param {Line[]} lines @param {number} n */
function fold(lines, n) {
  /** @type {(number | null)[]} */
  const sums = new Array(n).fill(null);
  /** @type {(number | null)[]} */
  const means = new Array(n).fill(null);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    let count = 0;
    for (const l of lines) {
      const v = l.line[i];
      if (v !== null && Number.isFinite(v)) { sum += v; count++; }
    }
    if (count) { sums[i] = sum; means[i] = sum / count; }
  }
  return { sums, means };
}

/** @param {number | null | undefined} v */
const rank = (v) => (v === null || v === undefined || Number.isNaN(v) ? -Infinity : Math.abs(v));

/** @param {number} i @param {string} name */
function named(i, name) {
  return el("span", { class: "line" }, el("span", { class: "swatch k" + (i % COLOURS), "aria-hidden": "true" }), el("span", {}, name));
}

/** @param {number[]} times @param {{name: string, line: any[]}[]} lines @returns {Sheet} */
function sheetOf(times, lines) {
  return { heads: ["time", ...lines.map((l) => l.name)], rows: times.map((t, i) => [new Date(t * 1000).toISOString(), ...lines.map((l) => (l.line[i] === null || l.line[i] === undefined ? "" : String(l.line[i])))]) };
}

/** @param {import("./charts.js").Chart} chart @param {Family} family @param {FamilyHistory} history @param {number} from @param {View} view @returns {Drawn} */
function drawHistogram(chart, family, history, from, view) {
  const now = family.type === "gaugehistogram";
  const spelling = spellingOf(family);
  const heat = heatOf(history, view.key, now, (labels) => matches(view.matchers, labels));
  const times = history.times.slice(from);
  const { bounds, counts, quantiles, totals } = heat.picture(history.times, from, view.rate, QUANTILES);
  let most = 0;
  for (const c of counts) for (const v of c) if (v > most) most = v;
  const style = getComputedStyle(document.documentElement).getPropertyValue("--heat");
  const shades = Array.from({ length: 17 }, (_, i) => "rgba(" + style + "," + (0.1 + 0.9 * (i / 16)).toFixed(3) + ")");
  const cells = counts.map((c) => Array.from(c, (n) => (n > 0 ? shades[Math.round(16 * Math.sqrt(n / most))] : null)));
  const marks = quantiles.map((l) => l.map((v) => (v === null ? null : position(v, bounds))));
  chart.grid(times, { rows: bounds.map((b) => spelling(b.hi)), cells, marks, between: true }, view.span);
  const series = [...history.series.values()].filter((s) => matches(view.matchers, s.labels));
  const at0 = (/** @type {number} */ at) => from + at;
  return {
    times,
    note: "Each row is a bucket, named by its upper bound; the stronger, the more observations" + (now ? "." : " in that second. Quantiles over " + view.rate + " s.") + (series.length > 1 ? " " + series.length + " series, added up." : ""),
    legend: (at) => {
      let count = 0;
      let sum = 0;
      for (const s of series) { const h = s.values[at0(at)]; if (h) { count += h.n; sum += Number.isFinite(h.s) ? h.s : 0; } }
      return table(family.name + ": quantiles and counts", ["of " + (series.length > 1 ? "all " + series.length + " series" : "the series"), "#value"], [
        ...quantiles.map((l, i) => [named(i + 1, "quantile " + QUANTILES[i]), number(l[at], spelling)]),
        [now ? "observations" : "observations since the reading before", number(totals[at], spell)],
        ["count", number(count, spell)],
        ["sum", number(sum, spelling)],
      ]);
    },
    sheet: () => sheetOf(times, [
      ...QUANTILES.map((q, i) => ({ name: "quantile " + q, line: quantiles[i] })),
      ...bounds.map((b, r) => ({ name: "bucket to " + b.hi, line: Array.from(counts[r], (n, i) => (heat.columns[from + i] ? n : null)) })),
      { name: "count", line: times.map((_, i) => series.reduce((n, s) => n + (s.values[from + i]?.n ?? 0), 0)) },
    ]),
  };
}

/** @param {import("./charts.js").Chart} chart @param {Family} family @param {number[]} times @param {Shown[]} series @param {View} view @returns {Drawn} */
function drawSummary(chart, family, times, series, view) {
  const spelling = spellingOf(family);
  /** @type {{name: string, line: (number | null)[]}[]} */
  const lines = [];
  for (const s of series) {
    for (const [q] of lastOf(s.values)?.q || []) {
      const line = s.values.map((v) => (v === null ? null : v.q.find((/** @type {number[]} */ p) => p[0] === q)?.[1] ?? null));
      lines.push({ name: (s.labels.length ? labelText(s.labels) + ", " : "") + "quantile " + q, line });
    }
  }
  if (!lines.length) { // without quantiles there is the mean of what was observed
    for (const s of series) lines.push({ name: (s.labels.length ? labelText(s.labels) + ", " : "") + "mean over " + view.rate + " s", line: meansOf(times, s.values, view.rate) });
  }
  lines.sort((a, b) => rank(b.line[b.line.length - 1]) - rank(a.line[a.line.length - 1]));
  const top = lines.slice(0, TOP).sort((a, b) => (a.name < b.name ? -1 : 1));
  const others = lines.slice(TOP, TOP + ROWS);
  chart.lines(times, top, view.span, spelling, isBytes(family));
  return {
    times,
    note: lines.length > TOP ? "The largest " + TOP + " of " + lines.length + " lines are drawn; quantiles cannot be summed." : "",
    legend: (at) => table(family.name + ": quantiles and their values", ["quantile", "#value"], [
      ...top.map((l, i) => [named(i, l.name), number(l.line[at], spelling)]),
      ...others.map((l) => [l.name, number(l.line[at], spelling)]),
      ...series.slice(0, TOP).flatMap((s) => [[(s.labels.length ? labelText(s.labels) + ", " : "") + "count", number(s.values[at]?.n, spell)], [(s.labels.length ? labelText(s.labels) + ", " : "") + "sum", number(s.values[at]?.s, spelling)]]),
    ]),
    sheet: () => sheetOf(times, top),
  };
}

/** @param {number[]} times @param {any[]} values @param {number} seconds */
function meansOf(times, values, seconds) {
  const sums = rates(times, values.map((v) => v && v.s), seconds);
  const counts = rates(times, values.map((v) => v && v.n), seconds);
  return sums.map((s, i) => { const n = counts[i]; return s === null || !n ? null : s / n; });
}

/** @param {import("./charts.js").Chart} chart @param {Family} family @param {number[]} times @param {Shown[]} series @param {View} view @returns {Drawn} */
function drawStates(chart, family, times, series, view) {
  const shown = series.slice(0, BANDS);
  /** @type {Set<string>} */
  const all = new Set();
  for (const s of shown) for (const on of s.values) for (const name of on || []) all.add(name);
  const states = [...all].sort();
  const names = shown.map((s) => (s.labels.length ? labelText(s.labels) : "state"));
  const rows = shown.map((s) => pairs(s.labels).map(([, v]) => v).join(", ") || "state");
  const colours = states.map((_, i) => colour(i));
  const cells = shown.map((s) => s.values.map((on) => (on && on.length ? colours[states.indexOf(on[0])] : null)));
  chart.grid(times, { rows, cells, marks: [], between: false }, view.span);
  return {
    times,
    note: series.length > shown.length ? "The first " + shown.length + " of " + series.length + " series are drawn." : "",
    legend: (at) => table(family.name + ": series and their states", ["series", "state"],
      shown.map((s, i) => { const on = s.values[at] || []; return [names[i], on.length ? named(states.indexOf(on[0]), on.join(", ")) : "none"]; })),
    sheet: () => sheetOf(times, shown.map((s, i) => ({ name: names[i], line: s.values.map((on) => (on ? on.join(" ") : null)) }))),
  };
}

/** @param {Family} family @param {number[]} times @param {Shown[]} series @returns {Drawn} */
function showInfos(family, times, series) {
  const present = series.filter((s) => s.values[s.values.length - 1]).slice(0, ROWS);
  const rows = present.flatMap((s) => pairs(s.values[s.values.length - 1]).map(([name, value]) => [s.labels.length ? labelText(s.labels) : "–", name, value]));
  return { times, note: "", legend: () => table(family.name + ": infos", ["series", "label", "value"], rows), sheet: () => ({ heads: ["series", "label", "value"], rows }) };
}

/** @param {string[]} labels names and values in turn @returns {[string, string][]} */
export function pairs(labels) {
  /** @type {[string, string][]} */
  const out = [];
  for (let i = 0; i + 1 < labels.length; i += 2) out.push([labels[i], labels[i + 1]]);
  return out;
}

/** A number with a bar of its share. @param {number} n @param {number} of @param {string} text */
export function shareOf(n, of, text) {
  return el("span", { class: "share" }, bar(of > 0 ? n / of : 0), el("span", {}, text));
}
