// The last day in pictures: riders by status, alerts by kind, platforms, zones by the hour, limits used.

import { ask, Refused } from "../ask.js";
import { listAddress } from "../lists/page.js";
import { savers } from "../lists/save.js";
import { el, keyed, section, table, text } from "../make.js";
import { clock, number, ruleOf, say } from "../words.js";
import { heat, lines } from "./chart.js";

const EVERY_MS = 3000;
const HOUR_S = 3600;
const KINDS = [["approaching", "--near"], ["limit_reached", "--hold"], ["reminder", "--accent", [6, 4]], ["hold_released", "--clear"], ["hold_breached", "--ink", [2, 3]], ["retracted", "--unknown", [6, 4]]];
const PALETTE = ["--accent", "--hold", "--near", "--unknown", "--clear", "--ink"];
const DASHES = [undefined, [7, 4], [2, 3]];

const seconds = (instant) => Date.parse(instant) / 1000;
const own = (found, name) => (Object.hasOwn(found, name) ? found[name] : undefined);
const percent = (value) => `${Math.round(value)} %`;

export function pictures(main, state) {
  const about = el("p", { class: "about", id: "pictures-about" }, say("loading"));
  const cards = {
    near: lines({ id: "p-status", title: say("p_status"), about: say("p_status_about"), state }),
    clear: lines({ id: "p-clear", title: say("p_clear"), about: say("p_clear_about"), state }),
    kinds: lines({ id: "p-kinds", title: say("p_kinds"), about: say("p_kinds_about"), state, stepped: true }),
    honour: lines({ id: "p-honour", title: say("p_honour"), about: say("p_honour_about"), state, stepped: true, unit: percent, most: 100 }),
    breaches: lines({ id: "p-breaches", title: say("p_breaches"), about: say("p_breaches_about"), state, stepped: true }),
    zones: heat({ id: "p-zones", title: say("p_zones"), about: say("p_zones_about"), first: "zone" }),
    usage: heat({ id: "p-usage", title: say("p_usage"), about: say("p_usage_about"), first: "limit" }),
  };
  const { near, clear, kinds, honour, breaches, zones, usage } = cards;
  const summed = platformTable(state);
  main.append(el("h1", {}, say("pictures")), about, el("div", { class: "two" }, near.box, clear.box), summed.box, el("div", { class: "two" }, honour.box, breaches.box), kinds.box, zones.box, usage.box);
  let open = true;
  let timer = null;

  async function poll() {
    try {
      const found = await ask("v1/history");
      if (!open) return;
      show(found);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!open) return;
      text(about, error.status === 403 ? say("not_yours") : say("unknown_api"));
      for (const one of Object.values(cards)) one.box.hidden = error.status === 403;
    }
    timer = setTimeout(poll, EVERY_MS);
  }
  function show(found) {
    text(about, [say(found.k === null ? "p_about" : "p_about_regulator", { k: found.k }), say(`from_${found.samples_from}`)].join(" "));
    riders(found.samples, near, clear);
    const hours = whole(found.hours);
    const times = hours.map((one) => one.at);
    const known = KINDS.filter(([kind]) => hours.some((one) => own(one.kinds, kind)));
    kinds.update(times, known.map(([kind, tint, dash]) => ({ label: say(`k_${kind}`), values: hours.map((one) => own(one.kinds, kind) ?? 0), colour: tint, dash })));
    platforms(hours, times, honour, breaches);
    summed.update(hours);
    const names = [...new Set(hours.flatMap((one) => Object.keys(one.zones)))].sort();
    zones.update(times.map((at) => clock(new Date(at * 1000).toISOString(), state.zone)), names.map((name) => [name, hours.map((one) => own(one.zones, name) ?? 0)]));
    const tenths = [...Array(10).keys()].map((one) => `${one * 10}–${one * 10 + 10} %`);
    usage.update([...tenths, say("reached_yes")], found.usage.limits.map((one) => {
      const limit = state.limits.get(`${one.policy}/${one.limit}`);
      return [`${limit ? ruleOf(limit) : one.limit} (${one.policy})`, one.tenths];
    }));
  }
  poll();
  return { close() { open = false; clearTimeout(timer); for (const one of Object.values(cards)) one.close?.(); } };
}

