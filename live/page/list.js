// @ts-check
import { breakable, byId, el, say, sign } from "./dom.js";
import { counted } from "./spelling.js";

/** How many families the list has at once. */
const LISTED = 300;

/**
 * @typedef {import("./panel.js").Family} Family
 * @typedef {import("./matchers.js").Query} Query
 */

/** The list of families. Tab reaches one of them, the arrows the others. */
export class FamilyList {
  /** @param {(name: string) => void} choose */
  constructor(choose) {
    this.choose = choose;
    this.list = byId("families");
    this.more = byId("more");
    this.shape = "";
    /** @type {Map<string, HTMLElement>} */
    this.counts = new Map();
    this.list.addEventListener("keydown", (e) => this.#move(e));
  }

  /** @param {Family[]} found @param {number} all @param {Set<string>} shown @param {Set<string>} pinned */
  draw(found, all, shown, pinned) {
    const listed = found.slice(0, LISTED);
    const shape = JSON.stringify(listed.map((f) => [f.name, f.type, shown.has(f.name), pinned.has(f.name)]));
    if (shape !== this.shape) {
      this.shape = shape;
      const focused = document.activeElement instanceof HTMLElement && this.list.contains(document.activeElement) ? document.activeElement.dataset.family : undefined;
      this.counts.clear();
      this.list.replaceChildren(...listed.map((f) => this.#row(f, shown.has(f.name), pinned.has(f.name))));
      const buttons = this.#buttons();
      const current = buttons.find((b) => b.dataset.family === focused);
      (current || buttons.find((b) => b.hasAttribute("aria-current")) || buttons[0])?.setAttribute("tabindex", "0");
      current?.focus({ preventScroll: true });
    }
    for (const f of listed) {
      const grown = f.series - f.before;
      const node = this.counts.get(f.name);
      if (node) say(node, String(f.series) + (grown ? " (" + (grown > 0 ? "+" : "") + grown + ")" : ""));
    }
    say(this.more, found.length > listed.length
      ? counted(listed.length, "family", "families") + " of " + found.length + " that match: search for others."
      : found.length === all ? counted(all, "family", "families") : found.length + " of " + counted(all, "family", "families"));
  }

  /** @returns {HTMLElement[]} */
  #buttons() {
    return [...this.list.querySelectorAll("button")];
  }

  /** @param {Family} f @param {boolean} shown @param {boolean} pinned */
  #row(f, shown, pinned) {
    const count = el("span", { class: "count" });
    this.counts.set(f.name, count);
    return el("li", {}, el("button", { type: "button", class: "name", title: f.help, tabindex: "-1", "data-family": f.name, "aria-current": shown && "true", click: () => this.choose(f.name) },
      sign(f.type), el("span", { class: "of" }, breakable("span", { class: "family" }, f.name), el("small", {}, [f.type, f.unit, pinned && "pinned"].filter(Boolean).join(" · "))), count));
  }

  /** @param {KeyboardEvent} e */
  #move(e) {
    const buttons = this.#buttons();
    const at = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[e.key];
    if (at < 0 || to === undefined || !buttons[to]) return;
    e.preventDefault();
    buttons[at].setAttribute("tabindex", "-1");
    buttons[to].setAttribute("tabindex", "0");
    buttons[to].focus();
  }
}

/** Returns the families that a query finds, in an order. @param {Family[]} families @param {Query} query @param {string} order */
export function find(families, query, order) {
  const found = families.filter((f) => fits(f, query));
  if (order === "name") found.sort((a, b) => (a.name < b.name ? -1 : 1));
  if (order === "series") found.sort((a, b) => b.series - a.series);
  if (order === "growth") found.sort((a, b) => b.series - b.before - (a.series - a.before));
  return found;
}

/** @param {Family} f @param {Query} query */
function fits(f, query) {
  return query.words.every((w) => f.text.includes(w)) && query.matchers.every((m) => m.test("") || f.labels.includes(m.name));
}
