// @ts-check
/**
 * @typedef {{lo: number, hi: number, count: number, exponential: boolean}} Bucket in increasing order
 * @typedef {{schema: number, zero: number, threshold: number, ps: number[], p: number[], ns: number[], n: number[], bounds: number[]}} Native
 * @typedef {{n: number, s: number, le: number[], b: number[], native?: Native}} Histogram
 */

/**
 * Makes a number of what JSON holds: "NaN", "+Inf" and "-Inf" are strings there.
 * @param {number | string | undefined} v
 * @returns {number}
 */
export const num = (v) => (typeof v === "number" ? v : v === "+Inf" ? Infinity : v === "-Inf" ? -Infinity : NaN);

/**
 * Returns the rates of a counter over a window. A value below the one before is
 * a reset: the counter has begun again at zero.
 * @param {number[]} times in seconds
 * @param {(number | null)[]} values
 * @param {number} seconds the window
 * @returns {(number | null)[]}
 */
export function rates(times, values, seconds) {
  /** @type {(number | null)[]} */
  const out = new Array(times.length).fill(null);
  /** @type {[number, number][]} */
  const seen = []; // time, increase since the first
  let first = 0;
  let total = 0;
  /** @type {number | null} */
  let last = null;
  for (let i = 0; i < times.length; i++) {
    const v = values[i];
    if (v === null || !Number.isFinite(v)) continue;
    if (last !== null) total += v >= last ? v - last : v;
    last = v;
    seen.push([times[i], total]);
    while (first < seen.length - 2 && seen[first][0] < times[i] - seconds) first++;
    const span = times[i] - seen[first][0];
    if (span > 0) out[i] = (total - seen[first][1]) / span;
  }
  return out;
}

/**
 * Returns the buckets of a histogram with their own counts, by key. Native ones
 * are brought to the schema.
 * @param {Histogram} h
 * @param {number} schema at most that of the histogram
 * @returns {Map<string, Bucket>}
 */
export function bucketsOf(h, schema) {
  /** @type {Map<string, Bucket>} */
  const found = new Map();
  const n = h.native;
  if (!n) {
    addListed(found, h.le, h.b.map((v, i) => v - (i > 0 ? h.b[i - 1] : 0)));
    return found;
  }
  if (n.schema === -53) {
    const counts = new Array(n.bounds.length + 1).fill(0);
    eachNative(n.ps, n.p, (i, c) => { if (i >= 0 && i < counts.length) counts[i] += c; });
    addListed(found, [...n.bounds, Infinity], counts);
    return found;
  }
  const down = n.schema - schema;
  const bound = (/** @type {number} */ i) => Math.pow(2, i * Math.pow(2, -schema));
  const add = (/** @type {string} */ key, /** @type {number} */ lo, /** @type {number} */ hi, /** @type {number} */ c) => {
    const b = found.get(key);
    if (b) b.count += c;
    else found.set(key, { lo, hi, count: c, exponential: true });
  };
  const reduced = (/** @type {number} */ i) => Math.ceil(i / Math.pow(2, down));
  eachNative(n.ns, n.n, (i, c) => { const k = reduced(i); add("n" + k, -bound(k), -bound(k - 1), c); });
  if (n.zero > 0) found.set("z", { lo: -n.threshold, hi: n.threshold, count: n.zero, exponential: false });
  eachNative(n.ps, n.p, (i, c) => { const k = reduced(i); add("p" + k, bound(k - 1), bound(k), c); });
  return found;
}

/** @param {Map<string, Bucket>} found @param {number[]} upper @param {number[]} counts */
function addListed(found, upper, counts) {
  upper.forEach((hi, i) => {
    const lo = i > 0 ? upper[i - 1] : hi > 0 ? 0 : -Infinity;
    found.set("le" + hi, { lo, hi, count: counts[i] || 0, exponential: false });
  });
}

/** @param {number[]} spans @param {number[]} counts @param {(index: number, count: number) => void} visit */
function eachNative(spans, counts, visit) {
  let index = 0;
  let at = 0;
  for (let s = 0; s + 1 < spans.length; s += 2) {
    index += spans[s];
    for (let i = 0; i < spans[s + 1] && at < counts.length; i++) visit(index++, counts[at++]);
  }
}

/**
 * Returns what a histogram has counted since an earlier time. If it has counted
 * fewer, it was reset, and all counts.
 * @param {Histogram} before
 * @param {Histogram} after
 * @param {number} schema
 * @returns {Map<string, Bucket>}
 */
export function increase(before, after, schema) {
  const now = bucketsOf(after, schema);
  const then = bucketsOf(before, schema);
  let reset = after.n < before.n;
  for (const [key, b] of then) if ((now.get(key)?.count ?? 0) < b.count) reset = true;
  if (!reset) for (const [key, b] of then) { const n = now.get(key); if (n) n.count -= b.count; }
  return now;
}

/**
 * Estimates a quantile as PromQL's histogram_quantile does: within a bucket by a
 * straight line, or for exponential ones by an exponential curve.
 * @param {number} q from 0 to 1
 * @param {Bucket[]} buckets in increasing order
 * @returns {number | null} null without observations
 */
export function quantile(q, buckets) {
  let total = 0;
  for (const b of buckets) total += b.count;
  if (!(total > 0)) return null;
  const native = buckets.some((b) => b.exponential);
  const fromAbove = native && q >= 0.5; // where PromQL counts from the highest bucket down
  const rank = q * total;
  let below = 0;
  for (const b of buckets) {
    if (b.count <= 0 || below + b.count < rank || fromAbove && below + b.count === rank) { below += Math.max(b.count, 0); continue; }
    if (b.hi === Infinity) return buckets.length > 1 ? b.lo : null; // no bound is known
    if (b.lo === -Infinity) return b.hi;
    const part = Math.max(0, (rank - below) / b.count);
    if (native && b.lo < 0 && b.hi > 0) { // the zero bucket, of which the side is taken that has observations
      const negative = buckets.some((o) => o.count > 0 && o.hi < 0);
      const positive = buckets.some((o) => o.count > 0 && o.lo > 0);
      const lo = positive && !negative ? 0 : b.lo;
      const hi = negative && !positive ? 0 : b.hi;
      return lo + (hi - lo) * part;
    }
    if (b.exponential && b.lo > 0) return b.lo * Math.pow(b.hi / b.lo, part);
    if (b.exponential && b.hi < 0) return b.lo * Math.pow(b.hi / b.lo, part);
    return b.lo + (b.hi - b.lo) * part;
  }
  const last = buckets[buckets.length - 1];
  return last.hi === Infinity ? last.lo : last.hi;
}

/** The least difference of two values that are drawn apart, as a part of the larger. A chart adds up the steps of its axis until it is at the end, which a step does not reach that is too small to change a number. */
const APART = 1e-9;

/**
 * Returns the ends of an axis for values from lo to hi: with room above and below, and with zero if it is near.
 * @param {number} lo @param {number} hi
 * @returns {[number, number]}
 */
export function roomy(lo, hi) {
  if (!Number.isFinite(lo) || !Number.isFinite(hi)) return [0, 1];
  const most = Math.max(Math.abs(lo), Math.abs(hi));
  if (most === 0) return [0, 1];
  if (hi - lo <= most * APART) return hi > 0 ? [0, most * 1.5] : [-most * 1.5, 0];
  const room = (hi - lo) * 0.08;
  const low = lo >= 0 && lo < (hi - lo) * 1.5 ? 0 : lo - room;
  return [low, hi <= 0 && -hi < (hi - lo) * 1.5 ? 0 : hi + room];
}
