// One rider: his day as a timeline, what every limit says, and why he is on hold.

import { ask, Refused } from "./ask.js";
import { savers } from "./lists/save.js";
import { el, keyed, pill, section, table, text } from "./make.js";
import { week } from "./pictures/week.js";
import { clocksOf, holdsOf, masksOf, restsOf, timeline } from "./timeline.js";
import { stops, why } from "./why.js";
import { clock, lang, releaseOf, ruleOf, say, span } from "./words.js";

const EVERY_MS = 2000;
const KINDS = { approaching: "approaching", limit_reached: "hold", reminder: "approaching", hold_released: "clear", hold_breached: "breach" };

export function rider(main, state, [id = "", when = ""]) {
  const path = `v1/riders/${encodeURIComponent(id)}`;
  const status = el("div", { class: "title-status", id: "rider-status" });
  const told = el("p", { class: "lead", id: "rider-words" }, say("loading"));
  const facts = el("p", { class: "about" });
  const day = dayCard(id, when === "before");
  const days = week(path, state);
  const limits = el("div", { id: "limits", class: "meters" });
  const reason = el("div", { id: "why" });
  const reasonTitle = el("h2", {}, say("why_title"));
  const list = el("ol", { class: "feed told", id: "told" });
  const rest = el("div", { id: "rest-stops" });
  const restCard = section(say("rest_stops"), rest);
  const whole = [
    el("div", { class: "day-week" }, day.box, days.box), el("section", { class: "card" }, reasonTitle, reason), restCard, section(say("limits"), limits), section(say("alerts_of"), list),
  ];
  main.append(el("div", { class: "title" }, el("h1", { class: "id" }, id), status), told, facts, ...whole);
  let open = true;
  let timer = null;
  let explained = null;
  let shown = null;
  let last = null;

  function refuse(words) {
    status.replaceChildren(pill("unknown", say("unknown")));
    text(told, words);
    for (const one of whole) one.hidden = true;
  }

  async function explain(alertId, held) {
    const key = `${alertId} ${lang()} ${held?.until ?? ""}`;
    if (key === explained) return;
    const found = await ask(`v1/alerts/${alertId}/explanation?lang=${lang()}`);
    if (!open) return;
    explained = key;
    const limit = state.limits.get(`${found.policy}/${found.limit}`);
    text(reasonTitle, say(held ? "why_held" : "why_title"));
    reason.replaceChildren(why(found, limit, found.time_zone, { held, contestable: state.caller?.reviews }));
  }

  function summary(seen) {
    for (const one of [day.box.parentElement, restCard, limits.parentElement]) one.hidden = true;
    for (const one of [reason.parentElement, list.parentElement]) one.hidden = false;
    text(told, `${seen.status === "hold" ? `${say("latest_say", { rider: id })} ` : ""}${say("summary_only")}`);
    text(facts, [seen.remaining_s === null ? "" : `${say("left")}: ${span(seen.remaining_s)}`, seen.hold_until ? `${say("until")}: ${clock(seen.hold_until, state.zone, { today: seen.as_of })}` : ""].filter(Boolean).join(" · "));
  }

  function words(seen) {
    const held = seen.limits.find((one) => one.hold);
    if (!held) return say(`s_${seen.status}`);
    const limit = state.limits.get(`${held.policy}/${held.limit}`);
    const until = held.hold.until ? `${say("until")}: ${clock(held.hold.until, state.zone, { today: seen.as_of })} (${say("rest_now")})${say("stop")}` : "";
    return `${say("latest_say", { rider: id })} ${limit ? `${ruleOf(limit)}${say("stop")}${releaseOf(limit)}` : ""} ${until}`;
  }

  async function draw(seen, alerts) {
    last = [seen, alerts];
    if (status.dataset.told !== seen.status + lang()) status.replaceChildren(pill(seen.status, say(`s_${seen.status}`)));
    status.dataset.told = seen.status + lang();
    if (seen.limits) figures(seen, alerts);
    else summary(seen);
    return tell(seen, alerts);
  }

  function figures(seen, alerts) {
    for (const one of whole) one.hidden = false;
    // A rider's own key is answered with today and yesterday.
    days.box.hidden = Boolean(state.caller?.rider);
    if (!state.caller?.rider) days.start();
    text(told, words(seen));
    text(facts, `${say("as_of")} ${clock(seen.as_of, state.zone, { seconds: true })} · ${say("in_hand")}: ${seen.orders_in_hand} · ${say("last_event")} ${clock(seen.last_event, state.zone, { today: seen.as_of })}`);
    day.update(seen, alerts, state);
    restCard.hidden = !seen.rest_stops;
    const near = JSON.stringify([lang(), seen.rest_stops]);
    if (seen.rest_stops && rest.dataset.told !== near) rest.replaceChildren(...[stops(seen.rest_stops, state.zone, seen.as_of)].flat());
    rest.dataset.told = near;
    keyed(limits, seen.limits, (one) => `${one.policy}/${one.limit}`, meter, (box, one) => remeter(box, one, state, seen));
  }

  function tell(seen, alerts) {
    keyed(list, [...alerts].reverse(), (one) => one.alert_id,
      (one) => el("li", {}, el("time", { datetime: one.event_time }, clock(one.event_time, state.zone, { today: seen.as_of })), pill(KINDS[one.kind], say(`k_${one.kind}`)),
        el("span", { class: "detail" }, `${one.limit} · ${span(one.counted_s)}${one.platform ? ` · ${say("by")} ${one.platform}` : ""}`),
        el("button", { type: "button", "aria-label": `${say("explain")}: ${say(`k_${one.kind}`)} ${clock(one.event_time, state.zone)} ${one.limit}`, onclick: () => { shown = one.alert_id; explain(one.alert_id, null).then(() => reason.scrollIntoView({ block: "center" })); } }, say("explain"))),
      (row, one) => row.classList.toggle("gone", one.retracted));
    const held = seen.limits?.find((one) => one.hold);
    const because = held && alerts.filter((one) => one.kind === "limit_reached" && one.limit === held.limit && one.policy === held.policy && !one.retracted).pop();
    const newest = alerts.filter((one) => one.kind === "limit_reached").pop() ?? alerts[alerts.length - 1];
    whole[1].hidden = !newest;
    if (shown) return undefined;
    if (because) return explain(because.alert_id, held.hold);
    return newest ? explain(newest.alert_id, null) : undefined;
  }

  async function poll() {
    try {
      const [seen, { alerts }] = await Promise.all([ask(path), ask(`${path}/alerts`)]);
      if (open) await draw(seen, alerts);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!open) return;
      if (error.status === 404) refuse(say("unknown_rider"));
      else if (error.status === 403) refuse(`${say(error.remedy.includes("X-Case-Number") ? "need_case" : "not_yours")} ${error.remedy}`);
      else if (error.status === 503 || error.status === 0) refuse(say("rider_unknown"));
      else refuse(`${error.message} ${error.remedy}`);
    }
    if (open) timer = setTimeout(poll, EVERY_MS);
  }

  const resized = new ResizeObserver(() => { if (last?.[0].limits) day.update(...last, state); });
  resized.observe(day.box);
  // A browser takes these for ways up and down, however they are written, and asks for something else.
  if (id === "." || id === "..") refuse(say("dots"));
  else poll();
  return { close() { open = false; clearTimeout(timer); resized.disconnect(); days.close(); } };
}

