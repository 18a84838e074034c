// @ts-check
// The page's modules that need no browser, as npm run types has copied them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { csvOf } from "./build/page/csv.js";
import { History } from "./build/page/history.js";
import { bucketsOf, increase, quantile, rates, roomy } from "./build/page/numbers.js";
import { parseQuery } from "./build/page/matchers.js";
import { compile, load } from "./build/page/pattern.js";

/** @typedef {import("./build/page/numbers.js").Histogram} Histogram */

/** @param {number[]} le @param {number[]} b @returns {Histogram} */
const classic = (le, b) => ({ n: b[b.length - 1], s: 0, le, b });

/** A native histogram of schema 0. @param {number[]} negative @param {number} zero @param {number[]} positive @param {number} [from] the first index @returns {Histogram} */
const native = (negative, zero, positive, from = 1) => ({
  n: [...negative, zero, ...positive].reduce((a, b) => a + b, 0), s: 0, le: [], b: [],
  native: { schema: 0, zero, threshold: 0.5, ps: [from, positive.length], p: positive, ns: [from, negative.length], n: negative, bounds: [] },
});

/** The buckets in order. @param {Histogram} h */
const sorted = (h) => [...bucketsOf(h, 0).values()].sort((a, b) => a.hi - b.hi);

test("quantiles are those of PromQL's histogram_quantile", () => {
  const cases = /** @type {[string, number, Histogram, number | null][]} */ ([
    ["a straight line in a bucket", 0.5, classic([1, 2, Infinity], [0, 10, 10]), 1.5],
    ["from zero in the first bucket", 0.5, classic([4, Infinity], [10, 10]), 2],
    ["a first bucket below zero", 0.5, classic([-1, 1, Infinity], [10, 10, 10]), -1],
    ["a bucket with zero in it", 0.5, classic([-1, 1, Infinity], [0, 10, 10]), 0],
    ["the bucket without an end", 0.9, classic([1, 2, Infinity], [0, 1, 10]), 2],
    ["the end of a bucket", 0.5, classic([1, 2, 4, Infinity], [5, 5, 10, 10]), 1],
    ["no bound at all", 0.5, classic([Infinity], [10]), null],
    ["nothing observed", 0.5, classic([1, Infinity], [0, 0]), null],
    ["an exponential bucket", 0.5, native([], 0, [10]), Math.SQRT2],
    ["a negative one", 0.5, native([10], 0, []), -Math.SQRT2],
    ["the zero bucket beside positive ones", 0.25, native([], 10, [10]), 0.25],
    ["the zero bucket beside negative ones", 0.75, native([10], 10, []), -0.25],
    ["the zero bucket between both", 0.5, native([10], 10, [10]), 0],
    ["the zero bucket alone", 0.75, native([], 10, []), 0.25],
    ["half of what two distant buckets have", 0.5, native([], 0, [10, 0, 10]), 4],
    ["less than half of it", 0.4, native([], 0, [10, 0, 10]), 2 ** 0.8],
  ]);
  for (const [name, q, h, want] of cases) {
    const got = quantile(q, sorted(h));
    assert.ok(want === null ? got === null : got !== null && Math.abs(got - want) < 1e-12, name + ": " + got + ", not " + want);
  }
});

test("a counter and a histogram that fell have begun again at zero", () => {
  assert.deepEqual(rates([0, 1, 2, 3], [10, 12, 3, 4], 1), [null, 2, 3, 1]);
  assert.deepEqual(rates([0, 1, 2, 3], [null, 12, null, 16], 60), [null, null, null, 2]);
  const counts = (/** @type {Map<string, any>} */ m) => [...m.values()].map((b) => b.count);
  assert.deepEqual(counts(increase(classic([1, Infinity], [3, 5]), classic([1, Infinity], [4, 9]), 0)), [1, 3]);
  assert.deepEqual(counts(increase(classic([1, Infinity], [3, 5]), classic([1, Infinity], [1, 2]), 0)), [1, 1]);
  assert.deepEqual(counts(increase(classic([1, Infinity], [3, 5]), classic([1, Infinity], [2, 9]), 0)), [2, 7]);
});

test("a family that comes back with another type is begun anew", () => {
  const history = new History();
  history.add("x", "counter", 1, [{ l: [], v: 1 }], 1, 1);
  history.add("x", "histogram", 2, [{ l: [], n: 1, s: 1, le: [1, "+Inf"], b: [1, 1] }], 1, 1);
  const f = history.families.get("x");
  assert.deepEqual(f?.times, [2]);
  assert.equal(f?.series.get("[]")?.values[0].n, 1);
});

