// @ts-check
import { compile, loaded } from "./pattern.js";

/**
 * @typedef {{name: string, op: string, value: string, test: (v: string) => boolean}} Matcher
 * @typedef {{test: (v: string) => boolean, error: string}} Pattern
 * @typedef {{words: string[], matchers: Matcher[], error: string, waits?: boolean}} Query
 * waits: the error lasts until the patterns' library is loaded
 */

const MATCHER = /^\s*(?:"((?:[^"\\]|\\.)*)"|([A-Za-z_][A-Za-z0-9_]*))\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*/;

/** The most patterns of a query, and the most that are kept. */
const MOST_PATTERNS = 8;

/** @type {Map<string, Pattern>} the latest patterns, with the answers that they keep */
const patterns = new Map();

/** Compiles a pattern, unless it is one of the latest. @param {string} text */
function patternOf(text) {
  const pattern = patterns.get(text) || attempt(text);
  patterns.delete(text);
  patterns.set(text, pattern);
  if (patterns.size > MOST_PATTERNS) patterns.delete(/** @type {string} */ (patterns.keys().next().value));
  return pattern;
}

/** @param {string} text @returns {Pattern} */
function attempt(text) {
  try {
    return { test: compile(text), error: "" };
  } catch (e) {
    return { test: () => false, error: /** @type {Error} */ (e).message };
  }
}

/** @param {string} s */
const unquote = (s) => s.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));

/**
 * Reads words and, in braces, matchers as in PromQL.
 * @param {string} text
 * @returns {Query}
 */
export function parseQuery(text) {
  const open = text.indexOf("{");
  const words = (open < 0 ? text : text.slice(0, open)).toLowerCase().split(/\s+/).filter(Boolean);
  /** @type {Matcher[]} */
  const matchers = [];
  const failed = (/** @type {string} */ error) => ({ words, matchers: [], error });
  if (open < 0) return { words, matchers, error: "" };
  let rest = text.slice(open + 1).trim();
  let counted = 0; // patterns
  while (rest !== "" && rest !== "}") {
    const m = MATCHER.exec(rest);
    if (!m) return failed('A matcher is written label="value", with =, !=, =~ or !~.');
    const value = unquote(m[4]);
    const name = m[1] === undefined ? m[2] : unquote(m[1]);
    let test = (/** @type {string} */ v) => v === value;
    if (m[3].endsWith("~")) {
      if (!loaded()) return { ...failed("The library of patterns is being loaded."), waits: true };
      if (++counted > MOST_PATTERNS) return failed("There are more than " + MOST_PATTERNS + " patterns.");
      const pattern = patternOf(value);
      if (pattern.error) return failed("The pattern of " + name + " cannot be read: " + pattern.error + ".");
      test = pattern.test;
    }
    matchers.push({ name, op: m[3], value, test: m[3].startsWith("!") ? (v) => !test(v) : test });
    rest = rest.slice(m[0].length);
    if (rest.startsWith(",")) rest = rest.slice(1).trim();
    else if (rest !== "" && rest !== "}") return failed("Matchers are separated by commas.");
  }
  return { words, matchers, error: "" };
}

/**
 * Reports whether labels, names and values in turn, match.
 * @param {Matcher[]} matchers
 * @param {string[]} labels
 */
export function matches(matchers, labels) {
  return matchers.every((m) => {
    for (let i = 0; i < labels.length; i += 2) if (labels[i] === m.name) return m.test(labels[i + 1]);
    return m.test(""); // a label that is missing is empty
  });
}

/** @param {string} s */
const quote = (s) => '"' + s.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n") + '"';

/**
 * Writes a selector.
 * @param {string} name
 * @param {{name: string, op: string, value: string}[]} matchers
 */
export function selector(name, matchers) {
  const legacy = /^[A-Za-z_:][A-Za-z0-9_:]*$/.test(name);
  const inside = matchers.map((m) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(m.name) ? m.name : quote(m.name)) + m.op + quote(m.value));
  if (!legacy) inside.unshift(quote(name));
  return (legacy ? name : "") + (inside.length ? "{" + inside.join(",") + "}" : "");
}

/**
 * Writes labels as on a page.
 * @param {string[]} labels
 */
export function labelText(labels) {
  const pairs = [];
  for (let i = 0; i < labels.length; i += 2) pairs.push(labels[i] + "=" + quote(labels[i + 1]));
  return pairs.length ? pairs.join(", ") : "(no labels)";
}
