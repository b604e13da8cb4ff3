/* The threshold: what it decides, what it would do on the calibration questions, and what is promised of it. */

import { call } from "./api.js";
import { $, h, number, percent, plural, put, range, s, styled } from "./dom.js";

let system = null, calibration = null, chosen = null;

/* Null while every answer keeps the threshold that the server decided on. */
export const chosenThreshold = () => chosen;
/* Another system's answer, kept from before, may be sure by another signal: it stays as it was. */
const movable = (answer) => chosen !== null && answer.signal === system.signal;
export const thresholdOf = (answer) => (movable(answer) ? chosen : answer.threshold);

/* Whether an answer is a refusal now. What the model refused in words stays refused at any threshold. */
export const refusedInWords = (answer) => answer.abstained && answer.text === answer.said;
/* A question that was declined before an answer was generated has none to show at another threshold. */
export const unanswered = (answer) => answer.abstained && !answer.said;
export const declines = (answer) => {
  if (!movable(answer) || refusedInWords(answer) || unanswered(answer)) return answer.abstained;
  return answer.confidence === null || answer.confidence < chosen;
};
/* What a reader is shown of it now. */
export const shownText = (answer) => (!declines(answer) || refusedInWords(answer) ? answer.said : system.refusal);

const ends = () => {
  const points = calibration.available ? calibration.points : [];
  return points.length ? [points[0].threshold, points.at(-1).threshold] : [0, 1];
};
/* Where a value lies on bars and on the slider, in percent of their width. */
export const place = (value) => {
  const [low, high] = ends();
  return `${Math.min(100, Math.max(0, (100 * (value - low)) / (high - low)))}%`;
};

const STEPS = 100;
export const startThreshold = async (about) => {
  system = about;
  calibration = await call("calibration");
  const [low, high] = ends(), slider = $("slider");
  Object.assign(slider, { min: low, max: high, step: (high - low) / STEPS });
  slider.addEventListener("input", () => choose(slider.valueAsNumber));
  $("exact").addEventListener("change", () => choose(Number.isNaN($("exact").valueAsNumber) ? null : $("exact").valueAsNumber));
  $("usual").addEventListener("click", () => choose(null));
  put($("signal-name"), `“${system.signal}”`);
  $("uncalibrated").hidden = calibration.available;
  $("calibrated").hidden = !calibration.available;
  put($("uncalibrated"), calibration.available ? "" : `What a threshold would do is not known. ${calibration.reason} You can still try one.`);
  drawPromise();
  choose(null);
};

let asked = 0;
const choose = async (value) => {
  chosen = value;
  const at = value ?? system.threshold, mine = (asked += 1);
  if (at !== null) $("slider").value = at;
  $("exact").value = at === null ? "" : Number(at.toFixed(4));
  $("slider").setAttribute("aria-valuetext", at === null ? "none: only its own words decline" : number(at));
  $("usual").disabled = value === null;
  put($("kind"), value !== null ? "Yours. Nothing is promised of it." : usualKind());
  $("promise").classList.toggle("off", value !== null);
  document.dispatchEvent(new Event("threshold"));
  if (!calibration.available) return;
  const expected = await expectedAt(value);
  if (mine === asked) drawExpected(expected);
};
const usualKind = () => {
  if (system.threshold === null) return "None: it declines only in its own words.";
  return system.guarantee ? "The promised one." : "The usual one, by its own rule.";
};

/* On the slider's steps the curve has the figures; a typed number is looked up. */
const expectedAt = async (value) => {
  if (value === null) return calibration.usual;
  const [low, high] = ends(), step = (STEPS * (value - low)) / (high - low);
  const near = calibration.points[Math.round(step)];
  if (near && Math.abs(step - Math.round(step)) < 1e-6) return near;
  return call(`expected?threshold=${value}`).catch(() => null);
};