test("what is kept has a limit, whatever series come and go", () => {
  for (const [what, series, label, numbers] of /** @type {[string, number, number, number][]} */ ([
    ["many series", 200, 1, 1], ["long labels", 10, 2000, 1], ["many buckets", 5, 1, 2000],
  ])) {
    const limit = 40_000;
    const history = new History(limit);
    for (let time = 1; time <= 60; time++) {
      const points = [];
      for (let i = 0; i < series; i++) {
        const l = ["l", "v".repeat(label) + time + "/" + i];
        points.push(numbers > 1 ? { l, n: 1, s: 1, ...(i === 0 && { le: new Array(numbers).fill(1) }), b: new Array(numbers).fill(1) } : { l, v: 1 });
      }
      history.add("x", numbers > 1 ? "histogram" : "gauge", time, points, series, 1);
      const f = history.families.get("x");
      let kept = 0;
      for (const [key, s] of f?.series || []) kept += key.length / 4 + s.values.reduce((n, v) => n + (v === null ? 1 : numbers), 0);
      assert.ok(kept <= limit + series * (numbers + label), what + ": " + kept + " at " + time);
      assert.ok(f && f.times.at(-1) === time, what);
    }
  }
});

test("no cell of CSV is a formula, and numbers stay numbers", () => {
  const cells = ["-1", "+2.5e-7", "-Infinity", "NaN", "1e300", "=1+1", "-1+cmd|' /C calc'!A0", "+1=x", "-2%", "@SUM(1)", "\t=1", "\n=1", 'a"b', "Infinity()", "-Inf()"];
  const want = ["-1", "+2.5e-7", "-Infinity", "NaN", "1e300", "'=1+1", "'-1+cmd|' /C calc'!A0", "'+1=x", "'-2%", "'@SUM(1)", "'\t=1", "'\n=1", 'a""b', "Infinity()", "'-Inf()"];
  assert.equal(csvOf([cells]), want.map((c) => '"' + c + '"').join(",") + "\r\n");
});

test("a pattern waits for the library", () => {
  assert.equal(parseQuery('x{l="a"}').error, "");
  assert.equal(parseQuery('x{l="a"}').waits, undefined);
  assert.ok(parseQuery('x{l=~"a"}').waits);
  assert.throws(() => compile("a"), /not loaded/);
});

test("a pattern matches what it matches in Prometheus", async () => {
  await load();
  const cases = /** @type {[string, string[], string[]][]} */ ([
    ["5..", ["500", "5é\n"], ["50", "5000", "400"]],
    ["GET|POST", ["GET", "POST"], ["GE", "GETPOST", ""]],
    ["", [""], ["a"]],
    ["a|", ["a", ""], ["aa"]],
    ["(?i)get", ["GET", "get", "gEt"], ["put"]],
    ["(?i:g)et", ["Get"], ["GET"]],
    ["(?-s).", ["a"], ["\n"]],
    ["a{2,3}", ["aa", "aaa"], ["a", "aaaa"]],
    ["a{2,}", ["aa", "aaaaa"], ["a"]],
    ["{a,2}", ["{a,2}"], ["a"]],
    ["(a+)+b", ["ab", "aaab"], ["a".repeat(5000)]],
    ["(|a)*", ["", "aaa"], ["b"]],
    ["[]a^-]+", ["]a^-"], ["b"]],
    ["[^]a]", ["b", "\n"], ["]", "a", "bb"]],
    ["[[:alpha:][:^ascii:]]+", ["abcé"], ["1"]],
    ["\\d+\\.\\d*", ["1.", "12.5"], [".5", "1"]],
    ["\\p{Greek}\\pL\\P{L}", ["αb1"], ["abc"]],
    ["\\x41\\x{1F600}\\101", ["A😀A"], ["A"]],
    ["\\Qa.b\\E+", ["a.b", "a.bb"], ["axb", "a.ba.b"]],
    ["a\\b.*", ["a", "a b"], ["ab"]],
    ["^a$|\\Ab\\z", ["a", "b"], ["ab"]],
    ["(?P<x>a)(?<y>b)(?:c)", ["abc"], []],
  ]);
  for (const [pattern, yes, no] of cases) {
    const test = compile(pattern);
    for (const [texts, want] of /** @type {[string[], boolean][]} */ ([[yes, true], [no, false]])) {
      for (const text of [...texts, ...texts]) assert.equal(test(text), want, JSON.stringify([pattern, text.slice(0, 20)]));
    }
  }
  for (const wrong of ["(", ")", "a)(b", "[", "[b-a]", "[[:none:]]", "*", "|+", "{2}", "a**", "a{2}{3}", "a{3,2}", "a{1001}", "(a{100}){100}", "a{1000}{1000}", "((a{10}){10}){100}", "(" + "ab".repeat(50) + "){1000}", "a".repeat(1001), "(?i)" + "[C-\u{1e920}]".repeat(14), "\\", "\\y", "(a)\\1", "(?=a)", "(?!a)", "(?<=a)", "(?q)", "\\p{None}", "\\x{110000}", "(".repeat(1000) + ")".repeat(1000)]) {
    assert.throws(() => compile(wrong), SyntaxError, wrong);
    assert.ok(parseQuery("x{l=~" + JSON.stringify(wrong) + "}").error, wrong);
  }
});

