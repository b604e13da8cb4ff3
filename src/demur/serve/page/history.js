/* What was asked before. It stays in this browser. */

import { tag } from "./answer.js";
import { $, h, put, recall, retain } from "./dom.js";
import { declines, shownText } from "./threshold.js";

const PLACE = "demur.history", MOST = 100;

/* What stands there was written by this page, perhaps by an older one: what is no answer is dropped. */
const load = () => {
  try {
    const found = JSON.parse(recall("localStorage", PLACE) ?? "[]");
    return Array.isArray(found) ? found.filter((item) => typeof item?.asked?.question === "string" && typeof item?.answer?.said === "string" && item.answer.signals) : [];
  } catch {
    return [];
  }
};

let items = [];

export const startHistory = (open) => {
  items = load();
  $("forget").addEventListener("click", () => { items = []; keep(); });
  document.addEventListener("threshold", () => draw(open));
  draw(open);
  document.addEventListener("history", () => draw(open));
};

/* A full store keeps the newest. */
export const keep = () => {
  items = items.slice(0, MOST);
  for (let count = items.length; !retain("localStorage", PLACE, JSON.stringify(items.slice(0, count))) && count; ) count >>= 1;
  document.dispatchEvent(new Event("history"));
};

/* The same question asked again moves to the top. */
export const remember = (item) => {
  const same = JSON.stringify(item.asked);
  items = [item, ...items.filter((other) => JSON.stringify(other.asked) !== same)];
  keep();
};

const draw = (open) => {
  $("history-empty").hidden = items.length > 0;
  $("forget").hidden = !items.length;
  put($("asked-before"), items.map((item) => h("li", null, h("button", { type: "button", click: () => open(item) },
    h("span", { class: "asked" }, item.asked.question), h("span", { class: "outcome" }, tag(declines(item.answer)), h("span", { class: "said" }, shownText(item.answer))),
    h("small", null, h("time", { datetime: item.at }, new Date(item.at).toLocaleString()), ` ${item.by ?? ""}`)))));
};
