/* Questions from a text or file, and answers as files. */

/* Fields of one CSV text; quotes as RFC 4180 has them. */
export const parseCsv = (text, separator) => {
  const rows = [[]];
  let field = "", quoted = false, begun = false;
  const endField = () => { rows.at(-1).push(field); field = ""; begun = false; };
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (quoted) {
      if (c !== '"') field += c;
      else if (text[i + 1] === '"') { field += c; i += 1; }
      else quoted = false;
    } else if (c === '"' && !begun) { quoted = true; begun = true; }
    else if (c === separator) endField();
    else if (c === "\n" || c === "\r") {
      if (c === "\r" && text[i + 1] === "\n") i += 1;
      endField();
      rows.push([]);
    } else { field += c; begun = true; }
  }
  endField();
  return rows.filter((row) => row.some((value) => value.trim()));
};

const question = ({ question: text, context, choices }) => {
  const options = typeof choices === "string" ? choices.split("|").map((choice) => choice.trim()).filter(Boolean) : choices;
  return { question: String(text ?? "").trim(), ...(context ? { context: String(context) } : {}), ...(options?.length ? { choices: options.map(String) } : {}) };
};

const parseJson = (text) => {
  const values = text.startsWith("[") ? JSON.parse(text) : text.split(/\r?\n/).filter((line) => line.trim()).map((line, i) => {
    try { return JSON.parse(line); } catch { throw new SyntaxError(`Line ${i + 1} is no JSON.`); }
  });
  return values.map((value) => question(typeof value === "object" && value ? value : { question: value }));
};

const SEPARATORS = [",", ";", "\t"];
const header = (line) => SEPARATORS.map((separator) => [separator, parseCsv(line, separator)[0] ?? []])
  .find(([, names]) => names.some((name) => name.trim().toLowerCase() === "question"));

/* JSON, JSON lines, a table with a column `question`, or one question a line.
   Rows without a question are left out. Throws a SyntaxError with words for a person. */
export const parse = (given) => {
  const text = given.replace(/^\uFEFF/, "").trim();
  if (!text) return [];
  if ("[{".includes(text[0])) {
    try { return parseJson(text).filter((row) => row.question); }
    catch (error) { throw new SyntaxError(`This looks like JSON, but cannot be read. ${error.message}`); }
  }
  const found = header(text.split(/\r?\n/, 1)[0]);
  if (!found) return text.split(/\r?\n/).map((line) => ({ question: line.trim() })).filter((row) => row.question);
  const [separator, names] = found, [, ...rows] = parseCsv(text, separator);
  const fields = names.map((name) => name.trim().toLowerCase());
  return rows.map((row) => question(Object.fromEntries(fields.map((name, i) => [name, row[i]])))).filter((row) => row.question);
};

/* A text that a spreadsheet would take for a formula gets an apostrophe before it. */
const cell = (value) => {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const SIGNAL = "signal_";
export const toCsv = (records) => {
  const flat = records.map(({ signals, choices, ...rest }) => ({ ...rest, ...(choices ? { choices: choices.join(" | ") } : {}),
    ...Object.fromEntries(Object.entries(signals ?? {}).map(([name, value]) => [SIGNAL + name, value])) }));
  const names = [...new Set(flat.flatMap(Object.keys))];
  return [names, ...flat.map((record) => names.map((name) => record[name]))].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
};
export const toJsonLines = (records) => records.map((record) => `${JSON.stringify(record)}\n`).join("");
