// Asking for a review of an alert, and what became of those asked for.

import { ask, Refused, send } from "../ask.js";
import { el, keyed, section, text } from "../make.js";
import { say } from "../words.js";
import { instant, MOST, refusal, reviewPill, stateOf } from "./facts.js";

/** A card that is shown once it is known that the caller may see the alert, where reviews are taken. */
export function contest(id, state) {
  const path = `v1/alerts/${encodeURIComponent(id)}/reviews`;
  const list = el("ul", { class: "feed told", id: "contested" });
  const words = el("textarea", { id: "contest-text", required: true, maxlength: String(MOST), "aria-describedby": "contest-about" });
  const wrong = el("p", { class: "wrong", role: "alert", id: "contest-wrong" });
  const form = el("form", { class: "asking", id: "contest-form" },
    el("p", { class: "about", id: "contest-about" }, say("contest_about")),
    el("label", { for: "contest-text" }, say("contest_why")), words, wrong,
    el("div", { class: "row" }, el("button", { type: "submit", class: "main" }, say("contest_ask"))));
  const box = section(say("contest_title"), list, form);
  box.id = "contest";
  box.hidden = true;
  let open = true;

  async function show() {
    const { reviews } = await ask(path);
    if (!open) return;
    keyed(list, reviews, (one) => `${one.review_id} ${stateOf(one)}`,
      (one) => el("li", {}, reviewPill(one), el("span", {}, `${say("asked_by")} ${one.asked_by}, ${instant(one.asked_at, state)}`),
        el("span", { class: "detail" }, one.outcome ? one.reason : `${say("due")} ${instant(one.due_at, state)}`),
        el("a", { href: `#/review/${one.review_id}`, "aria-label": `${say("open")}: ${say("review")} ${instant(one.asked_at, state)}` }, say("open"))),
      () => {});
    // While one of his own is open, asking again would give him the same.
    const { role, platform } = state.caller;
    form.hidden = reviews.some((one) => !one.outcome && one.asked_by === (platform ?? role));
    box.hidden = false;
  }
  const shown = () => show().catch((error) => {
    if (!(error instanceof Refused)) throw error;
    // Without a case number, or no longer among the recent alerts: the page says so above.
    box.hidden = true;
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    text(wrong, "");
    try {
      await send(path, { text: words.value });
      words.value = "";
      await show();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      text(wrong, refusal(error));
    }
  });
  return { box, start() { if (state.caller?.reviews) shown(); }, close() { open = false; } };
}
