/* Many questions: read, asked in small chunks a few at a time, filtered, saved. */

import { Failure, call } from "./api.js";
import { tag } from "./answer.js";
import { $, h, number, plural, put, say } from "./dom.js";
import { toCsv, toJsonLines } from "./rows.js";
import { bar, declines, refusedInWords, shownText, thresholdOf } from "./threshold.js";

const CHUNK = { rows: 16, characters: 100000 }, AT_ONCE = 2, PAGE = 50, MOST = 20000;
const FILTERS = { all: "All", given: "Answered", declined: "Declined", failed: "Failed", open: "Not asked" };

let system = null, rows = [], running = null, reading = false, filter = "all", page = 0;

const kind = (row) => (row.answer ? (declines(row.answer) ? "declined" : "given") : row.error ? "failed" : "open");
const matching = () => rows.filter((row) => filter === "all" || kind(row) === filter);

export const startBatch = (about) => {
  system = about;
  $("batch-form").addEventListener("submit", (event) => { event.preventDefault(); start($("lines").value); });
  $("file").addEventListener("change", () => { read($("file").files[0]); $("file").value = ""; });
  $("stop").addEventListener("click", () => running?.abort());
  $("rest").addEventListener("click", () => askAll(rows.filter((row) => !row.answer)));
  $("as-csv").addEventListener("click", () => save("demur-answers.csv", "text/csv", toCsv(records())));
  $("as-jsonl").addEventListener("click", () => save("demur-answers.jsonl", "application/jsonl", toJsonLines(records())));
  $("back").addEventListener("click", () => turn(-1));
  $("on").addEventListener("click", () => turn(1));
  const zone = $("batch");
  for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.remove("over"); });
  zone.addEventListener("drop", (event) => read(event.dataTransfer.files[0]));
  document.addEventListener("threshold", draw);
  draw();
};

const read = async (file) => { if (file) start(await file.text()); };

/* The server reads the text as it reads any question file: the same formats, layouts and names of fields. */
const start = async (text) => {
  put($("batch-failed"));
  if (running || reading) return;
  let found = [];
  reading = true;
  draw();
  try {
    if (text.trim()) found = (await call("questions", { text })).questions;
    if (!found.length) throw new Failure("There is no question in it. Paste one a line, or a table with a column named question.");
    if (found.length > MOST) throw new Failure(`${found.length.toLocaleString("en")} questions are more than a page should hold. Send at most ${MOST.toLocaleString("en")}, or use demur in Python.`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    put($("batch-failed"), error.message);
    return;
  } finally {
    reading = false;
    draw();
  }
  rows = found.map((asked, i) => ({ number: i + 1, asked, answer: null, error: unfit(asked) }));
  filter = "all";
  page = 0;
  askAll(rows.filter((row) => !row.error));
};

/* Why the server would not take a question; one such row would have its whole chunk refused. */
const unfit = ({ question, context, choices }) => {
  const { most, can } = system;
  if (question.length > most.question) return `The question is longer than ${most.question} characters.`;
  if ((context?.length ?? 0) > most.context) return `The passage is longer than ${most.context} characters.`;
  if ((choices?.length ?? 0) > most.choices) return `There are more than ${most.choices} options.`;
  if (choices?.some((choice) => !choice || choice.length > most.choice)) return `An option is empty or longer than ${most.choice} characters.`;
  if (context && !can.context) return "This system takes no passages.";
  if (choices && !can.choices) return "This system takes no options.";
  return null;
};

/* Few rows at a time, and fewer where passages are long. */
const chunked = (wanted) => {
  const chunks = [];
  let room = 0;
  for (const row of wanted) {
    const size = JSON.stringify(row.asked).length;
    if (size > room || chunks.at(-1).length === CHUNK.rows) { chunks.push([]); room = CHUNK.characters; }
    chunks.at(-1).push(row);
    room -= size;
  }
  return chunks;
};

const askAll = async (wanted) => {
  running = new AbortController();
  const { signal } = running, chunks = chunked(wanted);
  const work = async () => {
    for (let chunk = chunks.shift(); chunk && !signal.aborted; chunk = chunks.shift()) await askChunk(chunk, signal);
  };
  draw();
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const stopped = signal.aborted;
  running = null;
  draw();
  say(`${stopped ? "Stopped" : "Done"}. ${$("summary").textContent}`);
};
const askChunk = async (chunk, signal) => {
  try {
    const { answers } = await call("batch", { questions: chunk.map((row) => row.asked) }, { signal });
    chunk.forEach((row, i) => {
      row.error = answers[i].error ?? null;
      row.answer = row.error ? null : answers[i];
    });
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Failure)) throw error;
    for (const row of chunk) row.error = error.message;
  }
  draw();
};

