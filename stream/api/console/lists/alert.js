// One alert with its explanation, at an address of its own.

import { ask, Refused } from "../ask.js";
import { el, pill, section, text } from "../make.js";
import { KINDS, riderLink } from "../now.js";
import { contest } from "../reviews/contest.js";
import { why } from "../why.js";
import { lang, say } from "../words.js";

export function alert(main, state, [id = ""]) {
  const status = el("div", { class: "title-status" });
  const told = el("p", { class: "lead", id: "alert-words" }, say("loading"));
  const reason = el("div", { id: "why" });
  const card = section(say("why_title"), reason);
  card.hidden = true;
  const asked = contest(id, state);
  main.append(el("div", { class: "title" }, el("h1", {}, say("alert")), status), told, card, asked.box);
  let open = true;

  async function show() {
    try {
      const found = await ask(`v1/alerts/${encodeURIComponent(id)}/explanation?lang=${lang()}`);
      if (!open) return;
      const kind = found.retracted ? "retracted" : found.kind;
      status.replaceChildren(pill(KINDS[kind], say(`k_${kind}`)));
      told.replaceChildren(riderLink(found.rider_id), ` ${found.text}`);
      reason.replaceChildren(why(found, state.limits.get(`${found.policy}/${found.limit}`), found.time_zone));
      card.hidden = false;
      asked.start();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!open) return;
      const words = { 0: say("unknown_api"), 403: `${say(error.remedy.includes("X-Case-Number") ? "need_case" : "not_yours")} ${error.remedy}`, 404: say("unknown_alert"), 422: say("unknown_alert") };
      // Who takes reviews for riders sees no persons, and needs to see none for it.
      if (error.status === 403 && state.caller?.answers_reviews) asked.start();
      text(told, words[error.status] ?? `${error.message} ${error.remedy}`);
    }
  }
  show();
  return { close() { open = false; asked.close(); } };
}
