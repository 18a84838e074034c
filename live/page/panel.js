// @ts-check
import { breakable, el, replace, say, sign, table } from "./dom.js";
import { Chart } from "./charts.js";
import { csvOf } from "./csv.js";
import { drawFamily, pairs } from "./draw.js";
import { labelText, selector } from "./matchers.js";
import { num } from "./numbers.js";
import { clock, counted, spell, when } from "./spelling.js";

/**
 * @typedef {{name: string, sample?: string, type: string, help: string, unit: string, labels: string[], series: number, before: number, text: string}} Family before: its series when the page was opened; text: what the search looks into
 * @typedef {{pin: (name: string) => void, close: (name: string) => void, labels: (name: string) => void, copy: (text: string) => void, trace: () => string}} Actions
 */

/** How many exemplars are shown. */
const EXEMPLARS = 20;

/** One family as it is shown. */
export class Panel {
  /** @param {Family} family @param {Actions} actions */
  constructor(family, actions) {
    this.family = family;
    this.actions = actions;
    /** @type {number | null} the place in time at which the pointer is */
    this.at = null;
    this.chart = new Chart(family.name + ", a " + family.type + ", over time; the table below has its values", (at) => this.#hover(at));
    this.note = el("p", { class: "hint note" });
    this.legend = el("div", { class: "legend" });
    this.more = /** @type {HTMLDetailsElement} */ (el("details", { toggle: () => this.#drawMore() }, el("summary", {}, "Exemplars, created, copy")));
    this.moreBody = el("div");
    this.more.append(
      el("div", { class: "row" },
        el("button", { type: "button", click: () => actions.copy(this.promql()) }, "Copy PromQL"),
        el("button", { type: "button", click: () => actions.copy(this.csv()) }, "Copy CSV"),
        el("button", { type: "button", click: () => actions.labels(this.family.name) }, "Values of labels")),
      this.moreBody);
    this.pinButton = el("button", { type: "button", "aria-pressed": "false", "aria-label": "Pin " + family.name, click: () => actions.pin(this.family.name) }, "Pin");
    this.closeButton = el("button", { type: "button", "aria-label": "Close " + family.name, class: "icon", click: () => actions.close(this.family.name) }, "×");
    this.help = el("p", { class: "help" });
    this.facts = el("p", { class: "hint" });
    /** @type {import("./draw.js").Drawn | null} */
    this.drawn = null;
    /** @type {import("./history.js").FamilyHistory | undefined} */
    this.history = undefined;
    /** @type {import("./matchers.js").Matcher[]} */
    this.matchers = [];
    this.node = el("section", { class: "panel", "aria-label": family.name },
      el("div", { class: "top" }, sign(family.type), breakable("h2", {}, family.name), this.pinButton, this.closeButton),
      this.help, this.facts, this.chart.node, this.note, this.legend, this.more);
  }

  /**
   * Draws what is known of the family.
   * @param {Family} family @param {import("./history.js").FamilyHistory | undefined} history @param {import("./draw.js").View} view @param {boolean} pinned @param {boolean} offered whether nobody has asked for it
   */
  draw(family, history, view, pinned, offered) {
    this.family = family;
    this.history = history;
    this.matchers = view.matchers;
    this.pinButton.setAttribute("aria-pressed", String(pinned));
    this.closeButton.hidden = offered;
    say(this.help, family.help);
    say(this.facts, [family.type, family.unit && "in " + family.unit, counted(family.series, "series", "series"), history?.left && history.left + " of them not sent, by the limits of the page", history?.ended && counted(history.ended, "series", "series") + " ended meanwhile"].filter(Boolean).join(" · "));
    if (!history || !history.times.length) {
      say(this.note, "Nothing has been read of it yet.");
      return;
    }
    this.drawn = drawFamily(this.chart, family, history, view);
    this.chart.node.hidden = family.type === "info" || this.drawn.empty === true;
    this.#drawLegend();
    this.#drawMore();
  }

  /** @param {number | null} at */
  #hover(at) {
    if (at === this.at) return;
    this.at = at;
    this.#drawLegend();
  }

  #drawLegend() {
    if (!this.drawn) return;
    const { times, note, legend } = this.drawn;
    const at = this.at !== null && this.at < times.length ? this.at : times.length - 1;
    say(this.note, (this.at === null ? "" : "At " + clock(times[at]) + ". ") + note);
    replace(this.legend, legend(at));
  }

  #drawMore() {
    if (!this.more.open || !this.history) return;
    const exemplars = [];
    let oldest = Infinity;
    let newest = 0;
    for (const s of this.history.series.values()) {
      if (s.values[s.values.length - 1] === null) continue;
      for (const x of s.exemplars) exemplars.push(x);
      if (s.created) { oldest = Math.min(oldest, s.created); newest = Math.max(newest, s.created); }
    }
    exemplars.sort((a, b) => (b[2] || 0) - (a[2] || 0));
    const out = [];
    if (exemplars.length) out.push(table(this.family.name + ": exemplars", ["exemplar", "#value", "time"], exemplars.slice(0, EXEMPLARS).map(([l, v, t]) => [this.#link(l), spell(num(v)), t ? when(t) : "–"])));
    else out.push(el("p", { class: "hint" }, "It has no exemplars."));
    if (newest) out.push(el("p", { class: "hint" }, oldest === newest ? "Created " + when(newest) + "." : "Series were created from " + when(oldest) + " to " + when(newest) + "."));
    replace(this.moreBody, ...out);
  }

  /** Returns an exemplar's labels, linked by the template if it gives an address of the web. @param {string[]} labels */
  #link(labels) {
    const template = this.actions.trace();
    const values = new Map(pairs(labels));
    let used = false;
    const address = template.replace(/\{([^{}]+)\}/g, (whole, name) => {
      const value = values.get(name);
      if (value === undefined) return whole;
      used = true;
      return encodeURIComponent(value);
    });
    if (!used || !/^https?:\/\//i.test(template)) return labelText(labels);
    return el("a", { href: address, rel: "noreferrer noopener", target: "_blank" }, labelText(labels));
  }

  promql() {
    const { type } = this.family;
    const of = (/** @type {string} */ name) => selector(name, this.matchers);
    const name = this.family.sample || this.family.name;
    switch (type) {
      case "counter": return "rate(" + of(name) + "[1m])";
      case "histogram":
        return this.native ? "histogram_quantile(0.9, sum(rate(" + of(name) + "[1m])))" : "histogram_quantile(0.9, sum by (le) (rate(" + of(name + "_bucket") + "[1m])))";
      case "gaugehistogram": return "histogram_quantile(0.9, sum by (le) (" + of(name + "_bucket") + "))";
      default: return of(name);
    }
  }

  /** Whether the histogram has native buckets alone. */
  get native() {
    for (const s of this.history?.series.values() || []) {
      const h = s.values[s.values.length - 1];
      if (h) return h.native !== undefined && h.b.length === 0;
    }
    return false;
  }

  csv() {
    if (!this.drawn) return "";
    const { heads, rows } = this.drawn.sheet();
    return csvOf([heads, ...rows]);
  }

  destroy() {
    this.chart.destroy();
    this.node.remove();
  }
}
