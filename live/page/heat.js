// @ts-check
import { bucketsOf, increase, quantile } from "./numbers.js";

/**
 * @typedef {import("./numbers.js").Bucket} Bucket
 * @typedef {import("./numbers.js").Histogram} Histogram
 * @typedef {{bounds: Bucket[], counts: Float64Array[], quantiles: (number | null)[][], totals: Float64Array}} Picture
 * bounds: of the rows; counts: of each row at each time; totals: at each time
 */

/** What the histograms of several series counted from one reading to the next, added up. */
export class Heat {
  /** @param {string} key what it is of @param {boolean} now whether buckets are taken as they are, and not their increase */
  constructor(key, now) {
    this.key = key;
    this.now = now;
    this.schema = Infinity; // the coarsest, to which native buckets are brought
    /** @type {(Map<string, Bucket> | null)[]} */
    this.columns = [];
    /** The latest value of each series. @type {Map<string, Histogram>} */
    this.last = new Map();
  }

  /** @param {number} n how many of the oldest times go */
  drop(n) {
    this.columns.splice(0, n);
  }

  /** @param {number[]} times @param {Map<string, import("./history.js").Series>} series @param {(labels: string[]) => boolean} passes */
  update(times, series, passes) {
    const of = [...series].filter(([, s]) => passes(s.labels));
    this.#coarsen(times.length, of);
    for (let i = this.columns.length; i < times.length; i++) {
      /** @type {Map<string, Bucket> | null} */
      let column = null;
      for (const [key, s] of of) {
        const h = s.values[i];
        if (!h) continue;
        const before = this.last.get(key);
        this.last.set(key, h);
        if (!this.now && !before) continue;
        column ??= new Map();
        for (const [k, b] of this.now || !before ? bucketsOf(h, this.schema) : increase(before, h, this.schema)) {
          const c = column.get(k);
          if (c) c.count += b.count;
          else column.set(k, b);
        }
      }
      this.columns.push(column);
    }
    if (this.last.size > 2 * series.size + 100) for (const key of this.last.keys()) if (!series.has(key)) this.last.delete(key);
  }

  /** Begins anew if there is a coarser schema than what there is was brought to. @param {number} n @param {[string, import("./history.js").Series][]} of */
  #coarsen(n, of) {
    let coarsest = this.schema;
    for (const [, s] of of) {
      for (let i = this.columns.length; i < n; i++) {
        const schema = s.values[i]?.native?.schema;
        if (schema !== undefined && schema !== -53 && schema < coarsest) coarsest = schema;
      }
    }
    if (coarsest === this.schema) return;
    this.schema = coarsest;
    this.columns.length = 0;
    this.last.clear();
  }

  /**
   * Returns what there is to draw from a place in time on.
   * @param {number[]} times @param {number} from @param {number} seconds the window of the quantiles @param {number[]} quantiles
   * @returns {Picture}
   */
  picture(times, from, seconds, quantiles) {
    /** @type {Map<string, Bucket>} */
    const known = new Map();
    for (let i = from; i < times.length; i++) for (const [k, b] of this.columns[i] || []) if (!known.has(k)) known.set(k, b);
    const rows = [...known].sort((a, b) => a[1].hi - b[1].hi || a[1].lo - b[1].lo);
    const at = new Map(rows.map(([k], r) => [k, r]));
    const n = times.length - from;
    const counts = rows.map(() => new Float64Array(n));
    const totals = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      for (const [k, b] of this.columns[from + i] || []) {
        counts[/** @type {number} */ (at.get(k))][i] = b.count;
        totals[i] += b.count;
      }
    }
    const bounds = rows.map(([, b]) => b);
    const sums = bounds.map((b) => ({ ...b, count: 0 }));
    /** @type {(number | null)[][]} */
    const lines = quantiles.map(() => []);
    let first = 0;
    for (let i = 0; i < n; i++) { // a window that slides
      counts.forEach((c, r) => { sums[r].count += c[i]; });
      for (; first < i && (this.now || times[from + first] <= times[from + i] - seconds); first++) counts.forEach((c, r) => { sums[r].count -= c[first]; });
      quantiles.forEach((q, k) => lines[k].push(this.columns[from + i] ? quantile(q, sums) : null));
    }
    return { bounds, counts, quantiles: lines, totals };
  }
}

/** Returns where a value lies on rows of buckets. @param {number} v @param {Bucket[]} bounds */
export function position(v, bounds) {
  for (let r = 0; r < bounds.length; r++) {
    const { lo, hi } = bounds[r];
    if (v > hi) continue;
    if (v < lo || !Number.isFinite(lo) || !Number.isFinite(hi) || hi === lo) return r;
    return r + (v - lo) / (hi - lo);
  }
  return bounds.length;
}