function dayCard(id, isBefore) {
  const title = el("h2", {}, say("day"));
  const about = el("p", { class: "about", id: "day-about" });
  let before = isBefore;
  let last = null;
  // The day shown is part of the address; the page need not be made anew for it.
  const turn = () => {
    before = !before;
    history.replaceState(null, "", `#/rider/${encodeURIComponent(id)}${before ? "/before" : ""}`);
    other.setAttribute("aria-pressed", String(before));
    update(...last);
  };
  const other = el("button", { type: "button", id: "other-day", "aria-pressed": String(before), onclick: turn }, say("day_before"));
  const picture = el("div", { class: "picture" });
  const legend = el("ul", { class: "legend", "aria-label": say("legend") },
    [["run order", "lg_clock"], ["rest", "lg_rest"], ["hold", "lg_hold"], ["mark reached", "lg_reached"], ["mark near", "lg_near"], ["mark breach", "lg_breach"], ["mask", "lg_mask"]].map(([name, key]) => el("li", {}, el("span", { class: `swatch ${name}`, "aria-hidden": "true" }), say(key))));
  const { box: boxed, body } = table(say("as_table"), ["what", "from", "to", "length"].map((one) => ({ text: say(one), number: one === "length" })), { hidden: true });
  const box = el("section", { class: "card", id: "day" }, el("div", { class: "feed-head" }, title, other), about, picture, legend, el("details", {}, el("summary", {}, say("as_table")), boxed, savers(`day-${id}`, boxed)));
  function update(seen, alerts, state) {
      last = [seen, alerts, state];
      const days = before ? seen.days_before : seen.days;
      const day = days.find((one) => one.time_zone === state.zone) ?? days[0];
      if (!day) return;
      // Of a day that is over nothing goes on after its end.
      const asOf = seen.as_of < new Date(day.end).toISOString() ? seen.as_of : new Date(day.end).toISOString();
      const at = (instant) => clock(instant, zone, { today: new Date(Date.parse(day.start) + 3_600_000).toISOString() });
      const zone = day.time_zone;
      const clocks = clocksOf(day, [...state.limits.values()]);
      const masks = masksOf(day, state.policies);
      legend.querySelector(".mask").parentElement.hidden = !masks.length;
      const holds = holdsOf(alerts, seen).filter((one) => Date.parse(one.from) < Date.parse(day.end) && Date.parse(one.to ?? seen.as_of) > Date.parse(day.start));
      const rests = restsOf(day, asOf, [...state.limits.values()]);
      const ran = (name) => (day.clocks[name] ?? []).reduce((sum, one) => sum + (Date.parse(one.end) - Date.parse(one.start)) / 1000, 0);
      text(about, `${say("day_of", { day: day.day, zone })}: ${clocks.map((one) => `${say(`c_${one}`)} ${span(ran(one))}`).join(" · ")} · ${say("holds")}: ${holds.length} · ${say("rests")}: ${rests.length}`);
      const width = Math.max(240, Math.floor(picture.clientWidth || 600));
      picture.replaceChildren(timeline({ day, zone, asOf: seen.as_of, holds, rests, alerts, width, clocks, masks, describedBy: "day-about" }));
      const lines = [
        ...clocks.flatMap((name) => (day.clocks[name] ?? []).map((one) => [say(`c_${name}`), one.start, one.end, one.open ? say("running") : one.ended_by_maximum ? say("by_maximum") : ""])),
        ...masks.map((one) => [`${say("lg_mask")}: ${one.limit}`, one.from, one.to, ""]),
        ...rests.map((one) => [say("rests"), one.from, one.to, ""]),
        ...holds.map((one) => [`${say("on_hold")} ${one.limit}`, one.from, one.to ?? seen.as_of, one.to ? "" : say("running")]),
      ];
      keyed(body, lines, (line) => `${day.day} ${line[0]} ${line[1]}`,
        (line) => el("tr", {}, el("th", { scope: "row" }, line[0]), el("td", {}, at(line[1])), el("td"), el("td", { class: "number" })),
        (row, line) => { text(row.children[2], `${at(line[2])} ${line[3]}`); text(row.children[3], span((Date.parse(line[2]) - Date.parse(line[1])) / 1000)); });
  }
  return { box, update };
}

