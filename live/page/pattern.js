// @ts-check
/**
 * Patterns of matchers, in the syntax of RE2, as in Prometheus. They come with the page's
 * address, and the browser's own expressions can take exponential time: "(a+)+" on thirty
 * letters. Here a text is read once, with the set of all steps that what was read so far
 * leads to, so that the time is at most the product of the pattern's steps and the text.
 *
 * @typedef {(code: number) => boolean} Class whether a character is one of the class
 * @typedef {{class?: Class, edge?: (before: number, after: number) => boolean, to?: number[]}} Step
 * class: takes a character; edge: takes none; to: goes on elsewhere, relative to itself
 * @typedef {{i: boolean, s: boolean, m: boolean}} Flags
 */

/** The most steps that a pattern has; a{100} has a hundred. */
const MOST_STEPS = 1000;
/** The most steps that are taken for a text, and for all texts in a second. */
const MOST_WORK = 5_000_000;
const DEEPEST = 50;
const MOST_KEPT = 20_000; // answers, of texts that were asked before

const NONE = -1; // the character before the first and after the last

/** @param {string} s */
const codesOf = (s) => Array.from(s, (c) => /** @type {number} */ (c.codePointAt(0)));
/** @param {number} from @param {number} to @returns {Class} */
const range = (from, to) => (c) => c >= from && c <= to;
/** @param {string} s @returns {Class} */
const among = (s) => (c) => s.includes(String.fromCodePoint(c));
/** @param {Class[]} all @returns {Class} */
const either = (all) => (c) => all.some((one) => one(c));
/** @param {Class} one @returns {Class} */
const not = (one) => (c) => !one(c);

const digit = range(48, 57);
const letter = either([range(65, 90), range(97, 122)]);
const word = either([digit, letter, among("_")]);
const space = among("\t\n\f\r ");

/** @type {Map<string, Class>} */
const ESCAPED = new Map([["d", digit], ["D", not(digit)], ["w", word], ["W", not(word)], ["s", space], ["S", not(space)]]);
/** @type {Map<string, number>} */
const CONTROLS = new Map([["a", 7], ["t", 9], ["n", 10], ["v", 11], ["f", 12], ["r", 13]]);
/** @type {Map<string, Class>} */
const POSIX = new Map([
  ["alnum", either([digit, letter])], ["alpha", letter], ["ascii", range(0, 127)], ["blank", among("\t ")], ["cntrl", either([range(0, 31), range(127, 127)])],
  ["digit", digit], ["graph", range(33, 126)], ["lower", range(97, 122)], ["print", range(32, 126)],
  ["punct", either([range(33, 47), range(58, 64), range(91, 96), range(123, 126)])], ["space", either([space, range(11, 11)])],
  ["upper", range(65, 90)], ["word", word], ["xdigit", either([digit, range(65, 70), range(97, 102)])],
]);

/** @param {number} before @param {number} after */
const atWord = (before, after) => (before !== NONE && word(before)) !== (after !== NONE && word(after));

/** Takes both cases. @param {Class} one @returns {Class} */
const folded = (one) => (c) => {
  const s = String.fromCodePoint(c);
  return one(c) || [s.toLowerCase(), s.toUpperCase()].some((other) => codesOf(other).length === 1 && one(codesOf(other)[0]));
};

/** The characters of a category or script of Unicode. @param {string} name @returns {Class} */
function unicode(name) {
  for (const of of [name, "Script=" + name]) {
    try {
      const one = new RegExp("^\\p{" + of + "}$", "u"); // of a single character
      return (c) => one.test(String.fromCodePoint(c));
    } catch { /* the other, then */ }
  }
  throw new SyntaxError("there is no class \\p{" + name + "}");
}

