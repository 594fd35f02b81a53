// The policies that judge here, as pages to read.

import { el } from "./make.js";
import { amount, ofBoth, releaseOf, ruleOf, say } from "./words.js";

export function policies(main, state) {
  main.append(el("h1", {}, say("policies")));
  for (const policy of state.policies) {
    main.append(
      el("article", { class: "card policy" },
        el("h2", {}, ofBoth(policy.title)),
        el("p", { class: "about" }, el("span", { class: "id" }, policy.policy), " · ", say("policy_by", { m: say(`m_${policy.modality}`), from: policy.valid_from ?? "–", zone: policy.time_zone })),
        el("p", { class: "source" }, policy.source),
        policy.limits.map((limit) => one(limit, policy.source))),
    );
  }
  return {};
}

function one(limit, source) {
  const more = [
    limit.warn_before_s.length ? say("warns", { d: limit.warn_before_s.map(amount).join(", ") }) : null,
    limit.remind_every_s ? say("reminds", { d: amount(limit.remind_every_s) }) : null,
  ].filter(Boolean);
  return el("section", { class: `rule ${limit.effect}` },
    el("h3", {}, ruleOf(limit)),
    el("p", {}, say(`e_${limit.effect}`), " ", releaseOf(limit), " ", more.join(" ")),
    el("p", { class: "about" }, ofBoth(limit.clock_means)),
    limit.message ? el("blockquote", {}, ofBoth(limit.message)) : null,
    el("p", { class: "about" }, el("span", { class: "id" }, limit.name)),
    limit.source !== source ? el("p", { class: "source" }, limit.source) : null);
}
