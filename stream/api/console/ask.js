// Questions to the API, and its live stream. The key stays in this tab.

const KEY = "respite-key";
const CASE = "respite-case";
const PATIENCE_MS = 5000;
const AGAIN_MS = 1500;

export const credentials = {
  get key() { return sessionStorage.getItem(KEY) ?? ""; },
  get caseNumber() { return sessionStorage.getItem(CASE) ?? ""; },
  set(key, caseNumber) {
    for (const [name, value] of [[KEY, key], [CASE, caseNumber]]) {
      if (value) sessionStorage.setItem(name, value);
      else sessionStorage.removeItem(name);
    }
  },
};

export class Refused extends Error {
  constructor(status, detail, remedy) {
    super(detail);
    this.status = status;
    this.remedy = remedy;
  }
}

function headers(more = {}) {
  const made = { ...more };
  if (credentials.key) made.Authorization = `Bearer ${credentials.key}`;
  if (credentials.caseNumber) made["X-Case-Number"] = credentials.caseNumber;
  return made;
}

async function refusal(answer) {
  const problem = await answer.json().catch((error) => ({ detail: `${answer.status} (${error.message})` }));
  return new Refused(answer.status, problem.detail ?? String(answer.status), problem.remedy ?? "");
}

/** The document under a path. Throws Refused with the API's words; status 0 when the API is not reached. */
export async function ask(path) {
  const answer = await fetched(path);
  try {
    return await answer.json();
  } catch (error) {
    throw new Refused(0, error.message, "");
  }
}

/** Sends a document, and gives what is answered. Throws as `ask` does. */
export async function send(path, document) {
  const answer = await fetched(path, PATIENCE_MS, { method: "POST", body: JSON.stringify(document), headers: headers({ "Content-Type": "application/json" }) });
  return answer.json();
}

/** The answer itself, for what is no document or takes its time. Throws as `ask` does. */
export async function fetched(path, patienceMs = PATIENCE_MS, more = {}) {
  let answer;
  try {
    answer = await fetch(path, { headers: headers(), cache: "no-store", signal: AbortSignal.timeout(patienceMs), ...more });
  } catch (error) {
    throw new Refused(0, error.message, "");
  }
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

/** Follows the live alerts, the recent ones first, until aborted. EventSource could not send the key. */
export async function follow(onAlert, onState, signal) {
  let last = "0-0";
  while (!signal.aborted) {
    try {
      const answer = await fetch("v1/alerts/stream", { headers: headers({ "Last-Event-ID": last }), signal });
      if (!answer.ok) throw await refusal(answer);
      onState("live");
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const blocks = (rest + value).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) {
          const lines = new Map(block.split("\n").map((line) => [line.split(": ", 1)[0], line.slice(line.indexOf(": ") + 2)]));
          if (lines.has("id")) last = lines.get("id");
          if (lines.get("event") === "alert") onAlert(JSON.parse(lines.get("data")));
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused && error.status >= 400 && error.status < 500 && error.status !== 429) {
        onState("refused");
        return;
      }
    }
    onState("away");
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}
