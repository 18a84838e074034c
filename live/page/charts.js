// @ts-check
import uPlot from "./uplot.js";
import { el } from "./dom.js";
import { roomy } from "./numbers.js";
import { clock } from "./spelling.js";

/** How many lines have a colour of their own. */
export const COLOURS = 10;

const HEIGHT = 230;

/** Steps of an axis of bytes. */
const POWERS = Array.from({ length: 70 }, (_, i) => 2 ** (i - 10));

/** @typedef {import("./spelling.js").Spelling} Spelling */
/** @typedef {uPlot.AlignedData} Data */

/** @param {string} name of a custom property of the style sheet */
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** @param {number} i */
export const colour = (i) => style("--c" + (i % COLOURS));

/** @param {uPlot.Axis} y @returns {uPlot.Axis[]} */
function axes(y) {
  const grid = { stroke: style("--grid"), width: 1 };
  const common = { stroke: style("--soft"), grid, ticks: { ...grid, size: 5 }, font: "12px " + style("--font"), gap: 5 };
  return [
    { ...common, grid: { show: false }, size: 30, space: 90, values: (_, all) => all.map(clock) },
    { ...common, size: 66, ...y },
  ];
}

/** The look of charts, which are made anew when it changes. */
const look = () => document.documentElement.dataset.look || "";

/** A chart that is made anew when its lines change, and else gets new data. */
export class Chart {
  /** @param {string} label what it shows, for those who cannot see it @param {(at: number | null) => void} hover the place in time at which the pointer is */
  constructor(label, hover) {
    this.node = el("div", { class: "chart", role: "img", "aria-label": label });
    this.hover = hover;
    /** @type {uPlot | null} */
    this.plot = null;
    this.shape = "";
    /** @type {(string | null)[][]} what a drawing of cells reads */
    this.cells = [];
    /** @type {[number, number]} */
    this.span = [0, 1];
  }

  /** @param {string} shape what the chart must be made anew for @param {() => Omit<uPlot.Options, "width" | "height">} options @param {Data} data */
  draw(shape, options, data) {
    const width = Math.max(200, this.node.clientWidth);
    const whole = look() + shape;
    if (this.plot && whole === this.shape) {
      if (this.plot.width !== width) this.plot.setSize({ width, height: HEIGHT });
      this.plot.setData(data);
      return;
    }
    this.destroy();
    const o = options();
    this.plot = new uPlot({
      width, height: HEIGHT, legend: { show: false }, padding: [10, 16, 0, 0], ...o,
      cursor: { drag: { setScale: false }, y: false, points: { size: 7 } },
      hooks: { ...o.hooks, setCursor: [(u) => this.hover(u.cursor.left === undefined || u.cursor.left < 0 ? null : u.cursor.idx ?? null)] },
    }, data, this.node);
    this.shape = whole;
  }

  /**
   * Lines over time; that of the rest is dashed.
   * @param {number[]} times @param {{name: string, line: (number | null)[], rest?: boolean}[]} lines @param {[number, number]} span @param {Spelling} spelling @param {boolean} binary whether steps are powers of two
   */
  lines(times, lines, span, spelling, binary) {
    this.span = span;
    const alone = lines.length === 1;
    this.draw("lines" + JSON.stringify(lines.map((l) => l.name)), () => ({
      scales: { x: { range: () => this.span }, y: { range: (_, lo, hi) => roomy(lo, hi) } },
      axes: axes({ values: (_, all) => all.map(spelling), ...(binary && { incrs: POWERS }) }),
      series: [{}, ...lines.map((l, i) => ({ label: "line " + (i + 1), stroke: colour(i), width: 2, dash: l.rest ? [5, 5] : undefined, fill: alone ? style("--c0-soft") : undefined, points: { show: false } }))],
    }), /** @type {Data} */ ([times, ...lines.map((l) => l.line.map(finite))]));
  }

  /**
   * Cells in rows over time, and lines of positions on the rows.
   * @param {number[]} times
   * @param {{rows: string[], cells: (string | null)[][], marks: (number | null)[][], between: boolean}} what cells: the colours of each row at each time; between: names are of the rows' upper edges
   * @param {[number, number]} span
   */
  grid(times, what, span) {
    this.cells = what.cells;
    this.span = span;
    const n = what.rows.length;
    const step = Math.max(1, Math.ceil(n / 12));
    const splits = what.rows.map((_, i) => i).filter((i) => i % step === 0).map((i) => (what.between ? i + 1 : i + 0.5));
    this.draw("grid" + JSON.stringify(what.rows) + what.marks.length, () => ({
      scales: { x: { range: () => this.span }, y: { range: () => [0, Math.max(n, 1)] } },
      axes: axes({ grid: { show: false }, size: 90, splits: () => splits, values: () => splits.map((p) => short(what.rows[Math.floor(p - (what.between ? 1 : 0))])) }),
      series: [{}, { label: "rows", stroke: "transparent", points: { show: false } }, ...what.marks.map((_, i) => ({ label: "mark " + i, stroke: colour(i + 1), width: 2.5, points: { show: false } }))],
      hooks: { drawClear: [(/** @type {uPlot} */ u) => this.#paint(u, n, what.between ? 0 : 3)] },
    }), /** @type {Data} */ ([times, times.map(() => null), ...what.marks]));
  }

  /** @param {uPlot} u @param {number} n @param {number} gap between rows, in pixels */
  #paint(u, n, gap) {
    const times = u.data[0];
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const top = Array.from({ length: n + 1 }, (_, r) => Math.round(u.valToPos(r, "y", true)));
    for (let i = 1; i < times.length; i++) {
      const left = Math.round(u.valToPos(times[i - 1], "x", true));
      const right = Math.round(u.valToPos(times[i], "x", true)); // where the next begins: colours are translucent
      if (right < bbox.left) continue;
      for (let r = 0; r < n; r++) {
        const fill = this.cells[r]?.[i];
        if (!fill) continue;
        ctx.fillStyle = fill;
        ctx.fillRect(left, top[r + 1] + gap, right - left, top[r] - top[r + 1] - 2 * gap);
      }
    }
    ctx.restore();
  }

  destroy() {
    if (this.plot) this.plot.destroy();
    this.plot = null;
  }
}

/** @param {string | undefined} name */
const short = (name) => (name && name.length > 13 ? name.slice(0, 12) + "…" : name || "");

/** @param {number | null} v */
const finite = (v) => (v !== null && Number.isFinite(v) && Math.abs(v) < 1e300 ? v : null);