const turn = (by) => { page += by; draw(); $("table").scrollIntoView({ block: "nearest" }); };

const draw = () => {
  const counts = Object.fromEntries(Object.keys(FILTERS).map((name) => [name, 0]));
  for (const row of rows) counts[kind(row)] += 1;
  counts.all = rows.length;
  if (!counts[filter]) filter = "all";
  const done = counts.given + counts.declined, asked = done + counts.failed;
  $("batch-empty").hidden = rows.length > 0;
  $("results").hidden = !rows.length;
  $("ask-all").disabled = $("file").disabled = Boolean(running) || reading;
  $("stop").hidden = $("progress").hidden = !running;
  Object.assign($("progress"), { max: rows.length || 1, value: asked });
  const left = counts.open + counts.failed;
  $("rest").hidden = Boolean(running) || !left;
  put($("rest"), `Ask the other ${left.toLocaleString("en")}`);
  put($("summary"), `${plural(rows.length, "question")}: ${counts.given.toLocaleString("en")} answered${done ? ` (${Math.round((100 * counts.given) / done)}%)` : ""}, ${counts.declined.toLocaleString("en")} declined${counts.failed ? `, ${counts.failed.toLocaleString("en")} failed` : ""}${counts.open ? `, ${counts.open.toLocaleString("en")} not asked yet` : ""}.`);
  $("as-csv").disabled = $("as-jsonl").disabled = !done;
  drawFilters(counts);
  drawTable();
};
const drawFilters = (counts) => {
  const focused = document.activeElement?.dataset.filter;
  put($("filters"), Object.entries(FILTERS).filter(([name]) => name === "all" || counts[name]).map(([name, words]) => h("button", {
    type: "button", "data-filter": name, "aria-pressed": String(name === filter), click: () => { filter = name; page = 0; draw(); } },
  words, h("span", { class: "n" }, counts[name].toLocaleString("en")))));
  if (focused) $("filters").querySelector(`[data-filter="${focused}"]`)?.focus();
};
const drawTable = () => {
  const found = matching(), pages = Math.max(1, Math.ceil(found.length / PAGE));
  page = Math.min(page, pages - 1);
  put($("table-rows"), found.slice(page * PAGE, (page + 1) * PAGE).map(tableRow));
  $("pages").hidden = pages === 1;
  $("back").disabled = page === 0;
  $("on").disabled = page === pages - 1;
  put($("which"), `Page ${page + 1} of ${pages}`);
};
const tableRow = (row) => {
  const { asked, answer } = row, name = kind(row);
  const withheld = answer && name === "declined" && !refusedInWords(answer);
  return h("tr", { class: name },
    h("th", { scope: "row" }, asked.question, asked.context || asked.choices ? h("small", null, [asked.context ? "with a passage" : null, asked.choices ? plural(asked.choices.length, "option") : null].filter(Boolean).join(", ")) : null),
    h("td", null, answer ? [tag(name === "declined"), h("span", { class: "said" }, shownText(answer)), withheld ? h("details", null, h("summary", null, "What it would have said"), answer.said || "(nothing)") : null] : row.error ? h("span", { class: "failed" }, row.error) : h("span", { class: "note" }, "…")),
    h("td", { class: "num" }, answer && answer.confidence !== null ? [number(answer.confidence), bar(answer.confidence, { threshold: thresholdOf(answer), label: "Confidence" })] : answer ? "–" : ""));
};

/* What is saved of the rows that the filter shows, with the threshold as it stands. */
const records = () => matching().map(({ asked, answer, error }) => (answer ? {
  ...asked, answer: shownText(answer), declined: declines(answer), said: answer.said, confidence: answer.confidence, signal: answer.signal,
  threshold: thresholdOf(answer), probability: answer.probability, signals: answer.signals, error: null } : { ...asked, error: error ?? "not asked" }));

const save = (name, type, text) => {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
};