class Parser {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.depth = 0;
  }

  /** Takes what is next if it looks so. @param {RegExp} form from the beginning @returns {RegExpExecArray | null} */
  take(form) {
    const m = form.exec(this.text);
    if (m) this.text = this.text.slice(m[0].length);
    return m;
  }

  /** @param {Flags} flags @returns {Step[]} */
  alternatives(flags) {
    if (++this.depth > DEEPEST) throw new SyntaxError("its groups are too deep");
    const inside = { ...flags };
    const all = [this.sequence(inside)];
    while (this.take(/^\|/)) all.push(this.sequence(inside));
    this.depth--;
    return all.reduceRight((rest, one) => bounded([{ to: [1, one.length + 2] }, ...one, { to: [rest.length + 1] }, ...rest]));
  }

  /** @param {Flags} flags changed by (?i) @returns {Step[]} */
  sequence(flags) {
    /** @type {Step[]} */
    let steps = [];
    while (this.text && !/^[|)]/.test(this.text)) steps = bounded([...steps, ...this.repeated(this.atom(flags))]);
    return steps;
  }

  /** @param {Step[]} one @returns {Step[]} */
  repeated(one) {
    const counts = this.counts();
    if (!counts) return one;
    this.take(/^\?/); // whether there is a match does not depend on which is preferred
    if (this.counts()) throw new SyntaxError("a repetition is repeated");
    const [least, most] = counts;
    if (Math.max(least, most === Infinity ? 1 : most) * (one.length + 1) > MOST_STEPS) throw new SyntaxError("it is too large");
    /** @type {Step[]} */
    const steps = [];
    for (let n = 0; n < least; n++) steps.push(...one);
    if (most === Infinity) return bounded([...steps, { to: [1, one.length + 2] }, ...one, { to: [-one.length - 1] }]);
    for (let left = most - least; left > 0; left--) steps.push({ to: [1, left * (one.length + 1)] }, ...one);
    return bounded(steps);
  }

  /** @returns {[number, number] | null} */
  counts() {
    const m = this.take(/^(?:([*+?])|\{(\d{1,9})(,?)(\d{0,9})\})/);
    if (!m) return null; // of a brace that is a character, too
    if (m[1]) return m[1] === "*" ? [0, Infinity] : m[1] === "+" ? [1, Infinity] : [0, 1];
    const least = Number(m[2]), most = m[4] ? Number(m[4]) : m[3] ? Infinity : least;
    if (least > 1000 || most !== Infinity && most > 1000 || least > most) throw new SyntaxError("the numbers of " + m[0] + " are not of 0 to 1000, the smaller first");
    return [least, most];
  }

  /** @param {Flags} flags @returns {Step[]} */
  atom(flags) {
    const m = /** @type {RegExpExecArray} */ (this.take(/^[^]/u));
    switch (m[0]) {
      case "(": return this.group(flags);
      case ".": return [{ class: flags.s ? () => true : (c) => c !== 10 }];
      case "^": return [{ edge: flags.m ? (before) => before === NONE || before === 10 : (before) => before === NONE }];
      case "$": return [{ edge: flags.m ? (_, after) => after === NONE || after === 10 : (_, after) => after === NONE }];
      case "[": return [{ class: this.set(flags) }];
      case "\\": return this.escape(flags);
    }
    this.text = m[0] + this.text;
    if (this.counts()) throw new SyntaxError("there is nothing to repeat");
    this.text = this.text.slice(m[0].length);
    return this.characters(m[0], flags);
  }

  /** @param {string} s @param {Flags} flags @returns {Step[]} */
  characters(s, flags) {
    return codesOf(s).map((code) => ({ class: flags.i ? folded(range(code, code)) : range(code, code) }));
  }

  /** @param {Flags} flags @returns {Step[]} */
  group(flags) {
    let inside = flags;
    const m = this.take(/^\?(?:P?<\w+>|([imsU]*)(?:-([imsU]+))?([:)]))/);
    if (!m && this.text.startsWith("?")) throw new SyntaxError("a group begins with (, (?: or (?P<name>; looking ahead and behind is not in RE2");
    if (m && m[3]) {
      inside = { ...flags };
      for (const flag of m[1]) inside[/** @type {"i"} */ (flag)] = true;
      for (const flag of m[2] || "") inside[/** @type {"i"} */ (flag)] = false;
      if (m[3] === ")") {
        Object.assign(flags, inside);
        if (this.counts()) throw new SyntaxError("there is nothing to repeat");
        return [];
      }
    }
    const steps = this.alternatives(inside);
    if (!this.take(/^\)/)) throw new SyntaxError("a group has no end");
    return steps;
  }

  /** What a backslash begins, outside of a set. @param {Flags} flags @returns {Step[]} */
  escape(flags) {
    const quoted = this.take(/^Q([^]*?)(?:\\E|$)/);
    if (quoted) { // a repetition is of the last character
      const steps = this.characters(quoted[1], flags);
      if (steps.length) return [...steps.slice(0, -1), ...this.repeated(steps.slice(-1))];
      if (this.counts()) throw new SyntaxError("there is nothing to repeat");
      return [];
    }
    const edge = this.take(/^[bBAz]/);
    switch (edge && edge[0]) {
      case "b": return [{ edge: atWord }];
      case "B": return [{ edge: (before, after) => !atWord(before, after) }];
      case "A": return [{ edge: (before) => before === NONE }];
      case "z": return [{ edge: (_, after) => after === NONE }];
    }
    const one = this.escaped();
    return typeof one === "number" ? this.characters(String.fromCodePoint(one), flags) : [{ class: flags.i ? folded(one) : one }];
  }

  /** What a backslash begins, anywhere. @returns {number | Class} */
  escaped() {
    const property = this.take(/^([pP])(?:([A-Za-z])|\{(\^?)([A-Za-z_]+)\})/);
    if (property) {
      const one = unicode(property[2] || property[4]);
      return (property[1] === "P") !== (property[3] === "^") ? not(one) : one;
    }
    const number = this.take(/^(?:x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,6})\}|(0[0-7]{0,2}|[1-7][0-7]{1,2}))/);
    if (number) {
      const code = number[3] ? parseInt(number[3], 8) : parseInt(number[1] || number[2], 16);
      if (code > 0x10ffff) throw new SyntaxError("there is no character \\" + number[0]);
      return code;
    }
    const m = this.take(/^[^]/u);
    if (!m) throw new SyntaxError("a backslash is the last character");
    const known = ESCAPED.get(m[0]) ?? CONTROLS.get(m[0]);
    if (known !== undefined) return known;
    if (/^[A-Za-z0-9]|[^\0-\x7f]/.test(m[0])) throw new SyntaxError("\\" + m[0] + " has no meaning in RE2");
    return codesOf(m[0])[0];
  }

  /** What follows a bracket. @param {Flags} flags @returns {Class} */
  set(flags) {
    const inverted = this.take(/^\^/);
    /** @type {Class[]} */
    const all = [];
    for (let first = true; first || !this.text.startsWith("]"); first = false) {
      const posix = this.take(/^\[:(\^?)(\w+):\]/);
      if (posix) {
        const one = POSIX.get(posix[2]);
        if (!one) throw new SyntaxError("there is no class " + posix[0]);
        all.push(posix[1] ? not(one) : one);
        continue;
      }
      const from = this.member();
      if (typeof from !== "number") {
        all.push(from);
        continue;
      }
      const to = this.take(/^-(?=[^\]])/) ? this.member() : from;
      if (typeof to !== "number" || to < from) throw new SyntaxError("a range of characters goes from a smaller to a larger one");
      all.push(range(from, to));
    }
    this.take(/^\]/);
    const one = flags.i ? folded(either(all)) : either(all);
    return inverted ? not(one) : one;
  }

  /** @returns {number | Class} */
  member() {
    const m = this.take(/^[^]/u);
    if (!m) throw new SyntaxError("a bracket has no end");
    return m[0] === "\\" ? this.escaped() : codesOf(m[0])[0];
  }
}

