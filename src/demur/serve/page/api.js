/* Calls to the server: its key, its refusals, its bad days. */

import { $, recall, retain } from "./dom.js";

const KEY = "demur.key";

export class Failure extends Error {}

const headers = () => {
  const key = recall("sessionStorage", KEY);
  return { "Content-Type": "application/json", ...(key ? { Authorization: `Bearer ${key}` } : {}) };
};

/* Resolves to true once a key was given; several calls that need one wait for the same dialog. */
let asking = null;
export const askForKey = (why = "") => {
  asking ??= new Promise((resolve) => {
    const dialog = $("key-dialog");
    $("key-why").textContent = why;
    $("key").value = recall("sessionStorage", KEY) ?? "";
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      asking = null;
      const given = dialog.returnValue === "use", key = $("key").value.trim();
      $("key").value = "";
      if (given) retain("sessionStorage", KEY, key);
      resolve(given);
    }, { once: true });
    dialog.showModal();
  });
  return asking;
};

const explain = async (response) => {
  const body = await response.json().catch(() => ({}));
  return body.error?.message ?? `The server answered with status ${response.status}.`;
};

const wait = (seconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, 1000 * seconds);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});

const PATIENCE = 5;

/* The reply of a route, or a `Failure` with words for a person. A busy server is asked again, ever later. */
export const call = async (path, body, { signal } = {}) => {
  const what = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  for (let tries = 1; ; tries += 1) {
    let response;
    try {
      response = await fetch(`api/${path}`, { ...what, headers: headers(), signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Failure("The server cannot be reached. Is it still running?");
    }
    if (response.ok) return response.json();
    const used = headers().Authorization;
    if (response.status === 401) {
      if (await askForKey(used ? "The server does not know this key." : "This server asks for a key.")) continue;
      throw new Failure("Nothing was asked: this server needs a key.");
    }
    if (response.status === 429 && tries < PATIENCE) {
      const seconds = Number(response.headers.get("Retry-After")) || 1;
      await wait(Math.min(seconds, 30) * tries, signal);
      continue;
    }
    throw new Failure(await explain(response));
  }
};