function meter(one) {
  const name = `${one.policy}-${one.limit}`.replace(/[^A-Za-z0-9]/g, "-");
  return el("div", { class: "meter" }, el("h3", { id: `m-${name}` }), el("div", { class: "bar", role: "meter", "aria-labelledby": `m-${name}`, "aria-valuemin": "0" }, el("div", { class: "full" })), el("p", { class: "figures" }), el("p", { class: "about" }));
}

function remeter(box, one, state, seen) {
  const limit = state.limits.get(`${one.policy}/${one.limit}`);
  const [title, bar, figures, about] = box.children;
  // A ban counts nothing: it is on or off.
  const share = one.limit_s ? Math.min(1, one.counted_s / one.limit_s) : one.reached ? 1 : 0;
  box.className = `meter ${one.hold ? "hold" : one.reached ? "reached" : share > 0.85 ? "near" : ""}`;
  text(title, limit ? ruleOf(limit) : one.limit);
  bar.setAttribute("aria-valuemax", String(one.limit_s));
  bar.setAttribute("aria-valuenow", String(Math.min(one.counted_s, one.limit_s)));
  bar.setAttribute("aria-valuetext", `${span(one.counted_s)} / ${span(one.limit_s)}`);
  bar.firstChild.style.width = `${share * 100}%`;
  const counted = one.limit_s ? `${say("counted_of", { a: span(one.counted_s), b: span(one.limit_s) })} · ` : "";
  text(figures, counted + `${one.hold ? say("on_hold") : one.reached ? say(one.limit_s ? "reached_yes" : "ban_on") : one.limit_s ? `${say("left")} ${span(one.left_s)}` : say("ban_off")}`);
  const since = one.resets_at ? say(["day", "week", "month"].includes(one.kind) ? "resets_with" : "resets_at", { at: clock(one.resets_at, state.zone, { today: seen.as_of }) }) : "";
  text(about, [one.policy, one.effect === "remind" ? say("advice") : "", since].filter(Boolean).join(" · "));
}