/** @param {Step[]} steps */
function bounded(steps) {
  if (steps.length > MOST_STEPS) throw new SyntaxError("it is too large");
  return steps;
}

/** Work since then, of all patterns. */
let spent = 0, since = 0;

/**
 * Returns a function that reports whether the whole of a text matches. A text that takes
 * too much work does not; beyond the work of a second texts wait for the next one, and
 * do not match until then.
 * @param {string} text
 * @returns {(text: string) => boolean}
 */
export function compile(text) {
  const parser = new Parser(text);
  const steps = parser.alternatives({ i: false, s: true, m: false });
  if (parser.text) throw new SyntaxError("a ) has no (");
  /** @type {Map<string, boolean>} */
  const kept = new Map();
  return (value) => {
    const known = kept.get(value);
    if (known !== undefined) return known;
    const now = performance.now();
    if (now - since >= 1000) [spent, since] = [0, now];
    if (spent >= MOST_WORK) return false;
    const [answer, work] = run(steps, value);
    spent += work;
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(value, answer);
    return answer;
  };
}

/** @param {Step[]} steps @param {string} text @returns {[boolean, number]} whether the whole text matches, and the work */
function run(steps, text) {
  const seen = new Int32Array(steps.length + 1).fill(-1); // at which character the step was reached
  let work = 0;
  let before = NONE;
  let reached = [0];
  let at = 0;
  for (let i = 0; ; i += at > 0xffff ? 2 : 1) {
    at = i < text.length ? /** @type {number} */ (text.codePointAt(i)) : NONE;
    /** @type {number[]} */
    const next = [];
    while (reached.length) {
      const n = /** @type {number} */ (reached.pop());
      if (seen[n] === i) continue;
      seen[n] = i;
      if (++work > MOST_WORK) return [false, work];
      if (n === steps.length) {
        if (at === NONE) return [true, work];
        continue;
      }
      const step = steps[n];
      if (step.to) for (const to of step.to) reached.push(n + to);
      else if (step.edge) { if (step.edge(before, at)) reached.push(n + 1); }
      else if (at !== NONE && step.class && step.class(at)) next.push(n + 1);
    }
    if (at === NONE || !next.length) return [false, work];
    reached = next;
    before = at;
  }
}
