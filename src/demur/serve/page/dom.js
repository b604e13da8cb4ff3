/* Building nodes. Texts of models and users only ever become text nodes. */

export const $ = (id) => document.getElementById(id);

const fill = (node, attributes, children) => {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") node.addEventListener(key, value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
};
export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
export const put = (node, ...children) => node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));

/* Custom properties through the object model: the content security policy allows no style attributes. */
export const styled = (node, properties) => {
  for (const [key, value] of Object.entries(properties)) node.style.setProperty(`--${key}`, value);
  return node;
};

/* A browser may forbid its stores; then nothing is remembered. */
export const recall = (store, key) => { try { return window[store].getItem(key); } catch { return null; } };
export const retain = (store, key, value) => { try { window[store].setItem(key, value); return true; } catch { return false; } };

/* What screen readers are told. */
export const say = (text) => put($("live"), text);

export const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
export const percent = (x) => {
  if (x === null || x === undefined) return "undefined";
  const digits = (x > 0 && x < 0.01) || (x > 0.99 && x < 1) ? 1 : 0;
  return `${(100 * x).toFixed(digits)}%`;
};
export const range = (ends) => (ends ? `${(100 * ends[0]).toFixed(0)}–${(100 * ends[1]).toFixed(0)}%` : "");
/* Two digits, more where rounding would claim all or nothing. */
export const number = (x) => (x === null || x === undefined ? "none" : ((x > 0.99 && x < 1) || (x > 0 && x < 0.01)) ? x.toFixed(4) : x.toFixed(2));
