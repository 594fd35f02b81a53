// Lists of riders and alerts: searched, filtered, sorted, page by page, each view with an address of its own.

import { ask, fetched, Refused } from "../ask.js";
import { el, keyed, pill, table, text } from "../make.js";
import { alertDetail, alertLink, KINDS, riderLink } from "../now.js";
import { clock, number, ruleOf, say, span } from "../words.js";
import { keep } from "./save.js";

const EVERY_MS = 5000;
const MOST = 50;
/** A file of everything may take a while. */
const FILE_MS = 600_000;
const STATUSES = ["hold", "approaching", "clear"];
export const TOLD = ["approaching", "limit_reached", "reminder", "hold_released", "hold_breached"];

/** The address of a list: what is not asked for is left out. */
export function listAddress(name, query) {
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return `#/${name}${asked.size ? `?${asked}` : ""}`;
}

export const ruled = (state, one) => {
  const limit = state.limits.get(`${one.policy}/${one.limit}`);
  return limit ? ruleOf(limit) : (one.limit ?? "–");
};

const RIDERS = {
  path: "v1/riders",
  key: "riders",
  id: (one) => one.rider_id,
  heads: [["rider"], ["state"], ["why"], ["left", true], ["until", true], ["zone"]],
  filters: (state) => [
    ["status", "state", STATUSES.map((one) => [one, say(`s_${one}`)])],
    ["limit", "limit", limits(state)], ["platform", "platform", names(state.overview?.riders_by_platform)],
    ["zone", "zone", names(state.overview?.riders_by_zone)],
    ["sort", "sort", ["rider", "-rider", "left", "until"].map((one) => [one, say(`sort_${one}`)])],
  ],
  row: (one) => [riderLink(one.rider_id), pill(one.status, say(`s_${one.status}`)), null, null, null, null],
  cells: (one, state) => [null, null, ruled(state, one), one.remaining_s === null ? "–" : span(one.remaining_s), clock(one.hold_until, state.zone, { today: state.overview?.as_of }), one.zone ?? "–"],
};

const ALERTS = {
  path: "v1/alerts",
  key: "alerts",
  id: (one) => `${one.alert_id} ${one.retracted}`,
  heads: [["time"], ["rider"], ["kind"], ["limit"], ["count", true], ["platform"], ["zone"], ["explain"]],
  filters: (state) => [
    ["kind", "kind", TOLD.map((one) => [one, say(`k_${one}`)])], ["limit", "limit", limits(state)],
    ["platform", "platform", names(state.overview?.riders_by_platform)], ["zone", "zone", names(state.overview?.riders_by_zone)],
  ],
  row: (one, state) => [el("time", { datetime: one.event_time }, clock(one.event_time, state.zone, { today: state.overview?.as_of })), riderLink(one.rider_id), pill(one.retracted ? "unknown" : KINDS[one.kind], say(one.retracted ? "k_retracted" : `k_${one.kind}`)), null, null, null, null, alertLink(one)],
  cells: (one, state) => [null, null, null, ruled(state, one), alertDetail(one), one.platform ?? "–", one.zone ?? "–", null],
};

export const names = (found) => Object.keys(found ?? {}).sort().map((one) => [one, one]);
export const limits = (state) => [...state.limits].map(([name, limit]) => [name, `${ruleOf(limit)} (${name})`]);

export const riders = (main, state, rest, query) => list("riders", RIDERS, main, state, query);
export const alerts = (main, state, rest, query) => list("alerts", ALERTS, main, state, query);

