// What is shown as a file: CSV or JSON of a table's own cells, so never more than the page itself shows.

import { el } from "../make.js";
import { say } from "../words.js";

/** A file for the browser to keep. */
export function keep(name, type, contents) {
  const link = el("a", { href: URL.createObjectURL(new Blob([contents], { type })), download: name });
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** Lines of cells as CSV (RFC 4180). */
export const csv = (lines) => lines.map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n";

function cellsOf(node) {
  const rows = [...node.querySelectorAll("tr")];
  return rows.map((row) => [...row.children].map((cell) => cell.textContent.replaceAll("\u00a0", " ").trim()));
}

/** Two buttons that keep a table as it is shown. */
export function savers(name, node) {
  const lines = () => cellsOf(node);
  const asJson = () => {
    const [heads, ...rows] = lines();
    return JSON.stringify(rows.map((row) => Object.fromEntries(heads.map((head, index) => [head, row[index]]))), null, 1);
  };
  return el("div", { class: "savers", role: "group", "aria-label": `${say("save")}: ${node.querySelector("caption")?.textContent ?? name}` },
    el("button", { type: "button", class: "small", "data-save": "csv", onclick: () => keep(`respite-${name}.csv`, "text/csv", csv(lines())) }, "CSV"),
    el("button", { type: "button", class: "small", "data-save": "json", onclick: () => keep(`respite-${name}.json`, "application/json", asJson()) }, "JSON"));
}
