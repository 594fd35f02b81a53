// Words of the console in the language chosen, and how it writes times and amounts.

import { WORDS } from "./dictionary.js";

const LANGUAGE = "respite-language";
let language = localStorage.getItem(LANGUAGE) ?? (navigator.language.startsWith("zh") ? "zh" : "en");

export const lang = () => language;
export function speak(next) {
  language = next;
  localStorage.setItem(LANGUAGE, next);
  document.documentElement.lang = next === "zh" ? "zh-Hans" : "en";
}

/** A text in the language chosen; {names} are filled in. */
export function say(key, values = {}) {
  const pair = WORDS[key];
  if (!pair) return key;
  return pair[language === "zh" ? 0 : 1].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Data's own words in both languages. */
export const ofBoth = (words) => (words ? words[language] : "");

const NBSP = "\u00a0";
const joined = (parts) => parts.filter(Boolean).map((one) => one.replaceAll(" ", NBSP)).join(NBSP);

/** A length as it is counted: hours with minutes, else minutes, else seconds. */
export function span(seconds) {
  const all = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(all / 3600), Math.floor((all % 3600) / 60), all % 60];
  const zh = language === "zh";
  if (h) return joined([zh ? `${h} 小时` : `${h} h`, `${String(m).padStart(2, "0")} ${zh ? "分" : "min"}`]);
  if (m) return joined([zh ? `${m} 分钟` : `${m} min`]);
  return joined([zh ? `${s} 秒` : `${s} s`]);
}

/** A length as rules say it: 4 h, 20 min, without the zero part. */
export function amount(seconds) {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const zh = language === "zh";
  return joined([h ? (zh ? `${h} 小时` : `${h} h`) : "", m ? (zh ? `${m} 分钟` : `${m} min`) : "", s ? (zh ? `${s} 秒` : `${s} s`) : ""]);
}

export const number = (value) => (value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en"));

const formats = new Map();
function format(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options }));
  return formats.get(key);
}

/** The time of day in a zone; with the date where it is not that of `today`. */
export function clock(instant, zone, { seconds = false, today = null } = {}) {
  if (!instant) return "–";
  const date = new Date(instant);
  const told = format(zone, { hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}) }).format(date);
  if (today && dayOf(instant, zone) !== dayOf(today, zone)) return `${dayOf(instant, zone).slice(5)} ${told}`;
  return told;
}

export function dayOf(instant, zone) {
  const parts = Object.fromEntries(format(zone, { year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(new Date(instant)).map((one) => [one.type, one.value]));
  return `${parts.year}-${parts.month}-${parts.day}`;
}

/** What a ban is on by. */
function banOf(limit, zh) {
  if (limit.condition) return zh ? `所在区域发布“${limit.condition}”期间不派新单` : `no new orders while ${limit.condition} is on in the zone`;
  const [begin, end] = limit.between ?? ["00:00", "00:00"];
  const days = limit.dates ? (zh ? `，每年 ${limit.dates.join("至")}` : `, ${limit.dates.join(" to ")}`) : "";
  const zones = limit.zones ? (zh ? `，区域 ${limit.zones.join("、")}` : `, in ${limit.zones.join(", ")}`) : "";
  return zh ? `每日 ${begin} 至 ${end}${days}${zones}不派新单` : `no new orders from ${begin} to ${end}${days}${zones}`;
}

/** What a limit says, in plain words made of its figures; with the condition that it waits for. */
export function ruleOf(limit) {
  const when = limit.when ? (language === "zh" ? `（仅在所在区域发布“${limit.when}”期间）` : ` while ${limit.when} is on in the zone`) : "";
  return amountOf(limit) + when;
}

function amountOf(limit) {
  const zh = language === "zh";
  const of = { order: zh ? "有单在手" : "of orders in hand", loaded: zh ? "载货" : "of loaded riding", online: zh ? "在线" : "online", driving: zh ? "驾驶" : "of driving", duty: zh ? "值勤" : "of duty" }[limit.clock];
  const [most, reset, window, rest] = [limit.limit_s, limit.reset_s ?? 0, limit.window_s ?? 0, limit.rest_s ?? 0].map(amount);
  const since = limit.reset_s ? (zh ? `，其间没有休息满 ${reset}` : ` without a rest of ${reset}`) : "";
  switch (limit.kind) {
    case "continuous": return zh ? `连续${of} ${most}${since}` : `${most} ${of}${since}`;
    case "day": return zh ? `一天内${of} ${most}` : `${most} ${of} in a day`;
    case "week": return zh ? `一周内${of} ${most}` : `${most} ${of} in a week`;
    case "month": return zh ? `一月内${of} ${most}` : `${most} ${of} in a month`;
    case "rolling": return zh ? `任意 ${window} 内${of} ${most}${since}` : `${most} ${of} in any ${window}${since}`;
    case "span": return zh ? `从开始到现在共 ${most}${since}` : `${most} from the first start on${since}`;
    case "ban": return banOf(limit, zh);
    default: return zh ? `任意 ${window} 内没有休息满 ${rest}` : `no rest of ${rest} in any ${window}`;
  }
}

/** What ends a hold of a limit. */
export function releaseOf(limit) {
  const zh = language === "zh";
  const rest = amount((limit.kind === "rest_within" ? limit.rest_s : limit.reset_s) ?? 0);
  switch (limit.release) {
    case "rest": return zh ? `休息满 ${rest} 后自动解除。` : `It ends by itself after a rest of ${rest}.`;
    case "elapsed": return zh ? `开始 ${amount(limit.hold_for_s ?? 0)} 后自动解除。` : `It ends by itself ${amount(limit.hold_for_s ?? 0)} after it began.`;
    case "confirm": return zh ? "骑手本人确认愿意继续后解除。" : "It ends when the rider confirms that he wants to go on.";
    case "window": {
      if (limit.kind === "ban") return zh ? "禁令结束时自动解除。" : "It ends by itself when the ban is over where the rider is.";
      const ends = { day: ["当天", "day"], week: ["本周", "week"], month: ["本月", "month"] }[limit.kind];
      if (ends) return zh ? `${ends[0]}结束时自动解除。` : `It ends by itself with the ${ends[1]}.`;
      return zh ? "累计时间低于上限时自动解除。" : "It ends by itself once the counted time is below the limit.";
    }
    default: return "";
  }
}
