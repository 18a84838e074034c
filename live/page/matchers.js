// @ts-check
import { compile } from "./pattern.js";

/**
 * @typedef {{name: string, op: string, value: string, test: (v: string) => boolean}} Matcher
 * @typedef {{words: string[], matchers: Matcher[], error: string}} Query
 */

const MATCHER = /^\s*(?:"((?:[^"\\]|\\.)*)"|([A-Za-z_][A-Za-z0-9_]*))\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*/;

/** @type {Map<string, (v: string) => boolean>} the latest patterns, with the answers that they keep */
const patterns = new Map();

/** @param {string} pattern */
function patternOf(pattern) {
  const test = patterns.get(pattern) || compile(pattern);
  patterns.delete(pattern);
  patterns.set(pattern, test);
  if (patterns.size > 8) patterns.delete(/** @type {string} */ (patterns.keys().next().value));
  return test;
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
  while (rest !== "" && rest !== "}") {
    const m = MATCHER.exec(rest);
    if (!m) return failed('A matcher is written label="value", with =, !=, =~ or !~.');
    const value = unquote(m[4]);
    const name = m[1] === undefined ? m[2] : unquote(m[1]);
    let test = (/** @type {string} */ v) => v === value;
    if (m[3].endsWith("~")) {
      try {
        test = patternOf(value);
      } catch (e) {
        return failed("The pattern of " + name + " cannot be read: " + /** @type {Error} */ (e).message + ".");
      }
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
