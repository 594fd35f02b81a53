// Whether the service may be believed: workers, partitions, how old their word is, and what was refused.

import { savers } from "./lists/save.js";
import { el, keyed, pill, repill, section, table, text } from "./make.js";
import { clock, number, say } from "./words.js";

export function health(main, state) {
  const overall = el("p", { class: "lead", id: "overall" }, pill("unknown", say("loading")));
  const heads = ["partition", "worker", "state", "said", "now", "lag", "lag_records"].map((one) => ({ text: say(one), number: ["partition", "said", "lag", "lag_records"].includes(one) }));
  const { box, body } = table(say("partitions"), heads, { hidden: true });
  const dead = table(say("dead"), [{ text: say("reason") }, { text: say("what") }, { text: say("count"), number: true }], { hidden: true });
  const none = el("p", { class: "empty" }, say("dead_none"));
  main.append(
    el("h1", {}, say("health")), overall,
    section(say("partitions"), el("div", { id: "partitions" }, box), savers("partitions", box)),
    section(say("dead"), el("p", { class: "about" }, say("dead_about")), el("div", { id: "dead" }, dead.box), none, savers("dead-letters", dead.box)),
  );
  return {
    update() {
      const seen = state.overview;
      const bad = state.unreachable || !seen || !seen.complete;
      if (!seen) {
        repill(overall.firstChild, "unknown", say(state.platformKey ? "not_yours" : state.unreachable ? "unknown" : "loading"));
        return;
      }
      repill(overall.firstChild, bad ? "unknown" : "clear", say(bad ? (seen.partitions.length ? "unknown" : "no_partitions") : "all_fresh"));
      keyed(body, seen.partitions, (one) => one.partition,
        (one) => el("tr", {}, el("th", { scope: "row", class: "number" }, String(one.partition)), el("td", { class: "id" }), el("td", {}, pill("unknown", "")), ...[0, 1, 2, 3].map((at) => el("td", { class: at === 1 ? "" : "number" }))),
        (row, one) => {
          const cells = row.children;
          const fresh = one.fresh && !state.unreachable;
          text(cells[1], one.worker || "–");
          repill(cells[2].firstChild, fresh ? "clear" : "unknown", fresh ? say("fresh") : `${say("unknown")}: ${say(state.unreachable ? "reason_unreachable" : `reason_${one.reason}`)}`);
          text(cells[3], one.said_s === null ? "–" : say("ago", { s: number(one.said_s) }));
          text(cells[4], one.now ? clock(one.now, state.zone, { seconds: true }) : "–");
          text(cells[5], one.lag_s === null ? (one.clock === "event" ? say("event_clock") : "–") : `${number(one.lag_s)} s`);
          text(cells[6], number(one.lag_records));
        });
      const reasons = Object.entries(seen.dead_letters).sort((a, b) => b[1] - a[1]);
      dead.box.hidden = !reasons.length;
      none.hidden = reasons.length > 0;
      keyed(dead.body, reasons, (pair) => pair[0],
        ([reason]) => el("tr", {}, el("th", { scope: "row", class: "id" }, reason), el("td", { class: "words" }, say(`d_${reason}`)), el("td", { class: "number" })),
        (row, [, count]) => text(row.children[2], number(count)));
    },
  };
}