const drawExpected = (expected) => {
  const figure = (value, interval) => [percent(value), h("small", null, range(interval))];
  put($("coverage"), expected ? figure(expected.coverage, expected.coverage_interval) : "unknown");
  put($("error"), expected ? (expected.error === null ? "undefined" : figure(expected.error, expected.error_interval)) : "unknown");
  put($("counts"), expected ? `${expected.answered.toLocaleString("en")} of ${plural(calibration.n, "calibration question")} answered; 95% intervals. A description of those, not a promise.` : "");
  drawCurve(expected);
};

/* Error among the answers over coverage; the marked point is the threshold. */
const WIDE = 320, HIGH = 190, PAD = { left: 40, right: 10, top: 22, bottom: 36 };
const drawCurve = (expected) => {
  const points = calibration.points.filter((p) => p.error !== null);
  const limit = system.guarantee?.max_error ?? 0;
  const highest = Math.max(limit, ...points.filter((p) => p.answered >= 10).map((p) => p.error), 0.05);
  const top = Math.min(1, Math.ceil(highest * 10 + 0.2) / 10);
  const x = (v) => PAD.left + v * (WIDE - PAD.left - PAD.right);
  const y = (v) => HIGH - PAD.bottom - (Math.min(v, top) / top) * (HIGH - PAD.top - PAD.bottom);
  const words = expected && expected.error !== null ? `at this threshold ${percent(expected.coverage)} answered, ${percent(expected.error)} of those wrong` : "at this threshold nothing is answered";
  const root = s("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": `Wrong answers over coverage on the calibration questions: ${words}` });
  for (const v of [0, top / 2, top]) {
    root.append(s("line", { class: "grid", x1: x(0), x2: x(1), y1: y(v), y2: y(v) }), s("text", { x: x(0) - 7, y: y(v) + 4, "text-anchor": "end" }, percent(v)));
  }
  for (const v of [0, 0.5, 1]) root.append(s("text", { x: x(v), y: HIGH - PAD.bottom + 16, "text-anchor": v === 0 ? "start" : v === 1 ? "end" : "middle" }, percent(v)));
  root.append(s("text", { x: 0, y: 12 }, "wrong among the answered"), s("text", { x: x(1), y: HIGH - 4, "text-anchor": "end" }, "answered →"));
  if (limit) root.append(s("line", { class: "promised", x1: x(0), x2: x(1), y1: y(limit), y2: y(limit) }), s("text", { class: "promised", x: x(0) + 4, y: y(limit) - 5 }, `promised: at most ${percent(limit)}`));
  root.append(s("polyline", { class: "curve", points: points.map((p) => `${x(p.coverage).toFixed(1)},${y(p.error).toFixed(1)}`).join(" ") }));
  if (expected && expected.error !== null) root.append(s("circle", { class: "here", id: "here", cx: x(expected.coverage), cy: y(expected.error), r: 6 }));
  put($("curve"), root);
};

const drawPromise = () => {
  const given = system.guarantee;
  put($("promise"), given
    ? [h("h3", null, "What is promised"), h("p", null, given.words), h("p", { class: "note warn" }, given.terms)]
    : [h("h3", null, "Nothing is promised"), system.notice ? h("p", { class: "note warn" }, system.notice) : h("p", { class: "note" }, "A threshold with a limit on the errors comes from ", h("code", null, "demur calibrate"), ".")]);
};

/* A bar from nothing to certain, filled up to the confidence, with the threshold marked. */
export const bar = (value, { threshold = null, label }) => {
  const [low, high] = ends(), words = `${number(value)}${threshold === null ? "" : `, threshold ${number(threshold)}`}`;
  const meter = h("div", { class: "bar", role: "meter", "aria-label": label, "aria-valuemin": low, "aria-valuemax": high, "aria-valuenow": value, "aria-valuetext": words }, h("span", { class: "filled" }), threshold === null ? null : h("span", { class: "tick" }));
  return styled(meter, { value: place(value), ...(threshold === null ? {} : { threshold: place(threshold) }) });
};
