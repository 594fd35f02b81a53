// An alert's explanation, as the API gives it, complete enough to be contested.

import { el } from "./make.js";
import { clock, lang, releaseOf, ruleOf, say, span } from "./words.js";

const list = (pairs, zone, today) =>
  pairs.length ? el("ul", { class: "spans" }, pairs.map(([from, to]) => el("li", {}, `${clock(from, zone, { today })}–${clock(to, zone, { today })} (${span((Date.parse(to) - Date.parse(from)) / 1000)})`))) : say("none");

const doubts = (told, zone) =>
  el("ul", { class: "spans" }, told.doubtful.map((one) => el("li", {},
    `${clock(one.start, zone, { today: told.first_instant })}–${clock(one.end, zone, { today: told.first_instant })} ${one.platform}: ${one.text}` +
    (one.counted_s === null ? "" : ` ${say("without_it")} ${span(one.counted_s)}, ${say(one.reached ? "reached_yes" : "reached_no")}.`))));
/** Rest stops that are open until the hold can end. */
export const stops = (found, zone, today) =>
  found.length ? el("ul", { class: "spans" }, found.map((one) => el("li", {}, `${one.name[lang()]} · ${one.address} · ${one.open_until ? `${say("open_until")} ${clock(one.open_until, zone, { today })}` : say("open_always")}`))) : say("no_rest_stop");

/** `contestable`: where a review can be asked for, on the alert's own page. */
export function why(told, limit, zone, { held = null, contestable = false } = {}) {
  const today = told.first_instant;
  const flags = [["estimated", "q_estimated"], ["provisional", "q_provisional"], ["late", "q_late"], ["retracted", "q_retracted"]].filter(([name]) => told[name]).map(([, key]) => say(key));
  const reading = (one) => `${one.counted_s === null ? "" : `${span(one.counted_s)}, `}${one.reached === null ? "" : say(one.reached ? "reached_yes" : "reached_no")}. ${one.text}`;
  const rows = [
    ["amount", told.limit_s ? `${span(told.counted_s)} / ${span(told.limit_s)}${told.over_s ? ` · ${say("over")} ${span(told.over_s)}` : ""}` : say("ban_on")],
    ["clock", told.clock_means],
    ["released_how", [limit ? releaseOf(limit) : "", told.resets_by].filter(Boolean).join(" ")],
    ["released_when", held?.until ? `${clock(held.until, zone, { today })} (${say("rest_now")})` : told.earliest_resume ? clock(told.earliest_resume, zone, { today }) : "–"],
    ...(told.rest_stops ? [["rest_stops", stops(told.rest_stops, zone, today)]] : []),
    ["override", told.can_be_overridden_by],
    ["intervals", told.window_start === null ? say("not_shown") : list(told.counted, zone, today)],
    ["not_counted", told.window_start === null ? say("not_shown") : list(told.not_counted, zone, today)],
    ["quality", flags.join(" · ") || say("q_good")],
    ["worst", reading(told.worst_reading)],
    ["best", reading(told.best_reading)],
    ...(told.doubtful.length ? [["doubtful", doubts(told, zone)]] : []),
    ["source", told.source],
    ["contest_how", contestable ? [`${told.contest} `, el("a", { class: "contest", href: `#/alert/${told.decision_id}` }, say("contest_this"))] : told.contest],
    ["contest_until", told.contest_until.slice(0, 10)],
    ["decision", told.decision_id],
  ];
  return el("div", { class: "why" },
    el("p", { class: "lead" }, told.text),
    el("p", {}, `${limit ? ruleOf(limit) : told.limit} · `, el("span", { class: "id" }, `${told.policy} / ${told.limit}`)),
    el("dl", {}, rows.map(([key, value]) => el("div", { class: `w-${key}` }, el("dt", {}, say(key)), el("dd", {}, value)))));
}
