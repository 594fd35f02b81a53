// A rider's day drawn: three clocks, rests that reset, holds, and the instants that were told.

import { svg } from "./make.js";
import { clock, say, span } from "./words.js";

const LEFT = 16;
const RIGHT = 16;
const LABEL = 18;
const BAR = 22;
const STEP = 48;
const AXIS = 22;
const HOUR_MS = 3_600_000;

const ms = (instant) => Date.parse(instant);

/** Holds of a day out of the alerts told: [{from, to, open, limit}], what is retracted left out. */
export function holdsOf(alerts, state) {
  const found = [];
  for (const alert of alerts) {
    if (alert.retracted || !alert.hold) continue;
    const known = found.find((one) => one.limit === alert.limit && one.policy === alert.policy && one.from === alert.hold.from);
    if (alert.kind === "limit_reached" && !known) found.push({ policy: alert.policy, limit: alert.limit, from: alert.hold.from, to: null });
    if (alert.kind === "hold_released" && known) known.to = alert.event_time;
  }
  for (const limit of state.limits ?? []) {
    if (!limit.hold) continue;
    if (!found.some((one) => one.limit === limit.limit && one.policy === limit.policy && !one.to)) found.push({ policy: limit.policy, limit: limit.limit, from: limit.hold.from, to: null });
  }
  return found;
}

/** Gaps between stretches of the order clock that are long enough for some limit of it. */
export function restsOf(day, asOf, limits) {
  const resets = limits.filter((one) => one.clock === "order").map((one) => (one.kind === "rest_within" ? one.rest_s : one.reset_s)).filter(Boolean);
  if (!resets.length) return [];
  const least = Math.min(...resets) * 1000;
  const runs = day.clocks.order ?? [];
  const ends = [...runs.map((one) => one.start), runs.some((one) => one.open) ? null : asOf];
  return runs.map((one, index) => ({ from: one.end, to: ends[index + 1] })).filter((one) => one.to && ms(one.to) - ms(one.from) >= least);
}

const ALWAYS = ["order", "loaded", "online"];

/** The clocks to draw: those that every rider has, and those that ran or that some limit counts. */
export function clocksOf(day, limits) {
  const more = ["duty", "driving"].filter((name) => day.clocks[name]?.length || limits.some((one) => one.clock === name));
  return [...ALWAYS, ...more];
}

/** The instant of a local time in a day: [hours, minutes], moved by what the clocks were put on or back. */
function instantOf(day, [hours, minutes]) {
  const wanted = ms(day.start) + hours * HOUR_MS + minutes * 60_000;
  if (hours === 24) return ms(day.end);
  const [h, m] = clock(new Date(wanted).toISOString(), day.time_zone).split(":").map(Number);
  return wanted - ((h - hours) * 60 + (m - minutes)) * 60_000;
}

/** Stretches of a day outside the only hours that a limit counts: [{clock, limit, between, from, to}]. */
export function masksOf(day, policies) {
  const found = [];
  for (const policy of policies.filter((one) => one.time_zone === day.time_zone)) {
    for (const limit of policy.limits.filter((one) => one.between)) {
      const [from, to] = limit.between.map((one) => instantOf(day, one.split(":").map(Number)));
      // Hours over midnight leave out the middle of the day, others what is before and after them.
      const out = from < to ? [[ms(day.start), from], [to, ms(day.end)]] : [[to, from]];
      for (const [a, b] of out) if (a < b) found.push({ clock: limit.clock, limit: limit.name, between: limit.between, from: new Date(a).toISOString(), to: new Date(b).toISOString() });
    }
  }
  return found;
}

