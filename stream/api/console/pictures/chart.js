// Pictures over time, drawn by uPlot; each has its table, its sentence and its file.

import { savers } from "../lists/save.js";
import { el, keyed, section, table, text } from "../make.js";
import { clock, number, say } from "../words.js";

const uPlot = globalThis.uPlot;
const HEIGHT = 220;
/** A single sample is drawn at the end of an hour. */
const LEAST_S = 3600;

const probe = el("span", { hidden: true });
document.body.append(probe);

/** A colour of the style sheet as the theme has it now: a canvas knows no variables. */
export function colour(name) {
  probe.style.color = `var(${name})`;
  probe.hidden = false;
  const found = getComputedStyle(probe).color;
  probe.hidden = true;
  return found;
}

const redrawn = new Set();
const redraw = () => redrawn.forEach((one) => one());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
document.addEventListener("respite-theme", redraw);

/**
 * A card with lines over time.
 *
 * series: [{label, values, colour, dash, stepped}], values beside times in epoch seconds, null where nothing is
 * known, -1 where a cell is hidden; say(value) writes one.
 */
export function lines({ id, title, about, state, unit = number, most = null, stepped = false }) {
  const drawn = el("div", { class: "plot", "aria-hidden": "true" });
  const sentence = el("p", { class: "about", id: `${id}-words` });
  const legend = el("ul", { class: "legend", "aria-label": say("legend") });
  const { box: boxed, body } = table(title, [{ text: say("time") }], { hidden: true });
  const heads = boxed.querySelector("thead tr");
  const details = el("details", {}, el("summary", {}, say("as_table")), boxed, savers(id, boxed));
  const figure = el("figure", { class: "picture", role: "img", "aria-label": title, "aria-describedby": `${id}-words` }, drawn);
  const box = section(title, el("p", { class: "about" }, about), figure, legend, sentence, details);
  box.id = id;
  let plot = null;
  let made = "";
  let seen = null;

  function options(series) {
    const axis = { stroke: () => colour("--soft"), grid: { stroke: () => colour("--line"), width: 1 }, ticks: { stroke: () => colour("--line"), width: 1 }, font: "13px system-ui, sans-serif" };
    return {
      width: Math.max(200, Math.floor(figure.clientWidth || 600)), height: HEIGHT, legend: { show: false }, cursor: { drag: { x: false, y: false } },
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), state.zone),
      scales: { x: { range: (_, low, high) => [Math.min(low, high - LEAST_S), high] }, y: { range: (_, low, high) => [0, most ?? Math.max(1, (high ?? 0) * 1.05)] } },
      axes: [
        { ...axis, space: 60, values: (_, splits) => splits.map((at) => clock(new Date(at * 1000).toISOString(), state.zone)) },
        { ...axis, size: 56, values: (_, splits) => splits.map((value) => (Number.isInteger(value) || most ? unit(value) : "")) },
      ],
      series: [{}, ...series.map((one) => ({ label: one.label, stroke: () => colour(one.colour), width: 2, dash: one.dash, points: { show: seen.times.length < 40, size: 5, stroke: () => colour(one.colour), fill: () => colour(one.colour) }, ...(stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}) }))],
    };
  }

  function update(times, series) {
    seen = { times, series };
    const shape = JSON.stringify([series.map((one) => [one.label, one.colour]), times.length < 40]);
    const data = [times, ...series.map((one) => one.values.map((value) => (value === null || value < 0 ? null : value)))];
    if (shape !== made) {
      plot?.destroy();
      plot = new uPlot(options(series), data, drawn);
      made = shape;
      legend.replaceChildren(...series.map((one) => el("li", {}, key(one), one.label)));
      heads.replaceChildren(...[say("time"), ...series.map((one) => one.label)].map((word, index) => el("th", { scope: "col", class: index ? "number" : null }, word)));
      body.replaceChildren();
    } else plot.setData(data);
    text(sentence, times.length ? series.map((one) => told(one)).join(say("stop")) + say("stop") : say("no_history"));
    figure.hidden = legend.hidden = details.hidden = !times.length;
    rows();
  }
  /** What a line says, for those who do not see it: its newest and its greatest. */
  function told(one) {
    const known = one.values.map((value, index) => [value, index]).filter(([value]) => value !== null && value >= 0);
    if (!known.length) return `${one.label}: ${say("none")}`;
    const top = known.reduce((best, next) => (next[0] > best[0] ? next : best));
    return say("line_says", { name: one.label, last: unit(known[known.length - 1][0]), most: unit(top[0]), at: clock(new Date(seen.times[top[1]] * 1000).toISOString(), state.zone) });
  }
  function rows() {
    if (!details.open || !seen) return;
    const cell = (value) => (value === null ? "–" : value < 0 ? say("hidden_cell") : unit(value));
    keyed(body, seen.times.map((at, index) => [at, index]).reverse(), ([at]) => at,
      ([at]) => el("tr", {}, el("th", { scope: "row" }, clock(new Date(at * 1000).toISOString(), state.zone, { today: new Date(seen.times[seen.times.length - 1] * 1000).toISOString() })), seen.series.map(() => el("td", { class: "number" }))),
      (row, [, index]) => seen.series.forEach((one, at) => text(row.children[at + 1], cell(one.values[index]))));
  }
  details.addEventListener("toggle", rows);
  const again = () => plot?.redraw(false);
  redrawn.add(again);
  const resized = new ResizeObserver(() => plot?.setSize({ width: Math.max(200, Math.floor(figure.clientWidth)), height: HEIGHT }));
  resized.observe(figure);
  return { box, update, close() { redrawn.delete(again); resized.disconnect(); plot?.destroy(); plot = null; } };
}

function key(one) {
  const made = el("span", { class: "key-line", "aria-hidden": "true" });
  made.style.borderTopColor = `var(${one.colour})`;
  made.style.borderTopStyle = one.dash ? "dashed" : "solid";
  return made;
}

/** A card with a table whose cells are the darker the more they say. */
export function heat({ id, title, about, first }) {
  const { box: boxed, body } = table(title, [], { hidden: true });
  const heads = boxed.querySelector("thead tr");
  const empty = el("p", { class: "empty" }, say("no_history"));
  const box = section(title, el("p", { class: "about" }, about), el("div", { class: "heat" }, boxed), empty, savers(id, boxed));
  box.id = id;
  return {
    box,
    /** columns: words; rows: [[name, counts]]; a count of -1 is hidden. */
    update(columns, rows) {
      boxed.hidden = !rows.length;
      empty.hidden = rows.length > 0;
      const told = columns.join("\u0000");
      if (heads.dataset.told !== told) {
        heads.dataset.told = told;
        heads.replaceChildren(...[say(first), ...columns].map((word, index) => el("th", { scope: "col", class: index ? "number" : null }, word)));
        body.replaceChildren();
      }
      const most = Math.max(1, ...rows.flatMap(([, counts]) => counts));
      keyed(body, rows, ([name]) => name, ([name]) => el("tr", {}, el("th", { scope: "row" }, name), columns.map(() => el("td"))),
        (row, [, counts]) => counts.forEach((count, index) => {
          const cell = row.children[index + 1];
          text(cell, count < 0 ? say("hidden_cell") : number(count));
          cell.className = `number ${count < 0 ? "hidden-cell" : `heat-${Math.ceil((count / most) * 5)}`}`;
        }));
    },
  };
}
