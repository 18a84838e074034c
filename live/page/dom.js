// @ts-check
/**
 * Makes an element. Texts become text nodes, so that nothing in them is markup.
 * @param {string} tag
 * @param {Record<string, string | boolean | ((e: Event) => void)>} [attributes] functions are listeners; false leaves one out
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/**
 * Returns an element of the page that is always there.
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error("no element " + id);
  return /** @type {T} */ (node);
}

/**
 * Makes the text of a name, which a line may break behind the signs that separate its words.
 * @param {string} tag @param {Record<string, string>} attributes @param {string} name
 */
export function breakable(tag, attributes, name) {
  return el(tag, attributes, ...name.split(/(?<=[_:./])/).flatMap((part, i) => (i ? [el("wbr"), part] : [part])));
}

/** Sets a text if it is another. @param {HTMLElement} node @param {string} text */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @typedef {{text: string, exact?: string}} Value a number as it is spelled, and whole */

/**
 * Makes a table that scrolls.
 * @param {string} caption what a screen reader says
 * @param {string[]} heads those that begin with # are of numbers
 * @param {(string | Node | Value)[][]} rows
 * @returns {HTMLElement}
 */
export function table(caption, heads, rows) {
  const isNumber = heads.map((h) => h.startsWith("#"));
  const cls = (/** @type {number} */ i) => ({ class: isNumber[i] && "number" });
  const cell = (/** @type {string | Node | Value} */ c, /** @type {number} */ i) =>
    typeof c === "string" || c instanceof Node ? el("td", cls(i), c) : el("td", { ...cls(i), "data-exact": c.exact ?? false, title: c.exact ?? false }, c.text);
  const head = el("tr", {}, ...heads.map((h, i) => el("th", { scope: "col", ...cls(i) }, h.replace(/^#/, ""))));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows.map((r) => el("tr", {}, ...r.map(cell))))));
}

/**
 * Puts a new content in the place of the old, where the reader has scrolled to, and
 * leaves the focus at the button or region of the same name.
 * @param {HTMLElement} node @param {...Node} content
 */
export function replace(node, ...content) {
  const scrolled = [...node.querySelectorAll(".scroll")].map((s) => s.scrollTop);
  const focused = node.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  node.replaceChildren(...content);
  node.querySelectorAll(".scroll").forEach((s, i) => { if (scrolled[i]) s.scrollTop = scrolled[i]; });
  if (focused === null) return;
  for (const candidate of node.querySelectorAll("button, a, [tabindex]")) {
    if (nameOf(candidate) === focused) return /** @type {HTMLElement} */ (candidate).focus({ preventScroll: true });
  }
}

/** @param {Element | null} node */
const nameOf = (node) => node && (node.getAttribute("aria-label") || node.textContent);

/** A bar of a share, beside which its number stands. @param {number} share from 0 to 1 */
export function bar(share) {
  const inner = el("span", { class: "fill" });
  inner.style.width = (Math.min(1, Math.max(0, share || 0)) * 100).toFixed(1) + "%";
  return el("span", { class: "bar", "aria-hidden": "true" }, inner);
}

/** The sign of a type, before a family's name. @param {string} type */
export function sign(type) {
  return el("span", { class: "sign of-" + type, "aria-hidden": "true" }, SIGNS[type] || "?");
}

/** @type {Record<string, string>} */
const SIGNS = { counter: "C", gauge: "G", histogram: "H", gaugehistogram: "H", summary: "S", stateset: "E", info: "I", unknown: "?" };
