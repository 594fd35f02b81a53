// What a review says of itself: its state by colour, shape and word, its instants with their days.

import { pill } from "../make.js";
import { clock, dayOf, say } from "../words.js";

/** Characters of what somebody writes, at most. */
export const MOST = 2000;
const COLOURS = { overdue: "hold", in_time: "approaching" };

/** Overdue, in time, or its outcome. */
export const stateOf = (one) => one.outcome ?? (one.overdue ? "overdue" : "in_time");

export const reviewPill = (one) => pill(COLOURS[stateOf(one)] ?? "clear", say(`r_${stateOf(one)}`));

/** Weeks lie between a review's instants: each with its day. */
export const instant = (at, state) => (at ? `${dayOf(at, state.zone)} ${clock(at, state.zone)}` : "–");

/** Why the API has refused something, as it says it. */
export const refusal = (error) => (error.status === 0 ? say("unknown_api") : `${error.message} ${error.remedy}`);
