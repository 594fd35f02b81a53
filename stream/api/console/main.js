// Puts the console together: what is asked, which page is open, language, theme and key.

import { ask, credentials, follow, Refused } from "./ask.js";
import { city } from "./city.js";
import { health } from "./health.js";
import { alert } from "./lists/alert.js";
import { alerts, riders } from "./lists/page.js";
import { el } from "./make.js";
import { now } from "./now.js";
import { pictures } from "./pictures/page.js";
import { policies } from "./policies.js";
import { review } from "./reviews/answer.js";
import { reviews } from "./reviews/list.js";
import { rider } from "./rider.js";
import { lang, say, speak } from "./words.js";

const POLL_MS = 1000;
const THEME = "respite-theme";
const HASTE_MS = 600;
const FEED = 200;
/** Pages by the first part of their address, each with how many parts may follow. */
const PAGES = {
  "": [now, 0, 0], riders: [riders, 0, 0], alerts: [alerts, 0, 0], pictures: [pictures, 0, 0], city: [city, 0, 0],
  policies: [policies, 0, 0], health: [health, 0, 0], rider: [rider, 1, 2], alert: [alert, 1, 1],
  reviews: [reviews, 0, 0], review: [review, 1, 1],
};
const SHOWN = ["", "riders", "alerts", "reviews", "pictures", "city", "policies", "health"];
/** For a rider's own key: nothing else is his business. */
const OF_RIDER = ["rider", "reviews", "policies"];
const $ = (id) => document.getElementById(id);

/** What is known here: the newest answers, and nothing made up where there is none. */
const state = {
  overview: null,
  unreachable: false,
  feed: "away",
  alerts: [],
  holds: new Map(),
  limits: new Map(),
  policies: [],
  zone: "Asia/Shanghai",
  platformKey: false,
  caller: null,
};
let page = null;
let stream = null;
let timer = null;
let asksForKey = false;
let askedAt = 0;

function limitsOf(found) {
  state.policies = found.policies;
  state.limits = new Map(found.policies.flatMap((one) => one.limits.map((limit) => [`${one.policy}/${limit.name}`, limit])));
  if (found.policies.length) state.zone = found.policies[0].time_zone;
}

function take(alert) {
  state.alerts.unshift(alert);
  if (state.alerts.length > FEED) state.alerts.length = FEED;
  const of = `${alert.rider_id} ${alert.policy}/${alert.limit}`;
  if (["limit_reached", "hold_released", "retracted"].includes(alert.kind)) state.holds.delete(of);
  if (alert.kind === "limit_reached" && alert.hold) state.holds.set(of, alert);
  page?.alert?.(alert);
  // A hold is not left to wait for the next turn.
  if (alert.kind === "limit_reached" && Date.now() - askedAt > HASTE_MS) {
    clearTimeout(timer);
    askedAt = Date.now();
    timer = setTimeout(poll, HASTE_MS);
  }
}

// -- which page ------------------------------------------------------------------------------------

/** A part of the address as it was meant; what is no encoding stands for itself. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return part;
  }
}

function place() {
  const [address, asked = ""] = location.hash.split(/\?(.*)/s);
  const [, name = "", ...rest] = address.split("/");
  const [, least, most] = Object.hasOwn(PAGES, name) ? PAGES[name] : [null, 1, 0];
  // A rider's own day is where others see everybody.
  if (!name && !rest.length && state.caller?.rider) return { name: "rider", rest: [state.caller.rider], query: new URLSearchParams() };
  const isKnown = rest.length >= least && rest.length <= most && rest.every(Boolean) && (name !== "rider" || rest.length < 2 || rest[1] === "before");
  return { name: isKnown ? name : null, rest: rest.map(decoded), query: new URLSearchParams(asked) };
}

/** What an address that leads nowhere shows. */
function missing(main) {
  main.append(el("section", { class: "card", id: "not-found" }, el("h1", {}, say("not_found")), el("p", {}, say("not_found_about", { address: location.hash })), el("a", { class: "button", href: "#/" }, say("home"))));
  return {};
}

