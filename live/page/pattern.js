// @ts-check
/**
 * Patterns of matchers, in the syntax of RE2, as in Prometheus. They come with the page's
 * address, so they are matched by a library that takes linear time, re2js, instead of the
 * browser's own expressions. This module bounds what the library does not: the time that a
 * pattern takes to be compiled, and the time that texts take in a second.
 */

/** The most characters of a pattern. */
const MOST_LENGTH = 1000;
/** The most characters of a pattern, each as often as the repetitions of it say: a{100} counts 600. */
const MOST_SIZE = 20_000;
/** What a range of characters beyond ASCII counts if case is ignored: each character is looked up. */
const WIDE = 5000;
/** The largest product of nested repetitions that RE2 accepts. */
const MOST_REPEATED = 1000;
/** The most work for a text, and for all texts in a second: instructions of the program, times characters. */
const MOST_WORK = 2_000_000;
const MOST_KEPT = 20_000; // answers, of texts that were asked before

/** The library, after load. @type {typeof import("./re2js.js") | null} */
let library = null;

/** Reports whether patterns can be compiled. */
export const loaded = () => library !== null;

/** Loads the library, which most visits do not need. */
export const load = () => import("./re2js.js").then((module) => { library = module; });

/** At least the size of a pattern with its repetitions written out. @param {string} text */
function sizeOf(text) {
  let groups = 1, single = 1; // what groups are repeated multiplies, what characters are does not
  for (const [, group, least, most] of text.matchAll(/(\)?)\{(\d+)(?:,(\d*))?\}/g)) {
    const count = Math.max(1, Number(least), Number(most || 0));
    if (group) groups *= count;
    else single = Math.max(single, count);
  }
  const wide = /\(\?[A-Za-z]*i/.test(text) ? (text.match(/-(?:\\x|[^\0-\x7f])/g) || []).length : 0;
  return text.length * Math.min(groups * single, MOST_REPEATED) + wide * WIDE;
}

/** Work since then, of all patterns. */
let spent = 0, since = -Infinity;

/**
 * Returns a function that reports whether the whole of a text matches; the library must be
 * loaded. A text that would take too much work does not match; beyond the work of a second,
 * texts wait for the next one, and do not match until then. A pattern that is wrong or too
 * large is a SyntaxError.
 * @param {string} text
 * @returns {(text: string) => boolean}
 */
export function compile(text) {
  if (!library) throw new Error("the library of patterns is not loaded");
  if (text.length > MOST_LENGTH || sizeOf(text) > MOST_SIZE) throw new SyntaxError("it is too large");
  const { RE2JS, RE2JSSyntaxException } = library;
  /** @type {import("./re2js.js").RE2JS} */
  let compiled;
  try {
    compiled = RE2JS.compile(text, RE2JS.DOTALL);
  } catch (e) {
    if (!(e instanceof RE2JSSyntaxException)) throw e;
    const part = e.getPattern();
    // The library puts the flag before the pattern.
    throw new SyntaxError(e.getDescription() + (part ? " in " + part.replace(/^\(\?s\)/, "") : ""));
  }
  const steps = compiled.programSize();
  /** @type {Map<string, boolean>} */
  const kept = new Map();
  return (value) => {
    const known = kept.get(value);
    if (known !== undefined) return known;
    const now = performance.now();
    if (now - since >= 1000) [spent, since] = [0, now];
    const work = steps * (value.length + 1);
    if (spent + work > MOST_WORK) return false;
    spent += work;
    const answer = compiled.testExact(value);
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(value, answer);
    return answer;
  };
}
