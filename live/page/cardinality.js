// @ts-check
import { breakable, byId, el, replace, sign, table } from "./dom.js";
import { shareOf } from "./draw.js";
import { counted } from "./spelling.js";

/** How many families the table has. */
const ROWS = 100;

/**
 * @typedef {import("./panel.js").Family} Family
 * @typedef {{name: string, values: number, beyond: number, top: [string, number][]}} Label beyond: series with values that are not told apart
 */

/** Which families and labels make how many series, and which grow. */
export class Cardinality {
  /** @param {(name: string) => void} choose */
  constructor(choose) {
    this.choose = choose;
    /** The number of values of each label when it was first seen. @type {Map<string, number>} */
    this.first = new Map();
  }

  /** @param {Family[]} found @param {Family[]} all @param {Family | undefined} chosen @param {Label[] | undefined} labels of the chosen one, if they are known */
  draw(found, all, chosen, labels) {
    const total = all.reduce((n, f) => n + f.series, 0);
    const before = all.reduce((n, f) => n + f.before, 0);
    const largest = found.reduce((n, f) => Math.max(n, f.series), 0);
    replace(byId("cardinality-families"),
      el("p", {}, counted(total, "series", "series") + " in " + counted(all.length, "family", "families") + (total === before ? "" : "; " + signed(total - before) + " since the page was opened") + "."),
      table("Families and their series", ["family", "#series", "#of all", "#grown"], found.slice(0, ROWS).map((f) => [
        el("button", { type: "button", class: "plain", "aria-current": f === chosen && "true", click: () => this.choose(f.name) }, sign(f.type), breakable("span", {}, f.name)),
        shareOf(f.series, largest, f.series.toLocaleString("en")), total ? +((f.series / total) * 100).toPrecision(2) + " %" : "–", f.series === f.before ? "–" : signed(f.series - f.before)])),
      ...(found.length > ROWS ? [el("p", { class: "hint" }, "The first " + ROWS + " of " + counted(found.length, "family", "families") + "; search for others, or sort them.")] : []));
    replace(byId("cardinality-labels"), ...this.#labels(chosen, labels));
  }

  /** @param {Family | undefined} family @param {Label[] | undefined} labels @returns {Node[]} */
  #labels(family, labels) {
    if (!family) return [el("p", { class: "hint" }, "Choose a family to see the values of its labels.")];
    const head = breakable("h2", {}, family.name);
    if (!labels) return [head, el("p", { class: "hint" }, "The values of its labels are being counted.")];
    if (!labels.length) return [head, el("p", { class: "hint" }, "It has no labels.")];
    return [head, ...labels.map((l) => {
      const key = JSON.stringify([family.name, l.name]);
      if (!this.first.has(key)) this.first.set(key, l.values);
      const grown = l.values - (this.first.get(key) ?? l.values);
      return el("section", { class: "card", "data-label": l.name },
        el("h3", {}, l.name, el("span", { class: "hint" }, " " + counted(l.values, "value") + (l.beyond ? ", and " + counted(l.beyond, "series", "series") + " with further ones" : "") + (grown ? ", " + signed(grown) : ""))),
        table("Values of " + l.name, ["value", "#series"], l.top.map(([value, n]) => [value === "" ? el("em", {}, "(empty)") : value, shareOf(n, l.top[0][1], n.toLocaleString("en"))])),
        ...(l.values > l.top.length ? [el("p", { class: "hint" }, "The " + l.top.length + " that most series have.")] : []));
    })];
  }
}

/** @param {number} n */
const signed = (n) => (n > 0 ? "+" : "") + n.toLocaleString("en");