function open({ focus = false } = {}) {
  const { name, rest, query } = place();
  page?.close?.();
  const main = $("main");
  main.replaceChildren();
  document.title = `${name === null ? say("not_found") : name === "rider" ? rest[0] : say(name || "home")} · Respite`;
  for (const link of $("nav").querySelectorAll("a")) {
    if (link.dataset.name === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  page = name === null ? missing(main) : PAGES[name][0](main, state, rest, query);
  page.update?.();
  if (focus) {
    main.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
}

// -- the frame -------------------------------------------------------------------------------------

function theme(next) {
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  localStorage.setItem(THEME, next);
  document.dispatchEvent(new Event("respite-theme"));
}

/** The pages that are offered: of reviews, where some are taken. */
function shown() {
  if (state.caller?.rider) return OF_RIDER;
  return SHOWN.filter((name) => name !== "reviews" || state.caller?.reviews);
}

function frame() {
  $("skip").textContent = say("skip");
  $("footer").textContent = say("footer");
  $("nav").setAttribute("aria-label", say("nav"));
  $("nav").replaceChildren(
    ...shown().map((name) => el("a", { href: name === "rider" ? `#/rider/${encodeURIComponent(state.caller.rider)}` : `#/${name}`, "data-name": name }, say(name === "rider" ? "mine" : name || "home"))),
  );
  const chosen = localStorage.getItem(THEME) ?? "auto";
  const themes = el("select", { id: "theme", "aria-label": say("theme"), onchange: (event) => theme(event.target.value) });
  for (const one of ["auto", "light", "dark"]) themes.append(el("option", { value: one, selected: one === chosen }, say(`theme_${one}`)));
  const other = lang() === "zh" ? "en" : "zh";
  const language = el("button", { type: "button", id: "language", lang: other === "zh" ? "zh-Hans" : "en", onclick: () => { speak(other); frame(); open(); banner(); $("language").focus(); } }, say("language"));
  const key = asksForKey || credentials.key ? el("button", { type: "button", id: "key", onclick: keyForm }, say("key")) : null;
  $("tools").replaceChildren(...[key, themes, language].filter(Boolean));
}

function keyForm(event, wrong = false) {
  page?.close?.();
  page = null;
  const key = el("input", { id: "key-input", type: "password", autocomplete: "off", spellcheck: "false", value: credentials.key, "aria-describedby": wrong ? "key-wrong" : "key-about" });
  const number = el("input", { id: "case-input", type: "text", autocomplete: "off", maxlength: "64", value: credentials.caseNumber });
  const form = el(
    "form",
    { class: "card key", onsubmit: (sent) => { sent.preventDefault(); credentials.set(key.value.trim(), number.value.trim()); begin(); } },
    el("h1", {}, say("key_title")),
    el("p", { id: "key-about" }, say("key_about")),
    wrong ? el("p", { id: "key-wrong", class: "wrong", role: "alert" }, say("key_wrong")) : null,
    el("label", { for: "key-input" }, say("key_label")), key,
    el("label", { for: "case-input" }, say("case_label")), number,
    el("div", { class: "row" }, el("button", { type: "submit", class: "main" }, say("key_use")),
      credentials.key ? el("button", { type: "button", onclick: () => { credentials.set("", ""); begin(); } }, say("key_forget")) : null),
  );
  $("main").replaceChildren(form);
  key.focus();
}

/** Unmistakable, and only there while it is true. */
function banner() {
  const lines = [];
  const seen = state.overview;
  if (state.unreachable) lines.push(say("unknown_api"));
  else if (seen && !seen.complete) {
    const stale = seen.partitions.filter((one) => !one.fresh);
    if (!seen.partitions.length) lines.push(say("unknown_none"));
    else if (stale.length === seen.partitions.length) lines.push(`${say("unknown_all")} (${[...new Set(stale.map((one) => say(`reason_${one.reason}`)))].join(", ")})`);
    else lines.push(say("unknown_some") + stale.map((one) => `${one.partition} (${say(`reason_${one.reason}`)})`).join(", "));
  }
  const told = lines.length ? `${say("unknown_title")} ${lines.join(" ")}` : "";
  const box = $("banner");
  document.documentElement.classList.toggle("is-unknown", lines.length > 0);
  if (box.dataset.told === told) return;
  box.dataset.told = told;
  box.replaceChildren(...(told ? [el("strong", {}, el("span", { "aria-hidden": "true" }, "◆ "), say("unknown_title")), ...lines.map((line) => el("p", {}, line))] : []));
}

// -- asking ----------------------------------------------------------------------------------------

async function poll() {
  askedAt = Date.now();
  try {
    state.overview = await ask("v1/overview");
    state.unreachable = false;
    state.platformKey = false;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.status === 401) return refused();
    state.platformKey = error.status === 403;
    state.unreachable = error.status !== 403;
  }
  banner();
  page?.update?.();
  clearTimeout(timer);
  timer = setTimeout(poll, POLL_MS);
  return undefined;
}

function refused() {
  stream?.abort();
  asksForKey = true;
  frame();
  keyForm(null, Boolean(credentials.key));
}

async function begin() {
  clearTimeout(timer);
  stream?.abort();
  Object.assign(state, { overview: null, unreachable: false, alerts: [], holds: new Map() });
  try {
    state.caller = await ask("v1/me");
    limitsOf(await ask("v1/policies"));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.status === 401) return refused();
    state.unreachable = true;
    banner();
    timer = setTimeout(begin, POLL_MS);
    return undefined;
  }
  frame();
  open();
  stream = new AbortController();
  follow(take, (told) => { state.feed = told; page?.update?.(); }, stream.signal);
  return poll();
}

window.addEventListener("hashchange", () => { if (location.hash.startsWith("#/") || !location.hash) open({ focus: true }); });
$("skip").addEventListener("click", (event) => { event.preventDefault(); $("main").focus(); });
theme(localStorage.getItem(THEME) ?? "auto");
speak(lang());
frame();
begin();
