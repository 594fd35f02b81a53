// A rider's last seven days beside his day: how long each clock ran.

import { ask, Refused } from "../ask.js";
import { savers } from "../lists/save.js";
import { el, keyed, section, table, text } from "../make.js";
import { say, span } from "../words.js";

const EVERY_MS = 15_000;

export function week(path, state) {
  const about = el("p", { class: "about", id: "week-about" }, say("loading"));
  const bars = el("ul", { class: "week", "aria-hidden": "true" });
  const { box: boxed, body } = table(say("week"), [{ text: say("day") }], { hidden: true });
  const heads = boxed.querySelector("thead tr");
  const box = section(say("week"), about, bars, boxed, savers("week", boxed));
  box.id = "week";
  let open = true;
  let timer = null;

  async function poll() {
    try {
      const found = await ask(`${path}/week`);
      if (open) show(found.weeks.find((one) => one.time_zone === state.zone) ?? found.weeks[0]);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // The page says what is wrong; a platform sees no week at all.
      box.hidden = true;
    }
    if (open) timer = setTimeout(poll, EVERY_MS);
  }
  function show(found) {
    if (!found) return;
    box.hidden = false;
    const clocks = Object.keys(found.days[0]?.seconds ?? {}).filter((name) => name !== "loaded");
    const most = Math.max(3600, ...found.days.flatMap((day) => clocks.map((name) => day.seconds[name] ?? 0)));
    text(about, say("week_about", { zone: found.time_zone }));
    const told = clocks.join();
    if (heads.dataset.told !== told) {
      heads.dataset.told = told;
      heads.replaceChildren(...[say("day"), ...clocks.map((name) => say(`c_${name}`))].map((word, index) => el("th", { scope: "col", class: index ? "number" : null }, word)));
      body.replaceChildren();
    }
    const said = (value) => (value === null ? say("not_kept") : span(value));
    keyed(body, found.days, (day) => day.day, (day) => el("tr", {}, el("th", { scope: "row" }, day.day), clocks.map(() => el("td", { class: "number" }))),
      (row, day) => clocks.forEach((name, index) => text(row.children[index + 1], said(day.seconds[name]))));
    keyed(bars, found.days, (day) => day.day, (day) => el("li", {}, el("span", { class: "week-bar" }, el("span", { class: "run order" })), el("span", {}, day.day.slice(5))),
      (one, day) => { one.querySelector(".run").style.height = `${((day.seconds.order ?? 0) / most) * 100}%`; });
  }
  let started = false;
  /** Begins to ask: only once it is known that the role may see him. */
  const start = () => {
    if (started) return;
    started = true;
    poll();
  };
  return { box, start, close() { open = false; clearTimeout(timer); } };
}
