/* One answer or refusal, with everything behind it. */

import { Failure, call } from "./api.js";
import { h, number, percent, plural, put, say } from "./dom.js";
import { bar, chosenThreshold, declines, refusedInWords, shownText, thresholdOf, unanswered } from "./threshold.js";

const DRAWS = 10;
export const name = (system) => `${system.title} on ${system.base}`;

export const tag = (declined) => h("span", { class: `tag ${declined ? "declined" : "given"}` }, declined ? "Declined" : "Answered");

/* Why it answered or declined, in a sentence. */
export const reason = (answer) => {
  const limit = thresholdOf(answer), mine = chosenThreshold() === null ? "the threshold" : "your threshold";
  if (refusedInWords(answer)) return "The model declined in its own words, which holds at any threshold.";
  if (limit === null) return "Only the model’s own words decline; no threshold does.";
  if (answer.confidence === null) return "The model gave no confidence, and a threshold asks for one.";
  if (unanswered(answer) && answer.confidence >= limit) return "No answer was generated for it. Ask it again with this threshold.";
  return declines(answer) ? `${number(answer.confidence)} is below ${mine} of ${number(limit)}, so it declines.`
    : `${number(answer.confidence)} reaches ${mine} of ${number(limit)}, so it answers.`;
};

const confidence = (answer) => {
  if (answer.confidence === null) return h("p", { class: "note" }, reason(answer));
  const likely = answer.probability === null ? "" : ` Right with a probability of ${percent(answer.probability)}, as calibrated.`;
  return h("div", { class: "confidence" },
    h("p", { class: "figures" }, h("span", null, `Confidence, “${answer.signal}”`), h("b", null, number(answer.confidence))),
    bar(answer.confidence, { threshold: thresholdOf(answer), label: "Confidence" }),
    h("p", { class: "note" }, reason(answer), likely));
};

const signals = (answer, system) => {
  const meanings = new Map(system.signals.map((signal) => [signal.name, signal.meaning]));
  const rows = Object.entries(answer.signals).map(([name, value]) => h("div", null,
    h("dt", null, name, name === answer.signal ? h("small", null, " decides") : null),
    h("dd", null, h("span", { class: "value" }, number(value)), bar(value, { label: name })),
    h("dd", { class: "note" }, meanings.get(name))));
  return rows.length ? h("details", { class: "signals" }, h("summary", null, `What it is sure by: ${plural(rows.length, "signal")}`), h("dl", null, rows)) : null;
};

const samples = (drawn) => {
  const total = drawn.reduce((sum, item) => sum + item.count, 0);
  return h("section", { class: "samples" },
    h("h3", null, `${plural(total, "drawn answer")}, ${drawn.length === 1 ? "all the same" : `${drawn.length} different ones`}`),
    h("p", { class: "note" }, "Drawn at random as the model is inclined. Where it knows, they agree."),
    h("ol", null, drawn.map((item) => h("li", null,
      h("span", { class: "said" }, item.text || "(empty)"), bar(item.count / total, { label: `Share of “${item.text}”` }),
      h("span", { class: "value" }, `${item.count} of ${total}`)))));
};

const side = (title, answer, declined) => h("div", { class: `side-by ${declined ? "declined" : "given"}` },
  h("h4", null, title), tag(declined), h("p", { class: "said" }, declined && !refusedInWords(answer) ? shownText(answer) : answer.said || "(empty)"),
  h("p", { class: "note" }, answer.confidence === null ? "No confidence." : `${answer.signal} ${number(answer.confidence)}`));
const beside = (answer, base, system) => h("section", { class: "beside" }, h("h3", null, "Before and after tuning"),
  h("div", null, side(`${system.base}, untuned`, base, base.abstained), side(system.title, answer, declines(answer))));

/* A card that follows the threshold. `item` holds what was asked and what came back; `changed` is told when
   more came back. */
export const card = (item, system, { changed }) => {
  const node = h("article", { class: "card" });
  const more = async (button, wanted) => {
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    try {
      const found = await call("ask", { ...item.asked, ...wanted });
      item.samples = found.samples ?? item.samples;
      item.base = found.base ?? item.base;
      changed();
      draw();
      say(wanted.base ? "The base model’s answer is shown below." : "Drawn answers are shown below.");
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      button.removeAttribute("aria-busy");
      button.disabled = false;
      put(node.querySelector(".failed"), error.message);
    }
  };
  const button = (words, wanted) => h("button", { type: "button", click: (event) => more(event.target, wanted) }, words);
  const draw = () => {
    const { answer } = item, declined = declines(answer), open = new Set([...node.querySelectorAll("details[open]")].map((d) => d.className));
    node.className = `card ${declined ? "declined" : "given"}`;
    put(node,
      h("h2", { class: "asked" }, answer.question, item.by === name(system) ? null : h("small", null, item.by)),
      tag(declined),
      h("p", { class: "said" }, shownText(answer) || "(an empty answer)"),
      declined && !refusedInWords(answer) ? h("details", { class: "withheld" }, h("summary", null, "What it would have said"), h("p", { class: "said" }, answer.said || "(nothing)")) : null,
      confidence(answer),
      signals(answer, system),
      item.samples ? samples(item.samples) : null,
      item.base ? beside(answer, item.base, system) : null,
      h("p", { class: "more" },
        system.can.samples && !item.samples ? button(`Draw ${DRAWS} answers`, { samples: DRAWS }) : null,
        system.can.base && !item.base ? button("Ask the base model too", { base: true }) : null),
      h("p", { class: "failed", role: "alert" }));
    for (const details of node.querySelectorAll("details")) details.open = open.has(details.className);
  };
  draw();
  return { node, draw };
};