export function timeline({ day, zone, asOf, holds, rests, alerts, width, clocks, masks, describedBy }) {
  const [start, end, now] = [ms(day.start), ms(day.end), ms(asOf)];
  const inner = width - LEFT - RIGHT;
  const x = (at) => LEFT + ((Math.min(Math.max(at, start), end) - start) / (end - start)) * inner;
  const rows = clocks;
  const top = AXIS + 26;
  const bottom = top + (rows.length + 1) * STEP;
  const drawn = svg("svg", { viewBox: `0 0 ${width} ${bottom + 6}`, width, height: bottom + 6, role: "img", "aria-labelledby": describedBy, class: "timeline" });
  drawn.append(
    svg("defs", {}, svg("pattern", { id: "hatch", width: 8, height: 8, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("rect", { width: 8, height: 8, class: "hold-ground" }), svg("rect", { width: 3, height: 8, class: "hold-stripe" }))),
  );
  const every = inner < 460 ? 6 : inner < 800 ? 3 : 2;
  for (let hour = 0; start + hour * HOUR_MS <= end; hour += 1) {
    const at = start + hour * HOUR_MS;
    drawn.append(svg("line", { x1: x(at), x2: x(at), y1: AXIS, y2: bottom, class: hour % every ? "grid fine" : "grid" }));
    if (hour % every === 0) drawn.append(svg("text", { x: x(at), y: AXIS - 7, class: "tick", "text-anchor": hour === 0 ? "start" : at >= end ? "end" : "middle" }, at >= end ? "24" : clock(new Date(at).toISOString(), zone).slice(0, 2)));
  }
  const bar = (from, to, y, name, title) => {
    const [a, b] = [x(ms(from)), x(ms(to))];
    if (ms(to) <= start || ms(from) >= end) return;
    drawn.append(svg("rect", { x: a, y, width: Math.max(1.5, b - a), height: BAR, class: name, rx: 2 }, svg("title", {}, title)));
  };
  rows.forEach((row, index) => {
    const y = top + index * STEP;
    drawn.append(svg("text", { x: LEFT, y: y + LABEL - 7, class: "row" }, say(`c_${row}`)));
    for (const one of masks.filter((mask) => mask.clock === row)) bar(one.from, one.to, y + LABEL, "mask", say("mask_says", { limit: one.limit, from: one.between[0], to: one.between[1] }));
    for (const one of day.clocks[row] ?? []) {
      bar(one.start, one.end, y + LABEL, `run ${row}${one.ended_by_maximum ? " cut" : ""}`, `${say(`c_${row}`)} ${clock(one.start, zone)}–${clock(one.end, zone)}`);
    }
    if (row === "order") for (const one of rests) bar(one.from, one.to, y + LABEL, "rest", say("rest_of", { d: span((ms(one.to) - ms(one.from)) / 1000) }));
  });
  const y = top + rows.length * STEP;
  drawn.append(svg("text", { x: LEFT, y: y + LABEL - 7, class: "row" }, say("holds")));
  for (const one of holds) bar(one.from, one.to ?? asOf, y + LABEL, "hold", `${say("on_hold")} ${one.limit} ${clock(one.from, zone)}–${one.to ? clock(one.to, zone) : say("running")}`);
  for (const alert of alerts) mark(drawn, alert, x, top, bottom, zone, start, end);
  if (now > start && now < end) {
    drawn.append(
      svg("line", { x1: x(now), x2: x(now), y1: AXIS, y2: bottom, class: "now" }),
      svg("text", { x: Math.min(x(now) + 4, width - 4), y: AXIS + 12, class: "now-word", "text-anchor": x(now) > width - 70 ? "end" : "start" }, say("lg_now")),
    );
  }
  return drawn;
}

function mark(drawn, alert, x, top, bottom, zone, start, end) {
  const at = ms(alert.event_time);
  if (alert.retracted || at < start || at >= end) return;
  const a = x(at);
  const title = svg("title", {}, `${say(`k_${alert.kind}`)} ${clock(alert.event_time, zone)} ${alert.limit}`);
  if (alert.kind === "limit_reached") {
    drawn.append(svg("line", { x1: a, x2: a, y1: top - 6, y2: bottom, class: "reached" }), svg("path", { d: `M${a - 6} ${top - 14}h12v10h-12z`, class: "reached-mark" }, title));
  } else if (alert.kind === "approaching") {
    drawn.append(svg("path", { d: `M${a} ${top - 15}l6 11h-12z`, class: "near-mark" }, title));
  } else if (alert.kind === "hold_breached") {
    drawn.append(svg("path", { d: `M${a - 5} ${bottom - 27}l10 10m0 -10l-10 10`, class: "breach-mark" }, title));
  }
}
