// @ts-check
import { byId, el, replace, table } from "./dom.js";
import { pairs, shareOf } from "./draw.js";
import { counted, spellBytes, spellSeconds, when } from "./spelling.js";

/**
 * @typedef {{kind: string, alive: string, name: string, pid: string, start: number, families: number, series: number, used: number, size: number, absorbed: number, spilled: number, reason: string}} Writer
 * @typedef {{time: number, failed: boolean, left_out: number, files: Writer[]}} Writers
 */

/** What an answer says of the target itself. @param {any} data @param {string[] | null} info the labels of target_info */
export function drawTarget(data, info) {
  const cards = [];
  if (info) cards.push(card("Target info", table("Target info", ["label", "value"], pairs(info))));
  cards.push(card("This page", table("This page", ["fact", "value"], [
    ["served since", when(data.start)],
    ["collections", "one each " + spellSeconds(data.interval) + " at most, for all readers together"],
    ["the latest took", spellSeconds(data.duration)],
    ["families left out", String(data.left_out.families) + " (at most " + data.limits.families.toLocaleString("en") + " are listed)"],
    ["series left out of charts", String(data.left_out.series) + " (at most " + data.limits.series.toLocaleString("en") + " of a family are drawn)"],
  ])));
  if (data.writers || data.directory) cards.push(card("Writers", ...writers(data.writers)));
  if (data.collectors) {
    cards.push(card("Custom collectors", data.collectors.length
      ? table("Custom collectors", ["collector", "last run", "#took", "#families", "#faults"], data.collectors.map((/** @type {any} */ c) => [c.name, badge(c.success ? "whole" : "with faults", c.success), spellSeconds(c.duration), String(c.families), String(c.faults)]))
      : el("p", { class: "hint" }, "There are none.")));
    cards.push(card("Faults", data.faults.length
      ? table("Faults", ["what", "#times"], data.faults.map((/** @type {any[]} */ f) => [f[0], f[1].toLocaleString("en")]))
      : el("p", { class: "hint" }, "The registry has met with none.")));
    cards.push(card("Families at their limit of series", data.overflows.length
      ? table("Families at their limit of series", ["family", "#lookups without room"], data.overflows.map((/** @type {any[]} */ f) => [f[0], f[1].toLocaleString("en")]))
      : el("p", { class: "hint" }, "None: every series has had room.")));
  }
  replace(byId("target-body"), ...cards);
}

/** @param {string} title @param {...Node} content */
const card = (title, ...content) => el("section", { class: title === "Writers" ? "card wide" : "card" }, el("h2", {}, title), ...content);

/** @param {string} text @param {boolean} good */
const badge = (text, good) => el("span", { class: good ? "badge good" : "badge bad" }, text);

/** @param {Writers | undefined} w @returns {Node[]} */
function writers(w) {
  if (!w) return [el("p", { class: "hint" }, "They are being looked at.")];
  if (w.failed) return [el("p", { class: "error" }, "The directory cannot be read.")];
  const processes = w.files.filter((f) => f.kind !== "archive");
  const archive = w.files.filter((f) => f.kind === "archive");
  const count = (/** @type {string} */ alive) => processes.filter((f) => f.alive === alive).length;
  const bytes = w.files.reduce((n, f) => n + f.size, 0);
  const used = w.files.reduce((n, f) => n + f.used, 0);
  const facts = [counted(count("yes"), "alive", "alive"), counted(count("no"), "dead", "dead"), counted(archive.reduce((n, f) => n + f.absorbed, 0), "folded", "folded"), spellBytes(bytes)];
  if (count("unknown")) facts.splice(2, 0, counted(count("unknown"), "unknown", "unknown"));
  const rows = [...w.files].sort((a, b) => b.used - a.used).map((f) => [
    f.kind === "archive" ? el("em", {}, "archive of the dead") : f.name || "–", f.pid || "–",
    f.reason ? badge(f.reason, false) : f.kind === "archive" ? counted(f.absorbed, "folded", "folded") : badge(LIVES[f.alive] || f.alive, f.alive === "yes"),
    f.start ? when(f.start) : "–", f.series.toLocaleString("en"), spellBytes(f.size),
    shareOf(f.used, used, used ? ((f.used / used) * 100).toFixed(1) + " %" : "–")]);
  return [
    el("p", { class: "facts" }, ...facts.map((f) => el("span", { class: "badge" }, f))),
    table("Writers", ["writer", "process", "state", "since", "#series", "#bytes", "#share of what is used"], rows),
    ...(w.left_out ? [el("p", { class: "hint" }, w.left_out + " more are not shown.")] : []),
  ];
}

/** @type {Record<string, string>} */
const LIVES = { yes: "alive", no: "dead", unknown: "unknown" };
