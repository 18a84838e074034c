// @ts-check
/** How numbers and times are written for people; what CSV has is not rounded. */

/** @typedef {(v: number | null | undefined) => string} Spelling */

/**
 * Spells a number: at most four digits, with a prefix.
 * @type {Spelling}
 */
export function spell(v) {
  if (v === null || v === undefined) return "–";
  if (!Number.isFinite(v)) return Number.isNaN(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf";
  const size = Math.abs(v);
  if (size !== 0 && (size < 1e-3 || size >= 1e15)) return v.toExponential(2).replace("e+", "e");
  for (const [limit, unit, suffix] of /** @type {[number, number, string][]} */ ([[1e12, 1e12, "T"], [1e9, 1e9, "G"], [1e6, 1e6, "M"], [1e4, 1e3, "k"]])) {
    if (size >= limit) return String(+(v / unit).toPrecision(4)) + suffix;
  }
  return String(+v.toPrecision(4));
}

/** @param {number} v @param {[number, string][]} steps from the largest */
function stepped(v, steps) {
  const size = Math.abs(v);
  const [unit, name] = steps.find(([limit]) => size >= limit) || steps[steps.length - 1];
  return String(+(v / unit).toPrecision(3)) + " " + name;
}

/** @type {[number, string][]} */
const SECONDS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];
/** @type {[number, string][]} */
const BYTES = [[2 ** 50, "PiB"], [2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]];

/** @type {Spelling} */
export const spellBytes = (v) => (v === null || v === undefined || !Number.isFinite(v) ? spell(v) : v === 0 ? "0 B" : stepped(v, BYTES));
/** @type {Spelling} */
export const spellSeconds = (v) => (v === null || v === undefined || !Number.isFinite(v) ? spell(v) : v === 0 ? "0 s" : stepped(v, SECONDS));

/** The unit of a family, or what the end of its name says. @param {{name: string, unit: string}} family */
const unitOf = (family) => family.unit || (/_(seconds|bytes|ratio)$/.exec(family.name) || ["", ""])[1];

/** @param {{name: string, unit: string}} family */
export const isBytes = (family) => unitOf(family) === "bytes";

/**
 * Returns how the values of a family are spelled.
 * @param {{name: string, unit: string}} family
 * @returns {Spelling}
 */
export function spellingOf(family) {
  const { name } = family;
  const unit = unitOf(family);
  if (unit === "seconds") return /(timestamp|start_time|_time)(_seconds)?$/.test(name) ? moment : spellSeconds;
  if (unit === "bytes") return spellBytes;
  if (unit === "ratio") return (v) => (v === null || v === undefined || !Number.isFinite(v) ? spell(v) : +(v * 100).toPrecision(4) + " %");
  return spell;
}

/** @type {Spelling} */
const moment = (v) => (v && Number.isFinite(v) && Math.abs(v) < 1e11 ? when(v) : spell(v));

/** @param {number} seconds since 1970 */
export function when(seconds) {
  const d = new Date(seconds * 1000);
  if (Number.isNaN(d.getTime())) return String(seconds);
  const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return d.getFullYear() + "-" + pad(d.getMonth() + 1) + "-" + pad(d.getDate()) + " " + clock(seconds);
}

/** @param {number} seconds since 1970 */
export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

/** @param {number} n @param {string} one @param {string} [many] */
export const counted = (n, one, many) => n.toLocaleString("en") + " " + (n === 1 ? one : many || one + "s");
