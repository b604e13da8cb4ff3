/* The playground: wires its parts together. No data leaves this page but to the server it came from. */

import { card, name, reason } from "./answer.js";
import { Failure, askForKey, call } from "./api.js";
import { startBatch } from "./batch.js";
import { $, h, put, retain, say } from "./dom.js";
import { keep, remember, startHistory } from "./history.js";
import { declines, shownText, startThreshold } from "./threshold.js";

let system = null, shown = null, asking = null;

// ---- tabs -----------------------------------------------------------------------------------
const tabs = [...document.querySelectorAll("[role=tab]")];
const select = (tab, { focus = false } = {}) => {
  for (const other of tabs) {
    const on = other === tab;
    other.setAttribute("aria-selected", String(on));
    other.tabIndex = on ? 0 : -1;
    $(other.getAttribute("aria-controls")).hidden = !on;
  }
  if (focus) tab.focus();
};
const STEP = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
for (const tab of tabs) {
  tab.addEventListener("click", () => select(tab));
  tab.addEventListener("keydown", (event) => {
    if (!(event.key in STEP)) return;
    event.preventDefault();
    const to = tabs.indexOf(tab) + STEP[event.key];
    select(Number.isFinite(to) ? tabs.at(to % tabs.length) : tabs.at(to < 0 ? 0 : -1), { focus: true });
  });
}

// ---- light and dark -------------------------------------------------------------------------
const dark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const nameTheme = () => put($("theme"), dark() ? "Light" : "Dark");
$("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = dark() ? "light" : "dark";
  retain("localStorage", "demur.theme", document.documentElement.dataset.theme);
  nameTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);
nameTheme();

// ---- asking ---------------------------------------------------------------------------------
const show = (item) => {
  shown = card(item, system, { changed: keep });
  put($("answer"), shown.node);
  $("ask-empty").hidden = true;
};
const asked = () => {
  const context = $("context").value.trim(), choices = $("choices").value.split("\n").map((line) => line.trim()).filter(Boolean);
  return { question: $("question").value.trim(), ...(context ? { context } : {}), ...(choices.length ? { choices } : {}) };
};
const ask = async () => {
  const question = asked();
  put($("ask-failed"));
  if (!question.question) { $("question").focus(); return put($("ask-failed"), "Type a question first."); }
  asking?.abort();
  const mine = (asking = new AbortController());
  $("submit").setAttribute("aria-busy", "true");
  try {
    const { samples, base, ...answer } = await call("ask", question, { signal: mine.signal });
    const item = { at: new Date().toISOString(), by: name(system), asked: question, answer, samples, base };
    remember(item);
    show(item);
    say(`${declines(answer) ? "Declined" : "Answered"}: ${shownText(answer)}. ${reason(answer)}`);
  } catch (error) {
    if (mine.signal.aborted) return;
    if (!(error instanceof Failure)) throw error;
    put($("ask-failed"), error.message);
  } finally {
    if (asking === mine) { asking = null; $("submit").removeAttribute("aria-busy"); }
  }
};
$("ask-form").addEventListener("submit", (event) => { event.preventDefault(); ask(); });
$("ask-form").addEventListener("keydown", (event) => {
  const plain = event.target === $("question") && !event.shiftKey && !event.isComposing;
  if (event.key !== "Enter" || !(plain || event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  ask();
});
$("batch-form").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  $("batch-form").requestSubmit();
});
document.addEventListener("threshold", () => shown?.draw());

const reopen = (item) => {
  select($("tab-ask"));
  $("question").value = item.asked.question;
  $("context").value = item.asked.context ?? "";
  $("choices").value = (item.asked.choices ?? []).join("\n");
  $("beside").open = Boolean(item.asked.context || item.asked.choices);
  show(item);
  $("question").focus();
};

// ---- the start ------------------------------------------------------------------------------
const introduce = () => {
  put($("title"), name(system));
  document.title = `${name(system)} – Demur playground`;
  put($("about"), `${system.method.summary[0].toUpperCase()}${system.method.summary.slice(1)}. ${system.method.paper}`.trim());
  $("with-context").hidden = !system.can.context;
  $("with-choices").hidden = !system.can.choices;
  $("beside").hidden = !(system.can.context || system.can.choices);
  $("question").maxLength = system.most.question;
  $("context").maxLength = system.most.context;
};
const begin = async () => {
  put($("begin-failed"));
  $("again").hidden = true;
  try {
    system = await call("system");
    introduce();
    await startThreshold(system);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    put($("begin-failed"), error.message);
    $("again").hidden = false;
    return;
  }
  startHistory(reopen);
  startBatch(system);
  document.body.classList.add("ready");
};
$("again").addEventListener("click", begin);
$("key-open").addEventListener("click", () => askForKey());
begin();
