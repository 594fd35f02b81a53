// The city for those who may not see persons: platforms, zones, limits; small cells suppressed.

import { ask, Refused } from "./ask.js";
import { savers } from "./lists/save.js";
import { el, keyed, section, table, text } from "./make.js";
import { number, ruleOf, say } from "./words.js";

const GAPS_EVERY_MS = 5000;
const STATUSES = ["hold", "approaching", "clear"];

/** What stands under a name, and nothing that every object has. */
const own = (found, name) => (Object.hasOwn(found, name) ? found[name] : undefined);

export function city(main, state) {
  const about = el("p", { class: "about", id: "suppression" });
  const platforms = grid("by_platform", "platform", [...STATUSES.map((one) => `s_${one}`), "breaches"]);
  const zones = grid("by_zone", "zone", STATUSES.map((one) => `s_${one}`));
  const limits = grid("by_limit", "limit", ["what", "count"]);
  const kinds = grid("by_kind", "kind", ["count"]);
  const gaps = grid("rest_gaps", "zone", ["s_hold", "rest_stops"]);
  const estates = el("p", { class: "about", id: "estates" });
  const gapsCard = section(say("rest_gaps"), el("p", { class: "about" }, say("rest_gaps_about")), gaps.box, estates);
  gapsCard.hidden = true;
  let open = true;
  let timer = null;

  async function poll() {
    timer = setTimeout(poll, GAPS_EVERY_MS);
    // Asked only where there is an answer: a browser writes every refusal into its log.
    if (!state.overview?.rest_stops_named) return;
    try {
      const found = await ask("v1/rest-stops/gaps");
      if (!open) return;
      gapsCard.hidden = false;
      gaps.update(found.zones.map((one) => [one.zone, one.riders_on_hold < 0 ? `< ${found.k ?? 10}` : number(one.riders_on_hold), number(one.stops)]));
      text(estates, `${say("estates")}: ${["open", "cart", "closed"].map((one) => `${say(`access_${one}`)} ${number(found.estates_by_access[one])}`).join(" · ")}`);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      gapsCard.hidden = true;
    }
  }
  poll();
  main.append(
    el("h1", {}, say("city")), about,
    el("div", { class: "two" }, section(say("by_platform"), el("p", { class: "about" }, say("by_platform_about")), platforms.box), section(say("by_zone"), zones.box)),
    el("div", { class: "two" }, section(say("by_limit"), limits.box), section(say("by_kind"), kinds.box)),
    gapsCard,
  );
  return {
    close() { open = false; clearTimeout(timer); },
    update() {
      const seen = state.overview;
      if (!seen) {
        text(about, say(state.platformKey ? "not_yours" : "loading"));
        return;
      }
      text(about, seen.k === null ? say("suppressed_none") : say("suppressed", { k: seen.k }));
      const blind = state.unreachable || !seen.partitions.some((one) => one.fresh);
      const cell = (count) => (blind ? "?" : count === undefined ? "0" : count < 0 ? `< ${seen.k ?? 10}` : number(count));
      const names = (found) => Object.keys(found).sort();
      platforms.update([...new Set([...names(seen.riders_by_platform), ...names(seen.breaches_by_platform)])].map((name) => [name, ...STATUSES.map((one) => cell(own(seen.riders_by_platform, name)?.[one])), cell(own(seen.breaches_by_platform, name))]));
      zones.update(names(seen.riders_by_zone).map((name) => [name, ...STATUSES.map((one) => cell(seen.riders_by_zone[name][one]))]));
      limits.update(names(seen.holds_by_limit).map((name) => [name.split("/")[1], state.limits.has(name) ? ruleOf(state.limits.get(name)) : name, cell(seen.holds_by_limit[name])]));
      kinds.update(names(seen.alerts_by_kind).map((name) => [say(`k_${name}`), cell(seen.alerts_by_kind[name])]));
    },
  };
}

function grid(title, first, columns) {
  const heads = [{ text: say(first) }, ...columns.map((one) => ({ text: say(one), number: one !== "what" }))];
  const { box, body } = table(say(title), heads, { hidden: true });
  const empty = el("p", { class: "empty" }, say("none"));
  return {
    box: el("div", { id: title }, box, empty, savers(title, box)),
    update(rows) {
      box.hidden = !rows.length;
      empty.hidden = rows.length > 0;
      keyed(body, rows, (row) => row[0],
        (row) => el("tr", {}, el("th", { scope: "row" }, row[0]), columns.map((one) => el("td", { class: one === "what" ? "words" : "number" }))),
        (line, row) => row.slice(1).forEach((value, index) => text(line.children[index + 1], value)));
    },
  };
}
