// Elements out of data. Data only ever becomes text and attributes, never markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((one) => one !== null && one !== undefined));
  return made;
}

export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Sets text only where it differs: what is unchanged keeps its selection and is not read out again. */
export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/** Brings the children of a node in line with items. Kept ones keep their elements, and so the focus. */
export function keyed(parent, items, keyOf, make, update) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, index) => {
    const key = String(keyOf(item));
    let child = before.get(key);
    if (!child) {
      child = make(item);
      child.dataset.key = key;
    }
    before.delete(key);
    update(child, item);
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  for (const gone of before.values()) gone.remove();
}

/** A table with a caption, in a box that scrolls sideways by itself where it must. */
export function table(caption, heads, { hidden = false } = {}) {
  const body = el("tbody");
  const head = el("tr", {}, heads.map((one) => el("th", { scope: "col", class: one.number ? "number" : null }, one.text)));
  const made = el("table", {}, el("caption", { class: hidden ? "unseen" : null }, caption), el("thead", {}, head), body);
  return { box: el("div", { class: "wide", role: "region", tabindex: "0", "aria-label": caption }, made), body };
}

export function section(title, ...children) {
  return el("section", { class: "card" }, el("h2", {}, title), ...children);
}

const SHAPES = { hold: "■", approaching: "▲", clear: "●", unknown: "◆", breach: "✕" };

/** A status by colour, shape and word. */
export function pill(status, word) {
  return el("span", { class: `pill ${status}` }, el("span", { class: "shape", "aria-hidden": "true" }, SHAPES[status]), word);
}

export function repill(node, status, word) {
  if (node.className === `pill ${status}` && node.lastChild.textContent === word) return;
  node.replaceWith(pill(status, word));
}