/** The share of holds that a platform honours, of 100, as the report reckons it; -1: hidden, null: no holds. */
function honoured(one) {
  if (!one || one.holds === 0) return null;
  return one.holds < 0 || one.breached < 0 ? -1 : 100 * (1 - Math.min(1, one.breached / one.holds));
}

/** Who sends orders to riders on hold, since when and how often: the day's sums by platform. */
function platformTable(state) {
  const heads = ["platform", "holds", "p_honour_short", "breaches", "breached_since", "breached_last", "alerts"];
  const { box: boxed, body } = table(say("p_platforms"), heads.map((key, index) => ({ text: say(key), number: index > 0 && index < 4 })), { hidden: true });
  const box = section(say("p_platforms"), el("p", { class: "about" }, say("p_platforms_about")), boxed, savers("platforms", boxed));
  box.id = "p-platforms";
  const at = (hour) => (hour ? clock(new Date(hour.at * 1000).toISOString(), state.zone) : "–");
  return {
    box,
    update(hours) {
      const names = [...new Set(hours.flatMap((one) => Object.keys(one.platforms)))].sort();
      const rows = names.map((name) => {
        const told = hours.map((one) => ({ at: one.at, ...own(one.platforms, name) }));
        // A sum with a hidden cell in it is hidden too.
        const sum = (key) => (told.some((one) => one[key] < 0) ? -1 : told.reduce((all, one) => all + (one[key] ?? 0), 0));
        const breaching = told.filter((one) => one.breaches);
        const [holds, breached, breaches] = ["holds", "breached", "breaches"].map(sum);
        const cell = (count) => (count < 0 ? say("hidden_cell") : number(count));
        const rate = honoured({ holds, breached });
        const share = rate === null ? "–" : rate < 0 ? say("hidden_cell") : percent(rate);
        return [name, cell(holds), share, cell(breaches), at(breaching[0]), at(breaching[breaching.length - 1])];
      });
      keyed(body, rows, (row) => row[0],
        ([name]) => el("tr", {}, el("th", { scope: "row" }, name), heads.slice(1, -1).map((_, index) => el("td", { class: index < 3 ? "number" : null })), el("td", {}, el("a", { href: listAddress("alerts", { kind: "hold_breached", platform: name }), "aria-label": `${say("breaches")}: ${name}` }, say("show")))),
        (row, cells) => cells.slice(1).forEach((value, index) => text(row.children[index + 1], value)));
    },
  };
}

/** Riders over time; between two samples with a gap the line is broken. */
function riders(samples, near, clear) {
  const times = [];
  const cells = { hold: [], approaching: [], clear: [] };
  for (const one of samples) {
    if (one.is_gap && times.length) {
      times.push(seconds(one.at) - 1);
      for (const values of Object.values(cells)) values.push(null);
    }
    times.push(seconds(one.at));
    for (const [name, values] of Object.entries(cells)) values.push(one[name]);
  }
  near.update(times, [{ label: say("on_hold"), values: cells.hold, colour: "--hold" }, { label: say("approaching"), values: cells.approaching, colour: "--near", dash: [7, 4] }]);
  clear.update(times, [{ label: say("clear"), values: cells.clear, colour: "--clear" }]);
}

/** Every hour from the first to the last: in an hour that is not told of nothing was told. */
function whole(hours) {
  const found = new Map(hours.map((one) => [seconds(one.start), one]));
  const times = [...found.keys()];
  const all = [];
  for (let at = Math.min(...times); at <= Math.max(...times); at += HOUR_S) all.push({ kinds: {}, zones: {}, platforms: {}, ...found.get(at), at });
  return all;
}

function platforms(hours, times, honour, breaches) {
  const names = [...new Set(hours.flatMap((one) => Object.keys(one.platforms)))].sort();
  const styled = (label, index, values) => ({ label, values, colour: PALETTE[index % PALETTE.length], dash: DASHES[Math.floor(index / PALETTE.length) % DASHES.length] });
  honour.update(times, names.map((name, index) => styled(name, index, hours.map((one) => honoured(own(one.platforms, name))))));
  breaches.update(times, names.map((name, index) => styled(name, index, hours.map((one) => own(one.platforms, name)?.breaches ?? 0))));
}
