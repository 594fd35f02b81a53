// One review at an address of its own; a person of the operator's answers it here.

import { ask, Refused, send } from "../ask.js";
import { el, section, text } from "../make.js";
import { ruled } from "../lists/page.js";
import { say } from "../words.js";
import { instant, MOST, refusal, reviewPill } from "./facts.js";

const OUTCOMES = ["stands", "evidence_wrong", "hold_lifted"];

export function review(main, state, [id = ""]) {
  const path = `v1/reviews/${encodeURIComponent(id)}`;
  const status = el("div", { class: "title-status", id: "review-status" });
  const told = el("p", { class: "lead", id: "review-words" }, say("loading"));
  const facts = el("dl", { class: "facts", id: "review-facts" });
  const card = section(say("review"), facts);
  const answering = section(say("answer"));
  card.hidden = answering.hidden = true;
  main.append(el("div", { class: "title" }, el("h1", {}, say("review")), status), told, card, answering);
  let open = true;

  function show(one) {
    status.replaceChildren(reviewPill(one));
    text(told, say(one.outcome ? "review_answered" : one.overdue ? "review_overdue" : "review_open", { at: instant(one.answered_at ?? one.due_at, state) }));
    facts.replaceChildren(...factsOf(one, state));
    card.hidden = false;
    answering.hidden = Boolean(one.outcome) || !state.caller?.answers_reviews;
    if (!answering.hidden) answering.replaceChildren(el("h2", {}, say("answer")), form(path, show));
  }
  async function begin() {
    try {
      const found = await ask(path);
      if (open) show(found);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!open) return;
      const words = { 0: say("unknown_api"), 403: `${say(error.remedy.includes("X-Case-Number") ? "need_case" : "not_yours")} ${error.remedy}`, 404: say("unknown_review"), 422: say("unknown_review") };
      text(told, words[error.status] ?? refusal(error));
    }
  }
  begin();
  return { close() { open = false; } };
}

function factsOf(one, state) {
  const rows = [
    ["rider", el("span", { class: "id" }, one.rider_id)], ["asked_by", one.asked_by], ["asked_at", instant(one.asked_at, state)], ["due", instant(one.due_at, state)],
    ["alert", el("a", { href: `#/alert/${one.alert_id}` }, say(`k_${one.kind}`))], ["limit", `${ruled(state, one)} (${one.policy})`],
    ["decision", el("span", { class: "id" }, one.alert_id)], ["contest_why", one.text, "whole"],
    ...(one.outcome ? [["outcome", say(`o_${one.outcome}`), "whole"], ["review_reason", one.reason, "whole"]] : []),
  ];
  return rows.map(([key, value, wide]) => el("div", { class: wide ?? null }, el("dt", {}, say(key)), el("dd", {}, value)));
}

/** Lines of JSON as objects. Throws with the number of the line that is none. */
function corrections(lines) {
  return lines.split("\n").map((line, index) => [line.trim(), index + 1]).filter(([line]) => line).map(([line, at]) => {
    try {
      return JSON.parse(line);
    } catch (error) {
      throw new SyntaxError(say("line_wrong", { at, why: error.message }));
    }
  });
}

function form(path, answered) {
  const wrong = el("p", { class: "wrong", role: "alert", id: "answer-wrong" });
  const reason = el("textarea", { id: "answer-reason", required: true, maxlength: String(MOST), "aria-describedby": "reason-about" });
  const lines = el("textarea", { id: "answer-corrections", spellcheck: "false", "aria-describedby": "corrections-about" });
  const correcting = el("div", { id: "correcting", hidden: true }, el("label", { for: "answer-corrections" }, say("corrections")), lines, el("p", { class: "about", id: "corrections-about" }, say("corrections_about")));
  const choices = OUTCOMES.map((one) => el("label", { class: "choice" }, el("input", { type: "radio", name: "outcome", value: one, required: true }), say(`o_${one}`)));
  const made = el("form", { class: "asking", id: "answer-form" },
    el("fieldset", {}, el("legend", {}, say("outcome")), choices), correcting,
    el("label", { for: "answer-reason" }, say("review_reason")), reason, el("p", { class: "about", id: "reason-about" }, say("reason_about")), wrong,
    el("div", { class: "row" }, el("button", { type: "submit", class: "main" }, say("answer_it"))));
  const outcome = () => new FormData(made).get("outcome");
  made.addEventListener("change", () => { correcting.hidden = outcome() !== "evidence_wrong"; });
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    text(wrong, "");
    try {
      const given = { outcome: outcome(), reason: reason.value };
      if (given.outcome === "evidence_wrong") given.corrections = corrections(lines.value);
      answered(await send(`${path}/answer`, given));
    } catch (error) {
      if (error instanceof SyntaxError) text(wrong, error.message);
      else if (error instanceof Refused) text(wrong, refusal(error));
      else throw error;
    }
  });
  return made;
}
