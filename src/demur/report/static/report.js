"use strict";
/* Draws the figures of a report and lists its questions. Data comes from the page itself; whatever a
   model or a dataset said is only ever put into text nodes. */
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read("data"), colours = read("colours");
  const $ = (id) => document.getElementById(id);
  document.documentElement.classList.add("js");

  // ---- small helpers ------------------------------------------------------------------------
  const add = (node, attributes, children) => {
    for (const [key, value] of Object.entries(attributes || {})) {
      if (typeof value === "function") node.addEventListener(key, value);
      else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
    }
    for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
    return node;
  };
  const h = (tag, attributes, ...children) => add(document.createElement(tag), attributes, children);
  const s = (tag, attributes, ...children) => add(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  const percent = (x) => {
    if (x === null || Number.isNaN(x)) return "–";
    const digits = (x > 0 && x < 0.01) || (x > 0.99 && x < 1) ? 1 : 0;
    return (100 * x).toFixed(digits) + "%";
  };
  const clear = (node, ...children) => node.replaceChildren(...children.flat().filter((c) => c !== null));
  const list = (names) => names.length < 2 ? names.join("") : names.slice(0, -1).join("; ") + " and " + names.at(-1);
  const plural = (n, word) => n.toLocaleString("en") + " " + word + (n === 1 ? "" : "s");

  // ---- columns ------------------------------------------------------------------------------
  const columns = data.columns.map((text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return Float64Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(8 * i, true));
  });
  const rowsOf = data.splits.map(() => []);
  data.membership.forEach((splits, row) => splits.forEach((split) => rowsOf[split].push(row)));
  const splitNumber = new Map(data.splits.map((split, i) => [split.name, i]));
  const systems = new Map(data.systems.map((system) => [system.name, system]));
  const base = systems.get("base") || null;
  const NAMES = { c: "correct", w: "wrong", r: "refused", u: "unscored", ".": "absent" };
  const verdict = (system, row) => NAMES[system.codes[row].toLowerCase()];
  const abstained = (system, row) => system.codes[row] !== system.codes[row].toLowerCase();
  const outcome = (system, row) => (abstained(system, row) ? "refused" : verdict(system, row));

  const state = { split: $("split").value, system: $("system").value, signal: null, threshold: 0.5,
                  hidden: new Set(), filter: "all", query: "", page: 0, left: $("left").value, worst: "accuracy", cut: "", all: false };
  const rows = () => rowsOf[splitNumber.get(state.split)] || [];
  const splitTitle = () => $("split").selectedOptions[0].textContent;

  // ---- risk and coverage --------------------------------------------------------------------
  /* The scored questions of a split by falling confidence. An answer that is itself a refusal, or has
     no confidence, can never be among the answered ones; it stays in the total. */
  const ranking = (system, signal) => {
    const column = columns[system.signals[signal]];
    const items = [];
    let total = 0, unscored = 0;
    for (const row of rows()) {
      const is = verdict(system, row);
      if (is === "unscored" || is === "absent") { unscored += 1; continue; }
      total += 1;
      if (is !== "refused" && column && !Number.isNaN(column[row])) items.push([column[row], is === "correct" ? 1 : 0, row]);
    }
    items.sort((a, b) => b[0] - a[0]);
    return { items, total, unscored };
  };
  /* One point per distinct confidence: ties are answered together. */
  const curve = ({ items, total }) => {
    const points = [];
    let right = 0;
    items.forEach(([value, correct], i) => {
      right += correct;
      if (i + 1 === items.length || items[i + 1][0] !== value)
        points.push({ threshold: value, answered: i + 1, right, coverage: (i + 1) / total, risk: 1 - right / (i + 1) });
    });
    return points;
  };
  const atThreshold = ({ items, total }, threshold) => {
    const chosen = items.filter((item) => item[0] >= threshold);
    const right = chosen.reduce((sum, item) => sum + item[1], 0);
    return { answered: chosen.length, right, total, coverage: total ? chosen.length / total : null,
             accuracy: chosen.length ? right / chosen.length : null };
  };
  /* The last point that answers no more than the share asked for. */
  const atCoverage = (points, coverage) => points.filter((p) => p.coverage <= coverage + 1e-9).at(-1) || null;
  const byItsRule = (system) => {
    let total = 0, answered = 0, right = 0;
    for (const row of rows()) {
      const end = outcome(system, row);
      if (end === "unscored" || end === "absent") continue;
      total += 1;
      if (end !== "refused") answered += 1;
      if (end === "correct") right += 1;
    }
    return { total, answered, right, coverage: total ? answered / total : null, accuracy: answered ? right / answered : null };
  };
  const signalOf = (system) => (system.name === state.system && state.signal in system.signals ? state.signal : system.primary);
  const sameCurve = (a, b) => a.signals[signalOf(a)] === b.signals[signalOf(b)] && a.codes.toLowerCase() === b.codes.toLowerCase();

  let drawn = [];
  const measure = () => {
    drawn = [];
    for (const system of data.systems) {
      const ranked = ranking(system, signalOf(system));
      if (!ranked.total) continue;
      const twin = drawn.find((other) => !other.twin && sameCurve(other.system, system));
      drawn.push({ system, ranked, points: curve(ranked), rule: byItsRule(system), twin: twin || null });
    }
  };
  const focus = () => drawn.find((entry) => entry.system.name === state.system) || null;
  const dash = (system) => ({ "base-likelihood": " d1", vanilla: " d1", "familiarity-only": " d2", "pretrain-w": " d2" })[system.name] || "";
  const colour = (system) => "c" + (colours[system.name] || 0);

  // ---- charts -------------------------------------------------------------------------------
  /* An empty chart as wide as its box, with percentage axes; returns the scales and the group to draw in. */
  const chart = (box, { height, top = 1, xTitle, yTitle, steps = 5, ySteps = 5, label, yTicks = true, least = 280 }) => {
    const width = Math.max(least, Math.round(box.clientWidth) || 600);
    const pad = { left: yTicks ? 46 : 8, right: 12, top: 26, bottom: 44 };
    const x = (v) => pad.left + v * (width - pad.left - pad.right);
    const y = (v) => height - pad.bottom - (v / top) * (height - pad.top - pad.bottom);
    const root = s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
    for (let i = 0; yTicks && i <= ySteps; i += 1) {
      const v = (top * i) / ySteps;
      root.append(s("line", { class: "grid", x1: x(0), x2: x(1), y1: y(v), y2: y(v) }));
      root.append(s("text", { x: x(0) - 8, y: y(v) + 4, "text-anchor": "end" }, percent(v)));
    }
    for (let i = 0; i <= steps; i += 1) {
      root.append(s("text", { x: x(i / steps), y: height - pad.bottom + 20, "text-anchor": i === 0 ? "start" : i === steps ? "end" : "middle" }, percent(i / steps)));
    }
    root.append(s("text", { x: x(1), y: height - 6, "text-anchor": "end" }, xTitle));
    if (yTitle) root.append(s("text", { x: yTicks ? 0 : x(0), y: 12 }, yTitle));
    const ink = s("g");
    root.append(ink);
    clear(box, root);
    return { ink, x, y, width, height };
  };

  const FEW = 8;
  let riskChart = null;
  const drawRisk = () => {
    measure();
    const shown = drawn.filter((entry) => !state.hidden.has(entry.system.name));
    // The first few answers swing wildly; they must not set the scale.
    const calm = shown.flatMap((e) => e.points.filter((p) => p.coverage >= 0.05 || p.answered >= 30).map((p) => p.risk));
    const highest = calm.reduce((a, b) => Math.max(a, b), data.promise ? data.promise.limit : 0);
    const top = Math.min(1, Math.max(0.1, Math.ceil(highest * 10 + 0.2) / 10));
    // Lines at whole percents: every 2, 5, 10 or 20 of them.
    const ySteps = Math.round(top / (top <= 0.1 ? 0.02 : top <= 0.3 ? 0.05 : top <= 0.6 ? 0.1 : 0.2));
    const label = `Risk and coverage, ${splitTitle()}. ` + shown.map((e) => {
      const half = atCoverage(e.points, 0.5);
      return `${e.system.title}: ${half ? percent(half.risk) + " wrong when answering half" : "undefined"}`;
    }).join("; ");
    riskChart = chart($("risk"), { height: 460, top, xTitle: "answered →", yTitle: "wrong among the answered", ySteps, label });
    const { ink, x, y } = riskChart;
    const clip = (v) => y(Math.min(v, top));
    const ordered = [...shown].sort((a, b) => (a.system.name === state.system) - (b.system.name === state.system));
    for (const entry of ordered) {
      if (!entry.twin || state.hidden.has(entry.twin.system.name)) ink.append(s("path", {
        class: `curve ${colour(entry.system)}${dash(entry.system)}${entry.system.name === state.system ? " focus" : ""}`,
        d: path(entry.points, x, clip) }));
      // A confidence of few values, said in words, has few points, and one point has no line.
      if (entry.points.length <= FEW) ink.append(...entry.points.map((p) => s("circle", { class: `bin ${colour(entry.system)}`, cx: x(p.coverage), cy: clip(p.risk), r: 3 })));
    }
    for (const { system, rule } of ordered) if (rule.accuracy !== null && rule.coverage < 1)
      ink.append(s("circle", { class: `rule ${colour(system)}`, cx: x(rule.coverage), cy: clip(1 - rule.accuracy), r: 5.5 }));
    drawPromise(ink, x, clip);
    riskChart.marker = s("g");
    riskChart.clip = clip;
    ink.append(riskChart.marker);
    const shared = [...new Set(drawn.filter((e) => e.twin).map((e) => e.twin))].map((twin) => {
      const names = drawn.filter((e) => e.twin === twin).map((e) => e.system.title);
      return ` ${list(names)} ${names.length > 1 ? "share their lines" : "shares its line"} with ${twin.system.title}: same answers, same confidence, another rule.`;
    });
    clear($("risk-caption"), `${splitTitle()}, ${plural(focus() ? focus().ranked.total : 0, "scored question")}. Each system by its own confidence.${shared.join("")}`);
    drawRiskTable();
    drawThreshold();
  };
  /* The promised limit, and where its threshold stands on this split: above the line it is not kept there. */
  const drawPromise = (ink, x, clip) => {
    if (!data.promise) return;
    const level = clip(data.promise.limit), seen = data.promise.test[state.split];
    ink.append(s("line", { class: "promised", x1: x(0), x2: x(1), y1: level, y2: level }),
      s("text", { class: "promised", x: x(0) + 4, y: level - 6 }, `promised: at most ${percent(data.promise.limit)}`));
    if (seen && seen.error !== null) ink.append(s("path", { class: "promised", id: "promised",
      d: `M${x(seen.coverage)} ${clip(seen.error) - 8}l8 8l-8 8l-8-8z` }));
  };
  /* A step curve is thinned to what a screen can show. */
  const path = (points, x, y) => {
    let text = "", last = -9;
    points.forEach((p, i) => {
      if (x(p.coverage) - last < 0.8 && i + 1 < points.length) return;
      last = x(p.coverage);
      text += `${text ? "L" : "M"}${last.toFixed(1)} ${y(p.risk).toFixed(1)}`;
    });
    return text;
  };
  const drawRiskTable = () => {
    const shares = [0.2, 0.4, 0.5, 0.6, 0.8, 1];
    clear($("risk-table"),
      h("caption", { class: "hidden" }, "Wrong among the answered at given coverage"),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "Wrong among the answered, when answering"),
        shares.map((v) => h("th", { scope: "col", class: "num" }, percent(v))))),
      h("tbody", null, drawn.map((entry) => h("tr", null, h("th", { scope: "row" }, nameOf(entry.system)),
        shares.map((v) => { const p = atCoverage(entry.points, v); return h("td", { class: "num" }, p ? percent(p.risk) : "–"); })))));
  };
  const nameOf = (system) => h("span", { class: `system ${colour(system)}` }, h("span", { class: "dot", "aria-hidden": "true" }), system.title);

  // ---- the threshold ------------------------------------------------------------------------
  const drawThreshold = () => {
    const entry = focus();
    const now = entry ? atThreshold(entry.ranked, state.threshold) : { answered: 0, total: 0, coverage: null, accuracy: null };
    clear($("t-coverage"), percent(now.coverage));
    clear($("t-accuracy"), now.accuracy === null ? "undefined" : percent(now.accuracy));
    clear($("t-counts"), !entry ? "This system was not asked these questions." : now.answered
      ? `${now.right.toLocaleString("en")} right of ${now.answered.toLocaleString("en")} answered, ${(now.total - now.answered).toLocaleString("en")} of ${plural(now.total, "question")} declined` + (entry.ranked.unscored ? `; ${entry.ranked.unscored} unscored left out.` : ".")
      : `Nothing is answered: all ${plural(now.total, "question")} are declined, so there is no accuracy.`);
    const rule = entry && entry.rule;
    clear($("t-rule"), !rule ? "" : rule.answered === 0 ? "By its own rule it declines every question."
      : `By its own rule it answers ${percent(rule.coverage)} and is right on ${percent(rule.accuracy)} of those.`);
    drawLegend(now.coverage);
    clear(riskChart.marker);
    if (now.accuracy !== null) {
      const cx = riskChart.x(now.coverage), cy = riskChart.clip(1 - now.accuracy);
      riskChart.marker.append(
        s("line", { class: "cross", x1: cx, x2: cx, y1: riskChart.clip(0), y2: 26 }),
        s("circle", { class: `here ${colour(entry.system)}`, id: "here", cx, cy, r: 7 }));
    }
    if (histogram) histogram.mark();
  };
  /* Which systems are drawn, and how often each errs when it answers as much as the marked point does. */
  const drawLegend = (coverage) => {
    const buttons = drawn.map((entry) => {
      const p = coverage === null ? null : atCoverage(entry.points, coverage);
      const name = entry.system.name;
      return h("button", { type: "button", "aria-pressed": String(!state.hidden.has(name)), "data-name": name, click: () => {
        if (!state.hidden.delete(name)) state.hidden.add(name);
        drawRisk();
        $("legend").querySelector(`[data-name="${CSS.escape(name)}"]`).focus();
      } }, nameOf(entry.system), h("span", { class: "n" }, p ? percent(p.risk) : "–"));
    });
    clear($("legend"), h("p", null, h("span", null, "Drawn"), h("span", null, coverage === null ? "" : `wrong when answering ${percent(coverage)}`)), buttons);
  };
  const setThreshold = (value) => {
    if (Number.isNaN(value)) return;
    state.threshold = Math.min(1, Math.max(0, value));
    drawThreshold();
  };
  $("slider").addEventListener("input", () => { $("exact").value = $("slider").value; setThreshold(Number($("slider").value)); });
  $("exact").addEventListener("input", () => { $("slider").value = $("exact").value; setThreshold($("exact").valueAsNumber); });
  const offerSignals = () => {
    const system = systems.get(state.system);
    const names = Object.keys(system.signals);
    if (!names.includes(state.signal)) state.signal = system.primary;
    clear($("signal"), names.map((name) => h("option", { value: name, selected: name === state.signal }, name + (name === system.primary ? " (its primary)" : ""))));
  };

  // ---- calibration --------------------------------------------------------------------------
  const wilson = (right, n) => {
    const z = 1.96, p = right / n, d = 1 + (z * z) / n;
    const middle = (p + (z * z) / (2 * n)) / d, half = (z / d) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
    return [Math.max(0, middle - half), Math.min(1, middle + half)];
  };
  const drawReliability = (box, entry, { height, least }) => {
    const items = entry ? entry.ranked.items : [];
    const bins = Array.from({ length: data.bins }, () => ({ n: 0, right: 0, sum: 0 }));
    for (const [value, correct] of items) {
      const bin = bins[Math.min(data.bins - 1, Math.floor(value * data.bins))];
      bin.n += 1; bin.right += correct; bin.sum += value;
    }
    const full = bins.filter((bin) => bin.n);
    const { ink, x, y } = chart(box, { height, least, steps: height < 300 ? 2 : 5, xTitle: "confidence →", yTitle: "right",
      label: `Reliability${entry ? ` of ${entry.system.title}` : ""}: ${full.map((b) => `confidence ${percent(b.sum / b.n)}, right ${percent(b.right / b.n)}, n ${b.n}`).join("; ") || "no data"}` });
    const most = Math.max(1, ...full.map((b) => b.n)), wide = x(1 / data.bins) - x(0);
    bins.forEach((bin, i) => { if (bin.n) ink.append(s("rect", { class: `count ${colour(entry.system)}`, x: x(i / data.bins) + 1, width: wide - 2,
      y: y(0.18 * bin.n / most), height: y(0) - y(0.18 * bin.n / most) })); });
    ink.append(s("line", { class: "diagonal", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }));
    for (const bin of full) {
      const [low, high] = wilson(bin.right, bin.n), cx = x(bin.sum / bin.n);
      ink.append(s("line", { class: `spread ${colour(entry.system)}`, x1: cx, x2: cx, y1: y(low), y2: y(high) }),
                 s("circle", { class: `bin ${colour(entry.system)}`, cx, cy: y(bin.right / bin.n), r: height < 300 ? 3 : 4.5 }));
    }
    return items.length;
  };
  /* Every system by its own confidence, small; only drawn where the reader opens them. */
  const drawEvery = () => {
    if (!$("every").open) return;
    const entries = drawn.filter((entry) => entry.ranked.items.length);
    clear($("reliabilities"), entries.map((entry) => h("figure", null, h("h3", null, nameOf(entry.system)), h("div", { class: "chart" }),
      h("figcaption", null, `by “${signalOf(entry.system)}”, ${plural(entry.ranked.items.length, "answer")}`))));
    $("reliabilities").querySelectorAll(".chart").forEach((box, i) => drawReliability(box, entries[i], { height: 220, least: 180 }));
  };
  const drawFocus = () => {
    const some = drawReliability($("reliability"), focus(), { height: 340 });
    clear($("reliability-caption"), some
      ? `On the dotted line confidence is honest; below it, boasting. ${data.bins} bins of equal width, 95% intervals; the columns show how many answers.`
      : "No scored answer has this confidence.");
  };
  let histogram = null;
  const drawHistogram = () => {
    const entry = focus(), COUNT = 30;
    const known = new Array(COUNT).fill(0), unknown = new Array(COUNT).fill(0);
    for (const [value, , row] of entry ? entry.ranked.items : []) {
      const was = base ? verdict(base, row) : "absent", bin = Math.min(COUNT - 1, Math.floor(value * COUNT));
      if (was === "correct") known[bin] += 1; else if (was === "wrong") unknown[bin] += 1;
    }
    const sum = (list) => list.reduce((a, b) => a + b, 0);
    const most = Math.max(1, ...known, ...unknown);
    const above = (threshold, list) => percent(sum(list) ? sum(list.filter((_, i) => i / COUNT >= threshold - 1e-9)) / sum(list) : null);
    const canvas = chart($("histogram"), { height: 340, top: 2, xTitle: "confidence →", yTicks: false,
      label: `Confidence of ${plural(sum(known), "question")} that the base model knows, ${above(0.5, known)} of them at 50% or above, and of ${sum(unknown)} that it does not know, ${above(0.5, unknown)} at 50% or above` });
    const { ink, x, y } = canvas, wide = x(1 / COUNT) - x(0);
    for (let i = 0; i < COUNT; i += 1) {
      const up = y(1) - y(1 + 0.92 * known[i] / most), down = y(1) - y(1 + 0.92 * unknown[i] / most);
      ink.append(s("rect", { class: "fill-known", x: x(i / COUNT) + 0.75, width: wide - 1.5, y: y(1) - up, height: up }),
                 s("rect", { class: "fill-unknown", x: x(i / COUNT) + 0.75, width: wide - 1.5, y: y(1) + 1, height: down }));
    }
    ink.append(s("line", { class: "base-line", x1: x(0), x2: x(1), y1: y(1) + 0.5, y2: y(1) + 0.5 }),
      s("text", { class: "strong", x: x(0), y: y(2) }, `known: the base model is right (${sum(known).toLocaleString("en")})`),
      s("text", { class: "strong", x: x(0), y: y(0) - 6 }, `unknown: it is wrong (${sum(unknown).toLocaleString("en")})`));
    const mark = s("g");
    ink.append(mark);
    histogram = { mark: () => clear(mark, s("line", { class: "cross", x1: x(state.threshold), x2: x(state.threshold), y1: y(0), y2: y(2) })) };
    histogram.mark();
    clear($("histogram-caption"), base ? "Both on one scale. The dashed line is the threshold above." : "This run holds no base model, so nothing is known to be known.");
  };
  const drawCalibration = () => {
    const system = systems.get(state.system);
    clear($("calibration-intro"), `${system.title} by its confidence “${state.signal || "none"}”, ${splitTitle()}.`);
    drawFocus();
    drawHistogram();
    drawEvery();
  };

  // ---- single questions ---------------------------------------------------------------------
  const FILTERS = [
    ["all", "All", () => true],
    ["changed", "Changed outcome", (before, after) => before !== after && before !== "absent"],
    ["removed", "Hallucination removed", (before, after) => before === "wrong" && after === "refused"],
    ["over", "Over-refusal", (before, after) => before === "correct" && after === "refused"],
    ["newly-wrong", "Newly wrong", (before, after) => before === "correct" && after === "wrong"],
    ["still-wrong", "Still wrong", (before, after) => before === "wrong" && after === "wrong"],
    ["kept", "Kept right", (before, after) => before === "correct" && after === "correct"],
    ["newly-right", "Newly right", (before, after) => before !== "correct" && before !== "unscored" && after === "correct"],
    ["unscored", "Unscored", (before, after) => before === "unscored" || after === "unscored"],
  ];
  const MEANT = {
    changed: "another outcome than before", removed: "wrong before, declined now", over: "right before, declined now", "newly-wrong": "right before, wrong now",
    "still-wrong": "wrong before and now", kept: "right before and now", "newly-right": "not right before, right now",
    unscored: "could not be judged, before or now", all: "",
  };
  const PAGE = 20;
  const text = (number) => (number < 0 ? null : data.texts[number]);
  const browseIndex = new Map(data.browse.map((row, i) => [row, i]));
  const haystack = data.browse.map(() => null);
  const searchable = (i) => (haystack[i] ??= [data.question[i], data.context[i], ...data.gold[i], ...data.systems.map((x) => x.answers[i])]
    .filter((n) => n >= 0).map((n) => data.texts[n]).join("\n").toLowerCase());
  const isListed = (name, row) => {
    const before = systems.get(state.left), after = systems.get(state.system), rule = FILTERS.find((f) => f[0] === name)[2];
    if (verdict(after, row) === "absent") return name === "all";
    return rule(outcome(before, row), outcome(after, row));
  };
  const drawQuestions = () => {
    const query = state.query.trim().toLowerCase();
    const here = rows().filter((row) => browseIndex.has(row) && (!query || searchable(browseIndex.get(row)).includes(query)));
    clear($("filters"), FILTERS.map(([name, title]) => {
      const n = here.filter((row) => isListed(name, row)).length;
      return h("button", { type: "button", "aria-pressed": String(state.filter === name), "data-filter": name, title: MEANT[name] || null,
        click: () => { state.filter = name; state.page = 0; drawQuestions(); $("filters").querySelector(`[data-filter="${name}"]`).focus(); } },
      title, h("span", { class: "n" }, n.toLocaleString("en")));
    }));
    const found = here.filter((row) => isListed(state.filter, row));
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    state.page = Math.min(state.page, pages - 1);
    const meaning = MEANT[state.filter];
    const pair = `${systems.get(state.left).title} → ${systems.get(state.system).title}, ${splitTitle()}`;
    clear($("found"), `${plural(found.length, "question")}${meaning ? `, ${meaning}` : ""} (${pair})`);
    clear($("list"), found.slice(state.page * PAGE, (state.page + 1) * PAGE).map(card));
    clear($("page"), `Page ${state.page + 1} of ${pages.toLocaleString("en")}`);
    $("previous").disabled = state.page === 0;
    $("next").disabled = state.page >= pages - 1;
  };
  const card = (row) => {
    const i = browseIndex.get(row);
    const gold = data.gold[i].map(text), choices = data.choices[i].map(text), context = text(data.context[i]);
    const pair = [...new Set([state.left, state.system])].map((name) => systems.get(name));
    const others = data.systems.filter((x) => !pair.includes(x) && verdict(x, row) !== "absent");
    const mine = pair.filter((x) => verdict(x, row) !== "absent");
    const asked = h("div", { class: "asked" },
      context === null ? null : h("p", { class: "meta" }, context),
      h("p", { class: "text" }, text(data.question[i])),
      choices.length ? h("p", { class: "meta" }, choices.map((c, k) => `${String.fromCharCode(65 + k)}. ${c}`).join("   ")) : null,
      h("p", { class: "meta" }, data.answerable[row] === "1" ? ["accepted: ", h("b", null, gold.join(" · ") || "none given")] : "has no answer",
        " · ", data.membership[row].map((n) => data.splits[n].name).at(-1)));
    const box = h("article", { class: "question", "data-id": data.ids[i] }, asked,
      h("table", null, h("tbody", null, mine.map((x) => answerRow(x, row, i, "")), others.map((x) => answerRow(x, row, i, "other")))));
    if (others.length) {
      const more = h("button", { type: "button", class: "more", "aria-expanded": "false", click: () => {
        const open = box.classList.toggle("all");
        more.setAttribute("aria-expanded", String(open));
        more.textContent = open ? "fewer" : `${plural(others.length, "other system")}`;
      } }, plural(others.length, "other system"));
      asked.append(more);
    }
    return box;
  };
  const answerRow = (system, row, i, kind) => {
    const end = outcome(system, row), own = verdict(system, row);
    const said = text(system.answers[i]), raw = text(system.responses[i]);
    const signals = Object.entries(system.signals).map(([name, n]) => [name, columns[n][row]]).filter(([, v]) => !Number.isNaN(v));
    const note = end === "refused" && own !== "refused" && own !== "unscored" ? h("small", null, `would be ${own}`) : null;
    return h("tr", { class: kind || null, "data-system": system.name },
      h("th", { scope: "row", class: "who" }, nameOf(system)),
      h("td", null, said || h("i", null, "nothing"), raw !== null && raw.trim() !== (said || "").trim() ? h("span", { class: "raw" }, raw) : null),
      h("td", { class: "verdict" }, h("span", { class: `tag ${end}` }, end, note)),
      h("td", { class: "sig" }, signals.map(([name, v]) => h("span", null, `${name} ${v.toFixed(3)}`))));
  };
  $("previous").addEventListener("click", () => { state.page -= 1; drawQuestions(); });
  $("next").addEventListener("click", () => { state.page += 1; drawQuestions(); });
  let waiting = 0;
  $("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { state.query = $("search").value; state.page = 0; drawQuestions(); }, 120);
  });

  // ---- where each question went ---------------------------------------------------------------
  const ENDS = ["correct", "wrong", "refused"], SAID = { correct: "right", wrong: "wrong", refused: "refused" };
  const wholeSplit = () => $("split").selectedOptions[0].dataset.of;
  const drawFlow = () => {
    const system = systems.get(state.system), found = (data.moves[state.system] || {})[state.split];
    const parts = ["flow-chart", "flow-table", "flow-caption", "flow-blind"].map($);
    clear($("flow-intro"), found ? `What ${system.title} made of the questions that the base model got right, got wrong or refused, ${splitTitle()}.`
      : base ? "Choose a tuned system above, on questions that it and the base model were both asked." : "This run holds no base model to compare with.");
    for (const part of parts) { clear(part); part.hidden = !found; }
    if (!found) return;
    const counts = found.counts, total = counts.reduce((a, b) => a + b, 0);
    const row = (i) => counts.slice(3 * i, 3 * i + 3), sum = (list) => list.reduce((a, b) => a + b, 0);
    const column = (j) => [counts[j], counts[3 + j], counts[6 + j]];
    const before = [0, 1, 2].map((i) => sum(row(i))), after = [0, 1, 2].map((j) => sum(column(j)));
    sankey($("flow-chart"), counts, before, after, total);
    clear($("flow-caption"), `Left: before tuning. Right: after. As wide as it holds questions, ${total.toLocaleString("en")} in all`
      + (found.unscored ? `; ${plural(found.unscored, "question")} that could not be judged ${found.unscored === 1 ? "is" : "are"} left out.` : "."));
    const seen = [0, 1, 2].filter((i) => before[i] || i < 2);
    clear($("flow-table"), h("caption", null, "Questions, before ↓ and after →"),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "Before"), ENDS.map((end) => h("th", { scope: "col", class: "num" }, `${SAID[end]} now`)))),
      h("tbody", null, seen.map((i) => h("tr", null, h("th", { scope: "row" }, SAID[ENDS[i]], h("small", null, before[i].toLocaleString("en"))),
        ENDS.map((end, j) => h("td", { class: `num${i === 0 && j === 1 ? " blind" : ""}`, "data-move": `${ENDS[i]}-${end}` },
          counts[3 * i + j].toLocaleString("en"), h("small", null, data.called[3 * i + j].name)))))));
    const rate = (name) => {
      const [value, low, high] = found.rates[name] || [null, null, null];
      return value === null ? "undefined" : `${(100 * value).toFixed(1)}%` + (low === null ? "" : ` [${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)}]`);
    };
    clear($("flow-blind"), `Newly wrong: ${counts[1].toLocaleString("en")} of the ${before[0].toLocaleString("en")} that were right before, ${rate("newly_wrong")}. `
      + `Prudence (${rate("prudence")}), over-conservativeness (${rate("over_conservativeness")}) and the honesty score made of them (${rate("honesty")}) count refusals only and do not see these.`);
  };
  /* Two stacks and the bands between them, coloured by where they end. */
  const sankey = (box, counts, before, after, total) => {
    const width = Math.max(280, Math.round(box.clientWidth) || 600), height = 340, gap = 14, bar = 12;
    const narrow = width < 460, side = narrow ? 74 : 116, left = side, right = width - side;
    const unit = (height - 30 - 2 * gap) / Math.max(1, total), top = 24;
    const place = (sizes) => { let at = top; return sizes.map((n) => { const start = at; at += n * unit + (n ? gap : 0); return start; }); };
    const from = place(before), to = place(after), used = [...from], filled = [...to];
    const words = data.called.map((cell, k) => (counts[k] ? `${SAID[cell.before]} before, ${SAID[cell.after]} now: ${counts[k]} (${cell.name})` : null)).filter(Boolean);
    const root = s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Questions before and after. ${words.join("; ")}` });
    const bands = s("g"), labels = s("g");
    for (let i = 0; i < 3; i += 1) for (let j = 0; j < 3; j += 1) {
      const n = counts[3 * i + j], thick = n * unit;
      if (!n) continue;
      const a = used[i], b = filled[j], x0 = left + bar, x1 = right - bar, mid = (x0 + x1) / 2;
      used[i] += thick; filled[j] += thick;
      bands.append(s("path", { class: `band ${ENDS[j]}${i === 0 && j === 1 ? " blind" : ""}`,
        d: `M${x0} ${a}C${mid} ${a} ${mid} ${b} ${x1} ${b}V${b + thick}C${mid} ${b + thick} ${mid} ${a + thick} ${x0} ${a + thick}Z` }));
    }
    const stack = (sizes, places, x, anchor, titles) => sizes.forEach((n, i) => {
      if (!n) return;
      const beside = anchor === "end" ? x - 8 : x + bar + 8, middle = places[i] + (n * unit) / 2;
      labels.append(s("rect", { class: ENDS[i], x, y: places[i], width: bar, height: Math.max(1, n * unit) }),
        s("text", { class: "strong", x: beside, y: middle - 2, "text-anchor": anchor }, titles[i]),
        s("text", { x: beside, y: middle + 13, "text-anchor": anchor }, narrow ? percent(n / total) : `${n.toLocaleString("en")}, ${percent(n / total)}`));
    });
    const titles = ENDS.map((end) => SAID[end]);
    stack(before, from, left, "end", titles);
    stack(after, to, right - bar, "start", titles);
    root.append(s("text", { x: left + bar, y: 12, "text-anchor": "end" }, "before"), s("text", { x: right - bar, y: 12 }, "after"), bands, labels);
    clear(box, root);
  };

  // ---- where it fails -------------------------------------------------------------------------
  const WORST = 12;
  /* What can be cut by here; confidence last and by itself, because it is meant to tell right from wrong. */
  const offerCuts = (items) => {
    const names = Object.keys(data.dimensions).filter((name) => items.some((item) => item.dimension === name));
    if (state.cut && !names.includes(state.cut)) state.cut = "";
    if (!state.cut && names.length && names.every((name) => name === "confidence")) state.cut = "confidence";
    clear($("cut"), h("option", { value: "" }, "what the questions are like"), names.map((name) => h("option", { value: name, selected: name === state.cut }, data.dimensions[name].toLowerCase())));
  };
  const drawSlices = () => {
    const split = wholeSplit(), found = (data.slices[state.system] || {})[split], by = state.worst;
    const title = data.splits.find((x) => x.name === split)?.title || split;
    let shown = found ? found.rows.map(([dimension, value, n, unscored, answered, accuracy, refusal, pAccuracy, pRefusal]) =>
      ({ dimension, value, n, unscored, answered, accuracy, refusal, p: { accuracy: pAccuracy, refusal: pRefusal } })) : [];
    const key = (item) => (by === "refusal" ? -item.refusal[0] : item.accuracy ? item.accuracy[0] : 2);
    const tested = shown.filter((item) => item.p[by] !== null).length;
    offerCuts(shown);
    shown = shown.filter((item) => (state.cut ? item.dimension === state.cut : item.dimension !== "confidence"));
    shown.sort((a, b) => key(a) - key(b) || b.n - a.n);
    for (const id of ["slices-table", "slices-more", "slices-note", "slices-picker"]) $(id).hidden = !shown.length;
    clear($("slices-intro"), shown.length
      ? `${systems.get(state.system).title}, ${title}: the questions cut by what they are like, the worst slice first.`
      : "These questions were not cut: they are no test questions, or each slice of them would be too small.");
    if (!shown.length) return;
    const few = state.all ? shown : shown.slice(0, WORST);
    const span = ([, low, high]) => `${(100 * low).toFixed(0)}–${(100 * high).toFixed(0)}`;
    const whisker = (cell, end) => s("svg", { class: "whisker", width: "100%", height: 22, "aria-hidden": "true" },
      s("line", { class: "axis", x1: "0%", x2: "100%", y1: 11, y2: 11 }),
      cell ? [s("line", { class: `reach ${end}`, x1: `${100 * cell[1]}%`, x2: `${100 * cell[2]}%`, y1: 11, y2: 11 }), s("circle", { class: end, cx: `${100 * cell[0]}%`, cy: 11, r: 4.5 })] : []);
    const figure = (cell) => h("td", { class: "num" }, cell ? percent(cell[0]) : "–", h("small", null, cell ? span(cell) : "too few"));
    clear($("slices-table"), h("caption", { class: "hidden" }, "Slices, worst first"),
      h("thead", null, h("tr", null, ["Slice", ""].map((t, i) => h(i ? "td" : "th", i ? { class: "wide" } : { scope: "col" }, i ? "0 – 100%" : t)),
        ["n", "Right when answering", "Refused"].map((t) => h("th", { scope: "col", class: "num" }, t)), h("th", { scope: "col" }, "Against the rest"))),
      h("tbody", null, few.map((item) => {
        const p = item.p[by], marked = p !== null && p < data.chance;
        return h("tr", { class: marked ? "worse" : null }, h("th", { scope: "row" }, h("small", null, data.dimensions[item.dimension]), item.value),
          h("td", { class: "wide" }, whisker(by === "refusal" ? item.refusal : item.accuracy, by === "refusal" ? "refused" : "correct")),
          h("td", { class: "num" }, item.n.toLocaleString("en"), item.unscored ? h("small", null, `${item.unscored} unscored`) : null),
          figure(item.accuracy), figure(item.refusal),
          h("td", null, p === null ? "–" : marked ? h("span", null, h("span", { class: "mark", "aria-hidden": "true" }), by === "refusal" ? " refused more" : " right less often") : "not told apart"));
      })));
    $("slices-more").hidden = shown.length <= WORST;
    clear($("slices-more"), state.all ? `The worst ${WORST} only` : `All ${shown.length} slices`);
    clear($("slices-note"), `Wilson’s ${percent(data.level)} intervals, each for itself. A slice is marked where it is worse than the rest by Fisher’s exact test, `
      + `with Holm’s correction over the ${tested} slices tested here. Tenths of the confidence are meant to differ and are not tested. `
      + `No slice has fewer than ${data.least} questions${found.small ? ` (${plural(found.small, "smaller one")} left out)` : ""}, no accuracy fewer than ${data.least} answers. `
      + "Slices overlap: a mark says where to look, not why.");
  };

  // ---- files ----------------------------------------------------------------------------------
  const save = (name, blob) => {
    const link = h("a", { href: URL.createObjectURL(blob), download: `${name}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const download = async (name) => {
    if (name === "answers") return save(name, new Blob([answers()], { type: "text/csv" }));
    const bytes = Uint8Array.from(atob(read("sheets")[name]), (c) => c.charCodeAt(0));
    const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return save(name, new Blob([await new Response(text).arrayBuffer()], { type: "text/csv" }));
  };
  /* The single answers as CSV, exactly as report/sheets.py writes them. */
  const answers = () => {
    const signals = [...new Set(data.systems.flatMap((x) => Object.keys(x.signals)))];
    const lines = [["question_id", "splits", "question", "context", "choices", "accepted", "system", "answer", "response", "verdict", "abstained", ...signals]];
    data.browse.forEach((row, i) => {
      const many = (numbers) => numbers.map(text).join(" | ");
      const about = [data.ids[i], data.membership[row].map((n) => data.splits[n].name).join(" "), text(data.question[i]), text(data.context[i]), many(data.choices[i]), many(data.gold[i])];
      for (const system of data.systems) {
        if (verdict(system, row) === "absent") continue;
        lines.push([...about, system.name, text(system.answers[i]), text(system.responses[i]), verdict(system, row), String(abstained(system, row)),
          ...signals.map((name) => (name in system.signals ? float(columns[system.signals[name]][row]) : ""))]);
      }
    });
    return lines.map((line) => line.map(csvCell).join(",") + "\r\n").join("");
  };
  const FORMULA = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;
  const csvCell = (value) => {
    if (value === null) return "";
    const number = typeof value === "object";
    const said = number ? value.number : FORMULA.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(said) ? `"${said.replaceAll('"', '""')}"` : said;
  };
  /* A number as Python writes it; in a box, so that a minus sign is not taken for a formula. */
  const float = (value) => {
    if (Number.isNaN(value)) return "";
    const small = value !== 0 && Math.abs(value) < 1e-4, whole = Number.isInteger(value);
    return { number: small ? value.toExponential().replace(/e-(\d)$/, "e-0$1") : whole ? value.toFixed(1) : String(value) };
  };

  // ---- the whole page -----------------------------------------------------------------------
  const showPanels = () => {
    for (const panel of document.querySelectorAll("[data-split]")) panel.hidden = panel.dataset.split !== state.split;
    const whole = $("split").selectedOptions[0].dataset.of;
    for (const row of document.querySelectorAll("tr[data-of]")) row.hidden = row.dataset.of !== whole;
    for (const table of document.querySelectorAll("table.forest")) table.parentNode.hidden = !table.querySelector("tbody tr:not([hidden])");
    const metric = $("metric");
    if (metric) for (const panel of document.querySelectorAll("[data-metric]")) panel.hidden = panel.dataset.metric !== metric.value;
  };
  const drawFigures = () => { drawFlow(); drawRisk(); drawCalibration(); };
  const drawAll = () => { showPanels(); offerSignals(); state.page = 0; drawFigures(); drawSlices(); drawQuestions(); };
  $("split").addEventListener("change", () => { state.split = $("split").value; drawAll(); });
  const choose = (name) => { state.system = $("system").value = $("right").value = name; state.signal = null; drawAll(); };
  for (const id of ["system", "right"]) $(id).addEventListener("change", () => choose($(id).value));
  $("left").addEventListener("change", () => { state.left = $("left").value; state.page = 0; drawQuestions(); });
  $("worst").addEventListener("change", () => { state.worst = $("worst").value; drawSlices(); });
  $("cut").addEventListener("change", () => { state.cut = $("cut").value; drawSlices(); });
  $("slices-more").addEventListener("click", () => { state.all = !state.all; drawSlices(); });
  $("every").addEventListener("toggle", drawEvery);
  for (const button of document.querySelectorAll("[data-csv]")) button.addEventListener("click", () => download(button.dataset.csv));
  $("signal").addEventListener("change", () => { state.signal = $("signal").value; drawFigures(); });
  if ($("metric")) $("metric").addEventListener("change", showPanels);
  $("slider").value = $("exact").value = String(state.threshold);
  drawAll();
  let width = window.innerWidth;
  window.addEventListener("resize", () => { if (window.innerWidth !== width) { width = window.innerWidth; drawFigures(); } });
})();
