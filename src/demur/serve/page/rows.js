/* Answers as files. */

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
