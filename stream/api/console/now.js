// What is happening: counters, the latest hold, who is on hold, who is nearest, and alerts as they come.

import { el, keyed, pill, section, table, text } from "./make.js";
import { clock, number, releaseOf, ruleOf, say, span } from "./words.js";

const SHOWN = 40;
const LINES = 30;
const STAYS_MS = 5000;
export const KINDS = { approaching: "approaching", limit_reached: "hold", reminder: "approaching", hold_released: "clear", hold_breached: "breach", retracted: "unknown" };

const counter = (key, status) => {
  const value = el("span", { class: "value" }, "–");
  const label = el("span", { class: "label" }, status ? el("span", { class: "shape", "aria-hidden": "true" }, { hold: "■", approaching: "▲", clear: "●" }[status]) : null, say(key));
  return { box: el("li", { class: `counter ${status ?? ""}`, id: `count-${key}` }, value, label), value };
};

/** What an alert says beside its rider and kind. */
export const alertDetail = (one) => (one.limit_s ? `${span(one.counted_s)} / ${span(one.limit_s)}` : say("ban_on"));

export const alertLink = (one) => el("a", { href: `#/alert/${one.alert_id}`, "aria-label": `${say("explain")}: ${say(`k_${one.kind}`)} ${one.rider_id} ${one.limit}` }, say("explain"));

export const riderLink = (id) => el("a", { href: `#/rider/${encodeURIComponent(id)}`, class: "id" }, id);

/** The newest *now* of the partitions: the city's own time. */
export function cityTime(overview) {
  return overview.partitions.map((one) => one.now).filter(Boolean).sort().pop() ?? null;
}

/** The instant whose day needs no naming: the city's, or without it that of the newest alert. */
function newest(state) {
  return (state.overview && cityTime(state.overview)) ?? state.alerts[0]?.event_time ?? null;
}

export function now(main, state) {
  const counters = Object.fromEntries([["on_hold", "hold"], ["approaching", "approaching"], ["clear", "clear"], ["riders"], ["events_s"], ["alerts_min"]].map(([key, status]) => [key, counter(key, status)]));
  const time = el("time", { class: "city-time", id: "city-time" }, "–");
  const latest = latestHold(state);
  const held = people(state, "who_held", "nobody_held", "until", say("held_about"));
  const near = people(state, "who_near", "nobody_near", "left");
  const tried = shadowOf(state);
  const feed = feedOf(state);
  const form = search();
  const when = el("p", { class: "when" }, `${say("city_time")} `, time);
  const own = el("p", { class: "lead", id: "platform-only", hidden: true }, say("platform_only"));
  const counted = el("ul", { class: "counters", id: "counters" }, Object.values(counters).map((one) => one.box));
  const lists = el("div", { class: "two" }, held.box, near.box);
  main.append(el("div", { class: "title" }, el("h1", {}, say("home")), form, when), own, counted, latest.box, lists, tried.box, feed.box);

  function update() {
    const seen = state.overview;
    feed.update();
    latest.update();
    // What is about all platforms is not for one: its own alerts are below, its riders behind their ids.
    own.hidden = !state.platformKey;
    for (const one of [when, counted, lists]) one.hidden = state.platformKey;
    tried.update(state.platformKey || state.unreachable ? [] : (seen?.shadow ?? []), seen?.k);
    if (!seen || state.platformKey) return;
    // Counts of no partition are no counts: a nought would read as clear.
    const blind = !seen.partitions.some((one) => one.fresh) || state.unreachable;
    const shown = (count) => (blind ? "?" : count < 0 ? `< ${seen.k}` : number(count));
    text(counters.on_hold.value, shown(seen.statuses.hold));
    text(counters.approaching.value, shown(seen.statuses.approaching));
    text(counters.clear.value, shown(seen.statuses.clear));
    text(counters.riders.value, shown(seen.riders));
    text(counters.events_s.value, blind ? "?" : number(seen.events_per_second));
    text(counters.alerts_min.value, number(seen.alerts_per_minute));
    const at = cityTime(seen);
    text(time, clock(at, state.zone, { seconds: true }));
    held.update(blind ? [] : [...seen.on_hold].sort((a, b) => (a.hold_until ?? "9").localeCompare(b.hold_until ?? "9") || a.rider_id.localeCompare(b.rider_id)), blind, seen.statuses.hold, at, !seen.persons_shown);
    near.update(blind ? [] : seen.nearest, blind, seen.nearest.length, at, !seen.persons_shown);
  }
  return { update, alert: () => { feed.update(); latest.update(); } };
}

function latestHold(state) {
  const title = el("p", { class: "lead" });
  const why = el("p");
  const ends = el("p");
  const link = el("a", { class: "button" }, say("see_day"));
  const box = el("section", { class: "card latest", id: "latest", hidden: true, "aria-labelledby": "latest-title" }, el("h2", { id: "latest-title" }, say("latest")), title, why, ends, link);
  let shown = null;
  let since = 0;
  return {
    box,
    update() {
      const alert = [...state.holds.values()].pop();
      const over = ![...state.holds.values()].some((one) => one.alert_id === shown);
      box.hidden = !alert;
      // A burst would be unreadable: one hold stays for some seconds, unless it ends, before the next is shown.
      if (!alert || alert.alert_id === shown || (!over && Date.now() - since < STAYS_MS)) return;
      [shown, since] = [alert.alert_id, Date.now()];
      const limit = state.limits.get(`${alert.policy}/${alert.limit}`);
      text(title, say("latest_say", { rider: alert.rider_id }));
      text(why, say("latest_why", { at: clock(alert.event_time, state.zone, { today: newest(state) }), rule: limit ? ruleOf(limit) : alert.limit, counted: span(alert.counted_s) }));
      text(ends, limit ? releaseOf(limit) : "");
      link.setAttribute("href", `#/rider/${encodeURIComponent(alert.rider_id)}`);
    },
  };
}