test("a pattern matches what the browser's own expression matches", async () => {
  await load();
  const parts = ["a", "b", "é", ".", "*", "+", "?", "|", "(", ")", "[ab]", "[^a]", "{2}", "{0,1}", "\\w", "\\s", "\\b"];
  let seed = 1;
  const random = (/** @type {number} */ n) => (seed = (seed * 48271) % 0x7fffffff) % n;
  let compared = 0;
  const stop = tick(1000); // each text has a second of its own
  try {
    for (let round = 0; round < 20_000; round++) {
      const pattern = Array.from({ length: 1 + random(6) }, () => parts[random(parts.length)]).join("");
      let test, own;
      try {
        test = compile(pattern);
        own = new RegExp("^(?:" + pattern + ")$", "su");
      } catch { continue; } // what both can read is compared
      for (let i = 0; i < 5; i++) {
        const text = Array.from({ length: random(5) }, () => "abé \n"[random(5)]).join("");
        assert.equal(test(text), own.test(text), JSON.stringify([pattern, text]));
        compared++;
      }
    }
  } finally {
    stop();
  }
  assert.ok(compared > 10_000, String(compared));
});

test("patterns take bounded time", async () => {
  await load();
  const stop = tick(0);
  try {
    for (const pattern of ["(a+)+b", "(a|a)*b", "(.*)*b", "((((a*)*)*)*)*b", ".*.*.*.*.*.*.*.*b", "(a?){100}a{100}b", "(a|b)*a(a|b){50}c"]) {
      clock.now += 1000;
      assert.equal(compile(pattern)("a".repeat(5000)), false, pattern);
    }
    clock.now += 1000;
    const test = compile(".*(a|b)");
    assert.equal(test("a".repeat(1_000_000)), false, "a text that takes too much work does not match");
    let matched = 0;
    for (let i = 0; i < 1000; i++) if (test(i + "a".repeat(10_000))) matched++;
    assert.ok(matched > 0 && matched < 1000, String(matched));
    assert.equal(test("a".repeat(9000)), false, "other texts wait");
    assert.equal(test("0" + "a".repeat(10_000)), true, "answers are kept");
    clock.now += 1000;
    assert.equal(test("a".repeat(9000)), true);
  } finally {
    stop();
  }
  assert.ok(parseQuery("x{" + Array.from({ length: 9 }, (_, i) => "l" + i + '=~"a"').join(",") + "}").error);
  assert.equal(parseQuery("x{" + Array.from({ length: 8 }, (_, i) => "l" + i + '=~"a"').join(",") + "}").error, "");
});

test("an axis has the values, and is wide enough for steps between numbers", () => {
  const cases = /** @type {[string, number, number, [number, number]][]} */ ([
    ["no value", Infinity, -Infinity, [0, 1]],
    ["zero alone", 0, 0, [0, 1]],
    ["one value", 4, 4, [0, 6]],
    ["one below zero", -4, -4, [-6, 0]],
    ["values near zero", 1, 11, [0, 11.8]],
    ["values far from zero", 1000, 1010, [999.2, 1010.8]],
    ["values on both sides", -10, 10, [-11.6, 11.6]],
    ["neighbours", 1.0060361391208277, 1.006036139120828, [0, 1.509054208681242]],
    ["neighbours below zero", -1.006036139120828, -1.0060361391208277, [-1.509054208681242, 0]],
  ]);
  for (const [what, lo, hi, want] of cases) assert.deepEqual(roomy(lo, hi), want, what);
  for (let exponent = -323; exponent < 300; exponent++) {
    for (const part of [0, 2 ** -52, 1e-15, 1e-12, 1e-9, 1e-6, 1]) {
      const v = 10 ** exponent, w = v * (1 + part);
      for (const [lo, hi] of [[v, w], [-w, -v], [-v, w]]) {
        const [low, high] = roomy(lo, hi);
        assert.ok(low <= lo && high >= hi && high - low >= w * 1e-9, JSON.stringify([lo, hi, low, high]));
      }
    }
  }
});

/** The clock of tests that replace it, which never goes back. */
const clock = { now: performance.now() };

/** Replaces the clock by one that goes on by so much each time that it is read, until what it returns is called. @param {number} step */
function tick(step) {
  const own = performance.now;
  clock.now = Math.max(clock.now, own.call(performance));
  performance.now = () => (clock.now += step);
  return () => { performance.now = own; };
}
