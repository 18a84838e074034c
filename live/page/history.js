// @ts-check
import { Heat } from "./heat.js";
import { num } from "./numbers.js";

/**
 * @typedef {import("./numbers.js").Histogram} Histogram
 * @typedef {[string[], number, number?]} Exemplar
 * @typedef {{labels: string[], created: number, values: any[], exemplars: Exemplar[]}} Series values: one for each time of the family, null where there is none
 * @typedef {{type: string, times: number[], series: Map<string, Series>, left: number, ended: number, heat: Heat | null}} FamilyHistory left: series that the target left out; ended: that were there and are no more
 */

/** Limits of what is kept: seconds, and numbers of all families. */
export const KEEP_SECONDS = 1800;
export const KEEP_NUMBERS = 4_000_000;

/** Families that are not shown any more and yet kept. */
const KEEP_FAMILIES = 24;

/** What was seen of the families that were asked for. */
export class History {
  /** @param {number} [numbers] how many are kept */
  constructor(numbers = KEEP_NUMBERS) {
    this.numbers = numbers;
    /** @type {Map<string, FamilyHistory>} */
    this.families = new Map();
  }

  /**
   * Adds the points of a family at a time.
   * @param {string} name @param {string} type @param {number} time @param {any[]} points @param {number} all the number of its series @param {number} interval of readings, in seconds
   */
  add(name, type, time, points, all, interval) {
    let f = this.families.get(name);
    if (!f || f.type !== type) this.families.set(name, (f = { type, times: [], series: new Map(), left: 0, ended: 0, heat: null }));
    const last = f.times[f.times.length - 1];
    if (f.times.length && time <= last) return; // from another process, and older
    if (f.times.length && time - last > 5 * interval + 2) this.#append(f, last + interval); // nothing was read meanwhile
    const at = this.#append(f, time);
    f.left = Math.max(0, all - points.length);
    /** @type {number[]} */
    let bounds = [];
    for (const p of points) {
      if (p.le) bounds = p.le.map(num);
      const key = JSON.stringify(type === "info" ? [p.l, p.i] : p.l);
      let s = f.series.get(key);
      if (!s) f.series.set(key, (s = { labels: p.l, created: 0, values: new Array(at + 1).fill(null), exemplars: [] }));
      s.created = p.c === undefined ? 0 : num(p.c);
      s.exemplars = p.x || [];
      s.values[at] = valueOf(type, p, bounds);
    }
    f.ended = 0;
    for (const s of f.series.values()) if (s.values[at] === null) f.ended++;
    this.#trim(f, time);
  }

  /** Adds a time at which no series has a value yet. @param {FamilyHistory} f @param {number} time */
  #append(f, time) {
    for (const s of f.series.values()) s.values.push(null);
    return f.times.push(time) - 1;
  }

  /** @param {FamilyHistory} f @param {number} now */
  #trim(f, now) {
    let old = 0;
    while (old < f.times.length && f.times[old] < now - KEEP_SECONDS) old++;
    if (old >= 60) this.#drop(f, old); // in steps, since it moves all
    if (f.times.length % 10 !== 0 && sizeOf(f) <= this.numbers) return;
    let total = 0;
    let largest = f;
    let most = 0;
    for (const g of this.families.values()) {
      const size = sizeOf(g);
      total += size;
      if (size > most) [largest, most] = [g, size];
    }
    if (total > this.numbers) this.#drop(largest, Math.floor(largest.times.length / 2));
  }

  /** @param {FamilyHistory} f @param {number} n */
  #drop(f, n) {
    f.times.splice(0, n);
    f.heat?.drop(n);
    for (const [key, s] of f.series) {
      s.values.splice(0, n);
      if (s.values.every((v) => v === null)) f.series.delete(key);
    }
  }

  /** Forgets the families that are not in use, but for the latest few. @param {Set<string>} used */
  keep(used) {
    for (const name of [...this.families.keys()]) {
      if (this.families.size <= KEEP_FAMILIES) return;
      if (!used.has(name)) this.families.delete(name);
    }
  }
}

/**
 * Returns a family's heat, of the series that pass, brought up to the last time.
 * @param {FamilyHistory} f @param {string} key of what passes @param {boolean} now whether the buckets are those of the moment @param {(labels: string[]) => boolean} passes
 */
export function heatOf(f, key, now, passes) {
  if (!f.heat || f.heat.key !== key) f.heat = new Heat(key, now);
  f.heat.update(f.times, f.series, passes);
  return f.heat;
}

/** Returns how many numbers a family has, or what takes as much room. @param {FamilyHistory} f */
function sizeOf(f) {
  let each = 1;
  let texts = 0; // series that come and go may have long labels
  for (const [key, s] of f.series) {
    texts += key.length / 4; // the labels are kept beside the key
    const v = s.values[s.values.length - 1];
    if (v && v.b) each = Math.max(each, v.b.length + (v.native ? v.native.p.length + v.native.n.length : 0) + 2);
    else if (Array.isArray(v)) each = Math.max(each, v.length);
  }
  return f.times.length * f.series.size * each + texts;
}

/**
 * @param {string} type @param {any} p @param {number[]} bounds
 * @returns {any} a number; a Histogram; [quantile, value] pairs; the names of the states that are on; the labels of an info
 */
function valueOf(type, p, bounds) {
  switch (type) {
    case "histogram":
    case "gaugehistogram": {
      const n = p.native;
      return {
        n: num(p.n), s: num(p.s), le: p.b ? bounds : [], b: (p.b || []).map(num),
        native: n && { schema: n.schema, zero: num(n.zero), threshold: num(n.threshold), ps: n.ps, p: n.p.map(num), ns: n.ns, n: n.n.map(num), bounds: n.bounds.map(num) },
      };
    }
    case "summary":
      return p.q ? { n: num(p.n), s: num(p.s), q: p.q.map((/** @type {any[]} */ q) => [num(q[0]), num(q[1])]) } : null;
    case "stateset":
      return p.st.filter((/** @type {any[]} */ s) => s[1]).map((/** @type {any[]} */ s) => s[0]);
    case "info":
      return p.i;
    default:
      return num(p.v);
  }
}