/** A list; `always` names the choices of which one is always made, `asked` what they are at first. */
export function list(name, of, main, state, query) {
  const form = el("form", { class: "filters", role: "search", "aria-label": say("find") });
  const count = el("p", { class: "about", id: "list-count", "aria-live": "polite" }, say("loading"));
  const { box, body } = table(say(name), of.heads.map(([key, right]) => ({ text: say(key), number: right })), { hidden: true });
  const first = el("a", { class: "button", id: "first-page" }, say("first_page"));
  const next = el("a", { class: "button", id: "next-page", hidden: true }, say("next_page"));
  const files = el("div", { class: "savers", role: "group", "aria-label": `${say("save")}: ${say(name)}` });
  main.append(el("div", { class: "title" }, el("h1", {}, say(name)), files), form, el("section", { class: "card" }, count, el("div", { id: `list-${name}` }, box), el("nav", { class: "row pager", "aria-label": say("pages") }, first, next)));
  let timer = null;
  let open = true;
  let offered = "";

  const asked = Object.fromEntries([...of.filters(state).map(([key]) => key), "text", "rider", "cursor"].map((key) => [key, query.get(key) ?? of.asked?.[key] ?? ""]));
  const without = { ...asked, cursor: "" };
  first.setAttribute("href", listAddress(name, without));
  first.hidden = !asked.cursor;

  function draw() {
    // Redrawn only where there is something new to choose: an open choice stays open.
    const choices = of.filters(state);
    const told = JSON.stringify(choices);
    if (told === offered) return;
    offered = told;
    form.replaceChildren(
      field("text", "find_text", el("input", { type: "search", name: "text", value: asked.text, autocomplete: "off", spellcheck: "false", pattern: "[A-Za-z0-9_.:\\-]{0,64}" })),
      ...choices.map(([key, label, options]) => {
        // What an address names is kept, though nobody is of that kind just now.
        const all = options.some(([value]) => value === asked[key]) || !asked[key] ? options : [...options, [asked[key], asked[key]]];
        const select = el("select", { name: key, onchange: () => form.requestSubmit() }, (of.always ?? ["sort"]).includes(key) ? null : el("option", { value: "" }, say("all")), all.map(([value, word]) => el("option", { value, selected: value === asked[key] }, word)));
        return field(key, label, select);
      }),
      el("button", { type: "submit", class: "main" }, say("find")),
      el("a", { href: `#/${name}` }, say("clear_filters")),
    );
  }
  const field = (key, label, input) => {
    input.id = `f-${key}`;
    return el("div", { class: "field" }, el("label", { for: `f-${key}` }, say(label)), input);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = listAddress(name, { rider: asked.rider, ...Object.fromEntries(new FormData(form)) });
  });

  const file = (format) => async () => {
    const found = await fetched(`${of.path}?${search({ ...without, format })}`, FILE_MS);
    keep(`respite-${name}.csv`, "text/csv", await found.text());
  };
  const everything = async () => {
    const lines = [];
    for (let cursor = ""; cursor !== null;) {
      const page = await ask(`${of.path}?${search({ ...without, cursor, most: "1000" })}`);
      lines.push(...page[of.key]);
      cursor = page.next;
    }
    keep(`respite-${name}.json`, "application/json", JSON.stringify(lines, null, 1));
  };
  files.append(el("button", { type: "button", class: "small", "data-save": "csv", onclick: file("csv") }, "CSV"), el("button", { type: "button", class: "small", "data-save": "json", onclick: everything }, "JSON"));

  async function poll() {
    try {
      const page = await ask(`${of.path}?${search({ ...asked, most: String(MOST) })}`);
      if (!open) return;
      show(page);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!open) return;
      files.hidden = form.hidden = error.status === 403;
      text(count, error.status === 403 ? say("not_yours") : error.status === 0 ? say("unknown_api") : `${error.message} ${error.remedy}`);
      keyed(body, [], of.id, () => null, () => {});
    }
    timer = setTimeout(poll, EVERY_MS);
  }
  function show(page) {
    const lines = page[of.key];
    text(count, say(page.complete === false ? "list_part" : "list_count", { n: number(page.count), shown: number(lines.length) }));
    keyed(body, lines, of.id, (one) => el("tr", {}, of.row(one, state).map((cell, index) => el(index ? "td" : "th", { scope: index ? null : "row", class: of.heads[index][1] ? "number" : null }, cell))),
      (row, one) => of.cells(one, state).forEach((value, index) => {
        if (value !== null) text(row.children[index], value);
      }));
    if (of === RIDERS) lines.forEach((one, index) => { const told = body.children[index].children[1]; if (told.firstChild.className !== `pill ${one.status}`) told.replaceChildren(pill(one.status, say(`s_${one.status}`))); });
    next.hidden = !page.next;
    if (page.next) next.setAttribute("href", listAddress(name, { ...asked, cursor: page.next }));
  }
  draw();
  poll();
  return { update: draw, close() { open = false; clearTimeout(timer); } };
}

function search(query) {
  return new URLSearchParams(Object.entries(query).filter(([, value]) => value));
}
