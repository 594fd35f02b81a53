// What the console says, in Chinese and in English, and how it writes times and amounts.

const WORDS = {
  stop: ["。", ". "],
  rest_stops: ["可休息的驿站", "Rest stops"],
  no_rest_stop: ["本区域没有在暂停期内一直开放的驿站。", "No rest stop of this zone is open until the hold can end."],
  open_until: ["开放至", "open until"],
  open_always: ["一直开放", "open all the time"],
  rest_gaps: ["没有开放驿站的区域", "Zones without an open rest stop"],
  rest_gaps_about: ["有骑手被暂停派单、而此刻没有驿站开放的区域。", "Zones with riders on hold in which no rest stop is open now."],
  estates: ["小区", "Estates"],
  access_open: ["可骑入", "riders ride in"],
  access_cart: ["小区接驳车", "the estate's own carts"],
  access_closed: ["不可进入", "closed"],
  skip: ["跳到内容", "Skip to content"],
  nav: ["主导航", "Main"],
  home: ["实时", "Now"],
  city: ["全市", "City"],
  policies: ["规则", "Policies"],
  health: ["运行", "Health"],
  rider: ["骑手", "Rider"],
  language: ["English", "中文"],
  theme: ["配色", "Theme"],
  theme_auto: ["随系统", "Auto"],
  theme_light: ["浅色", "Light"],
  theme_dark: ["深色", "Dark"],
  key: ["密钥", "Key"],
  key_title: ["此接口需要密钥", "This API asks for a key"],
  key_about: ["密钥只保存在此标签页中，关闭即清除。由运维用 respite keys add 生成。", "The key stays in this tab and is gone when you close it. Operators make one with: respite keys add"],
  key_label: ["API 密钥", "API key"],
  case_label: ["案件编号（仅监管方查看个人时需要；会被记录）", "Case number (only for a regulator who looks at a person; it is logged)"],
  key_use: ["使用", "Use it"],
  key_wrong: ["密钥无效，请检查后重试。", "This key is not valid. Check it and try again."],
  key_forget: ["清除密钥", "Forget the key"],
  loading: ["正在读取……", "Reading…"],
  unknown: ["未知", "UNKNOWN"],
  unknown_title: ["未知：没有提醒不等于可以派单", "UNKNOWN: do not read silence as clear"],
  unknown_api: ["接口无法访问。下面是最后一次看到的情况。", "The API cannot be reached. What is below was seen last."],
  unknown_all: ["没有任何分区的状态可信。派单前的查询一律回答 UNKNOWN。", "No partition's state can be believed. Every question before dispatch is answered UNKNOWN."],
  unknown_none: ["没有工作进程在运行。", "No worker is running."],
  unknown_some: ["以下分区的骑手状态未知，计数只含其余分区：", "Riders of these partitions are unknown; the counts are those of the others: "],
  unknown_feed: ["实时提醒中断，正在重连。", "Live alerts are interrupted; connecting again."],
  reason_stale: ["数据过期", "stale"],
  reason_restoring: ["正在恢复", "restoring"],
  reason_policies: ["接口与工作进程规则不一致", "API and worker have different policies"],
  reason_version: ["接口与工作进程版本不一致", "API and worker have different versions"],
  reason_busy: ["繁忙", "busy"],
  reason_elsewhere: ["不在本机", "not on this machine"],
  reason_unreachable: ["无法访问", "out of reach"],
  city_time: ["城市时间", "City time"],
  on_hold: ["暂停派单", "On hold"],
  approaching: ["接近上限", "Near a limit"],
  clear: ["可以派单", "Clear"],
  riders: ["骑手总数", "Riders"],
  events_s: ["事件 / 秒", "Events / s"],
  alerts_min: ["提醒 / 分钟", "Alerts / min"],
  who_held: ["谁在暂停派单", "Riders on hold"],
  held_about: ["这些骑手现在不得被派新单。已接的单可以送完。暂停到期自动解除，不是处罚，也不是评分。", "No new order may be pushed to these riders now; orders in hand may be finished. A hold ends by itself. It is no penalty and no rating."],
  shadow: ["试行中的规则（不生效）", "Rules in the shadow (not in force)"],
  shadow_about: ["这些规则只在试行：只计算，不通知平台，不暂停任何人派单。列出的是如果生效会怎样。", "These rules are only tried: reckoned, told to no platform, holding nobody. The numbers say what would be if they were in force."],
  shadow_rule: ["规则", "rule"],
  shadow_held: ["会被暂停", "would be held"],
  shadow_working: ["其中手上有单", "of them with an order"],
  shadow_orders: ["期间接的单", "orders accepted meanwhile"],
  nobody_held: ["目前没有骑手在暂停派单。", "Nobody is on hold."],
  who_near: ["离上限最近", "Nearest to a limit"],
  nobody_near: ["目前没有骑手在计时。", "Nobody's clock is running."],
  why: ["原因", "Why"],
  until: ["最早恢复", "Not before"],
  left: ["剩余", "Left"],
  rest_now: ["若立即休息", "with a rest from now on"],
  more: ["另有 {n} 名", "and {n} more"],
  feed: ["实时提醒", "Live alerts"],
  pause: ["暂停滚动", "Pause"],
  go_on: ["继续滚动", "Go on"],
  no_alerts: ["还没有提醒。", "No alerts yet."],
  latest: ["最近一次暂停派单", "The latest hold"],
  latest_say: ["{rider}：现在不得再派新单。", "{rider} may get no new order now."],
  latest_why: ["{at} 达到上限：{rule}。已累计 {counted}。", "At {at} the limit was reached: {rule}. Counted: {counted}."],
  see_day: ["看这一天和完整说明", "See the day and the full explanation"],
  open_rider: ["查看骑手", "Open a rider"],
  rider_id: ["骑手编号", "Rider id"],
  open: ["打开", "Open"],
  k_approaching: ["接近上限", "Near a limit"],
  k_limit_reached: ["到达上限", "Limit reached"],
  k_reminder: ["再次提醒", "Reminder"],
  k_hold_released: ["可以接单", "Hold released"],
  k_hold_breached: ["违规派单", "Hold breached"],
  k_retracted: ["已撤回", "Taken back"],
  by: ["平台", "by"],
  s_hold: ["暂停派单", "On hold"],
  s_approaching: ["接近上限", "Near a limit"],
  s_clear: ["可以派单", "Clear"],
  c_order: ["接单时间", "Order time"],
  c_loaded: ["载货时间", "Loaded time"],
  c_online: ["在线时间", "Online time"],
  day: ["这一天", "The day"],
  day_of: ["{day}（{zone}）", "{day} ({zone})"],
  as_of: ["截至", "As of"],
  in_hand: ["手中订单", "Orders in hand"],
  last_event: ["最近事件", "Last event"],
  holds: ["暂停派单", "Holds"],
  rests: ["休息", "Rests"],
  rest_of: ["休息 {d}", "rest {d}"],
  legend: ["图例", "Key"],
  lg_clock: ["计时", "clock running"],
  lg_rest: ["足够长的休息", "rest long enough to reset"],
  lg_hold: ["暂停派单", "hold"],
  lg_reached: ["到达上限", "limit reached"],
  lg_near: ["预警", "warning"],
  lg_breach: ["违规派单", "breach"],
  lg_now: ["现在", "now"],
  as_table: ["以表格显示", "The same as a table"],
  from: ["从", "From"],
  to: ["到", "To"],
  length: ["时长", "Length"],
  what: ["内容", "What"],
  running: ["仍在进行", "still running"],
  by_maximum: ["因缺少结束事件按最长时间截断", "ended by the maximum: no end was sent"],
  limits: ["各项上限", "Limits"],
  counted_of: ["{a} / {b}", "{a} of {b}"],
  resets_at: ["若现在起休息，{at} 重新计算", "counts anew at {at} with a rest from now on"],
  resets_with: ["{at} 重新计算", "counts anew at {at}"],
  advice: ["只提醒", "advice only"],
  why_title: ["为什么", "Why"],
  why_held: ["为什么暂停派单", "Why this rider is on hold"],
  released_how: ["怎样解除", "What ends it"],
  released_when: ["最早何时", "When, at the earliest"],
  contest_how: ["如何异议", "How to contest"],
  contest_until: ["异议截止", "Contest until"],
  decision: ["决定编号", "Decision id"],
  source: ["依据", "Source"],
  clock: ["计哪种时间", "Which time counts"],
  window: ["统计区间", "Window"],
  intervals: ["计入的时段", "Intervals counted"],
  not_counted: ["未计入的时段", "Not counted"],
  over: ["超出", "Over"],
  amount: ["累计 / 上限", "Counted / limit"],
  quality: ["数据质量", "Data quality"],
  q_estimated: ["含未结束或被截断的时段", "contains an interval that is open or was cut off"],
  q_provisional: ["仍可能有迟到的数据", "late data may still arrive"],
  q_late: ["判定时数据迟到", "was told late, because evidence came late"],
  q_retracted: ["已撤回", "taken back"],
  q_good: ["无保留", "no reservation"],
  worst: ["最不利的解读", "Worst reading"],
  doubtful: ["存疑的证据", "Doubtful evidence"],
  without_it: ["不计这段：", "Without it:"],
  best: ["最有利的解读", "Best reading"],
  reached_yes: ["达到上限", "limit reached"],
  reached_no: ["未达上限", "limit not reached"],
  override: ["谁可以提前解除", "Who may end it earlier"],
  alerts_of: ["有关提醒", "Alerts about this rider"],
  explain: ["说明", "Explain"],
  unknown_rider: ["没有这名骑手的数据。", "Nothing is known of this rider."],
  rider_unknown: ["此骑手的状态未知，不得视为可以派单。", "This rider's state is UNKNOWN. Do not take it for clear."],
  need_case: ["监管方查看个人须填写案件编号。", "A regulator needs a case number to look at a person."],
  persons_hidden: ["你的角色看不到个人：名单已隐藏，人数见上方。", "Persons are hidden from your role: the list is not shown. The counts are above."],
  not_shown: ["对平台隐藏：这会显示骑手在别处的工作。", "Hidden from platforms: it would show the rider's work elsewhere."],
  dots: ["浏览器无法查询名为“.”或“..”的骑手，请直接使用接口。", "A browser cannot ask for a rider called “.” or “..”: ask the API by another client."],
  day_before: ["前一天", "The day before"],
  not_yours: ["你的密钥不能查看此页。", "Your key does not open this page."],
  platform_only: ["平台密钥只能查看自己的骑手：请输入骑手编号。下面是有关这些骑手的提醒。", "A platform's key sees its own riders only: enter a rider's id. Alerts about these riders are below."],
  summary_only: ["平台只看到自己骑手的状态和有关提醒。", "A platform sees the status of its own riders and the alerts about them, no more."],
  by_platform: ["按平台", "By platform"],
  by_platform_about: ["在多个平台接单的骑手在每个平台各计一次。", "A rider who works for several platforms counts with each."],
  by_zone: ["按区域", "By zone"],
  by_limit: ["暂停派单：按规则", "Holds by limit"],
  by_kind: ["提醒：按类别", "Alerts by kind"],
  breaches: ["违规派单", "Breaches"],
  platform: ["平台", "Platform"],
  zone: ["区域", "Zone"],
  limit: ["规则", "Limit"],
  kind: ["类别", "Kind"],
  count: ["数量", "Count"],
  suppressed: ["少于 {k} 人的格子显示为“< {k}”，并隐藏更多格子，使其无法由合计推算。", "Cells with fewer than {k} riders read “< {k}”; more are hidden so that no sum gives them away."],
  suppressed_none: ["本机无密钥模式：数字未做隐藏。监管方的密钥看到的小数会被隐藏。", "These are the whole figures. A regulator's key sees small cells hidden."],
  none: ["无", "none"],
  policy_by: ["{m}，自 {from} 起，{zone}", "{m}, valid from {from}, {zone}"],
  m_law: ["法律", "Law"],
  m_agreement: ["协议", "Agreement"],
  m_standard: ["标准", "Standard"],
  m_platform: ["平台规则", "Platform's own rule"],
  warns: ["提前 {d} 预警。", "Warns {d} before."],
  reminds: ["之后每 {d} 提醒。", "Reminds every {d} after that."],
  e_remind: ["只提醒，不暂停派单。", "Advice only; nobody is put on hold."],
  e_confirm: ["到达时暂停派单，骑手确认后可以继续。", "Reaching it is a hold, which the rider may end by confirming."],
  e_hold: ["到达时暂停派单。", "Reaching it is a hold: no new orders."],
  partitions: ["分区", "Partitions"],
  partition: ["分区", "Partition"],
  worker: ["工作进程", "Worker"],
  state: ["状态", "State"],
  fresh: ["正常", "Fresh"],
  now: ["处理到", "Judged up to"],
  said: ["上次报告", "Last word"],
  lag: ["落后", "Behind"],
  lag_records: ["积压记录", "Records waiting"],
  ago: ["{s} 秒前", "{s} s ago"],
  event_clock: ["事件时钟", "events' own clock"],
  overall: ["总体", "Overall"],
  all_fresh: ["全部分区正常", "All partitions are fresh"],
  no_partitions: ["没有分区信息", "No partitions are known"],
  dead: ["拒收的消息", "Dead letters"],
  dead_about: ["过去 24 小时被拒收的消息，按原因。原文保存在 courier.dead-letter 主题中。", "Messages refused in the last 24 hours, by reason. They are kept as they were in the topic courier.dead-letter."],
  dead_none: ["没有拒收的消息。", "No message has been refused."],
  reason: ["原因", "Reason"],
  d_too_large: ["超过 16 KiB", "more than 16 KiB"],
  d_malformed: ["不是 JSON 对象", "not a JSON object"],
  d_unsupported_schema: ["未知的格式版本", "an unknown version of the format"],
  d_invalid: ["字段缺失或有误", "a field is missing or wrong"],
  d_future: ["事件时间在未来", "the event lies in the future"],
  d_too_late: ["迟于允许的时限", "later than allowed"],
  d_flood: ["同一骑手的事件过多", "too many events of one rider"],
  d_misplaced: ["放错分区", "in the wrong partition"],
  footer: ["Respite 只计算时间，不评价人。判定依据见“规则”。", "Respite counts hours and rates nobody. What it judges by is under Policies."],
};

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

/** What a limit says, in plain words made of its figures. */
export function ruleOf(limit) {
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
      const ends = { day: ["当天", "day"], week: ["本周", "week"], month: ["本月", "month"] }[limit.kind];
      if (ends) return zh ? `${ends[0]}结束时自动解除。` : `It ends by itself with the ${ends[1]}.`;
      return zh ? "累计时间低于上限时自动解除。" : "It ends by itself once the counted time is below the limit.";
    }
    default: return "";
  }
}