function people(state, title, nobody, column, about = null) {
  const heads = [{ text: say("rider") }, { text: say("why") }, { text: say(column), number: true }];
  const { box, body } = table(say(title), heads, { hidden: true });
  const empty = el("p", { class: "empty" }, say("loading"));
  const more = el("a", { class: "more", hidden: true });
  const update = (list, blind, count, at, hidden) => {
    keyed(body, list.slice(0, SHOWN), (one) => one.rider_id,
      (one) => el("tr", {}, el("th", { scope: "row" }, riderLink(one.rider_id)), el("td", { class: "words" }), el("td", { class: "number" })),
      (row, one) => {
        const limit = state.limits.get(`${one.policy}/${one.limit}`);
        text(row.children[1], limit ? ruleOf(limit) : (one.limit ?? "–"));
        text(row.children[2], column === "until" ? clock(one.hold_until, state.zone, { today: at }) : span(one.remaining_s));
      });
    box.hidden = !list.length;
    empty.hidden = list.length > 0;
    text(empty, blind ? say("unknown") : say(hidden ? "persons_hidden" : nobody));
    more.hidden = hidden || blind || !(column === "until" ? count > SHOWN : count);
    more.setAttribute("href", column === "until" ? "#/riders?status=hold&sort=until" : "#/riders?sort=left");
    text(more, column === "until" ? say("all_held", { n: number(count) }) : say("all_near"));
  };
  return { box: section(say(title), about ? el("p", { class: "about" }, about) : null, el("div", { class: "scroll", id: title }, box), empty, more), update };
}

/** Policies that are tried: what they would do now, beside what is in force. */
function shadowOf(state) {
  const heads = [{ text: say("shadow_rule") }, ...["shadow_held", "shadow_working", "shadow_orders"].map((key) => ({ text: say(key), number: true }))];
  const { box, body } = table(say("shadow"), heads);
  const card = section(say("shadow"), el("p", { class: "about" }, say("shadow_about")), el("div", { class: "scroll", id: "shadow" }, box));
  card.hidden = true;
  return {
    box: card,
    update(rows, k) {
      card.hidden = !rows.length;
      keyed(body, rows, (one) => `${one.policy}/${one.limit}`,
        (one) => el("tr", {}, el("th", { scope: "row" }, `${one.policy}/${one.limit}`), ...[0, 1, 2].map(() => el("td", { class: "number" }))),
        (row, one) => [one.riders_on_hold, one.working, one.orders_accepted].forEach((count, place) => text(row.children[place + 1], count < 0 ? `< ${k}` : number(count))));
    },
  };
}

function feedOf(state) {
  let frozen = false;
  const list = el("ol", { class: "feed", id: "feed", tabindex: "0", "aria-label": say("feed") });
  const empty = el("p", { class: "empty" }, say("no_alerts"));
  const button = el("button", { type: "button", id: "pause", "aria-pressed": "false", onclick: () => { frozen = !frozen; button.setAttribute("aria-pressed", String(frozen)); text(button, say(frozen ? "go_on" : "pause")); draw(); } }, say("pause"));
  const box = el("section", { class: "card" }, el("div", { class: "feed-head" }, el("h2", {}, say("feed")), el("span", { class: "row" }, el("a", { id: "all-alerts", href: "#/alerts" }, say("all_alerts")), button)), el("p", { class: "away", id: "feed-state" }), list, empty);
  function draw() {
    text(box.querySelector(".away"), state.feed === "away" ? say("unknown_feed") : state.feed === "refused" ? say("not_yours") : "");
    empty.hidden = state.alerts.length > 0;
    if (frozen) return;
    keyed(list, state.alerts.slice(0, LINES), (one) => one.alert_id + one.kind,
      (one) => el("li", {}, el("time", { datetime: one.event_time }, clock(one.event_time, state.zone, { today: newest(state) })), riderLink(one.rider_id),
        pill(KINDS[one.kind], say(`k_${one.kind}`)), el("span", { class: "detail" }, `${one.limit} · ${span(one.counted_s)}${one.platform ? ` · ${say("by")} ${one.platform}` : ""}`)),
      () => {});
  }
  let waiting = false;
  return { box, update() { if (waiting) return; waiting = true; requestAnimationFrame(() => { waiting = false; draw(); }); } };
}

function search() {
  const input = el("input", { id: "rider-id", type: "text", autocomplete: "off", spellcheck: "false", pattern: "[A-Za-z0-9_.:\\-]{1,64}", required: true });
  return el("form", { class: "row search", role: "search", "aria-label": say("open_rider"), onsubmit: (event) => { event.preventDefault(); location.hash = `#/rider/${encodeURIComponent(input.value.trim())}`; } },
    el("label", { for: "rider-id" }, say("rider_id")), input, el("button", { type: "submit" }, say("open")));
}
