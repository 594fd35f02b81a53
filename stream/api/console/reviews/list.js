// Reviews that wait for an answer, those that are due first in front; for a regulator how many there are.

import { ask, Refused } from "../ask.js";
import { limits, list, names, ruled, TOLD } from "../lists/page.js";
import { savers } from "../lists/save.js";
import { el, keyed, pill, section, table, text } from "../make.js";
import { number, say, span } from "../words.js";
import { instant, refusal, reviewPill, stateOf } from "./facts.js";

const EVERY_MS = 5000;
const ROLES = ["rider", "operator", "dispatcher", "regulator"];
const CELLS = [["overdue", "hold"], ["in_time", "approaching"], ["stands", "clear"], ["evidence_wrong", "clear"], ["hold_lifted", "clear"]];

const REVIEWS = {
  path: "v1/reviews",
  key: "reviews",
  id: (one) => `${one.review_id} ${stateOf(one)}`,
  heads: [["due"], ["state"], ["asked_by"], ["kind"], ["limit"], ["rider"], ["asked_at"], ["review"]],
  always: ["state", "sort"],
  asked: { state: "open", sort: "due" },
  filters: (state) => [
    ["state", "state", ["open", "overdue", "answered", "all"].map((one) => [one, say(`r_${one}`)])],
    ["asked_by", "asked_by", [...names(state.overview?.riders_by_platform), ...ROLES.map((one) => [one, say(`role_${one}`)])]],
    ["kind", "kind", TOLD.map((one) => [one, say(`k_${one}`)])], ["limit", "limit", limits(state)],
    ["sort", "sort", ["due", "-asked"].map((one) => [one, say(`sort_${one}`)])],
  ],
  row: (one, state) => [
    el("time", { datetime: one.due_at }, instant(one.due_at, state)), reviewPill(one), null, null, null, el("span", { class: "id" }, one.rider_id),
    el("time", { datetime: one.asked_at }, instant(one.asked_at, state)),
    el("a", { href: `#/review/${one.review_id}`, "aria-label": `${say("open")}: ${say("review")} ${one.rider_id} ${one.limit} ${instant(one.asked_at, state)}` }, say("open")),
  ],
  cells: (one, state) => [null, null, one.asked_by, say(`k_${one.kind}`), ruled(state, one), null, null, null],
};

export function reviews(main, state, rest, query) {
  return state.caller?.role === "regulator" ? counts(main) : list("reviews", REVIEWS, main, state, query);
}

/** What a regulator sees: no review and nobody, and no cell that is about few. */
function counts(main) {
  const about = el("p", { class: "about", id: "review-counts-about" }, say("loading"));
  const { box, body } = table(say("reviews"), [{ text: say("state") }, { text: say("count"), number: true }], { hidden: true });
  const card = section(say("reviews"), about, el("div", { id: "review-counts" }, box), savers("reviews", box));
  main.append(el("h1", {}, say("reviews")), card);
  let timer = null;
  let open = true;
  async function poll() {
    try {
      const found = await ask("v1/reviews/counts");
      if (!open) return;
      text(about, `${say("reviews_within", { within: span(found.within_s) })} ${found.k === null ? "" : say("suppressed", { k: found.k })}`);
      keyed(body, CELLS, ([name]) => name, ([name, colour]) => el("tr", {}, el("th", { scope: "row" }, pill(colour, say(`r_${name}`))), el("td", { class: "number" })),
        (row, [name]) => text(row.children[1], found[name] < 0 ? `< ${found.k}` : number(found[name])));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!open) return;
      text(about, refusal(error));
    }
    timer = setTimeout(poll, EVERY_MS);
  }
  poll();
  return { close() { open = false; clearTimeout(timer); } };
}
