// Predictions of a kept model: by hand from its own schema, or for a file; shown as its workload is read.

import { $, ask, field, fill, h, mark, number, problemBox, table, tell, trying } from "./core.js";
import { chart } from "./chart.js";

const LONG = 400; // characters of a value that is no longer shown in a field of one line
const MOST = 500; // rows of a table that are shown; the file holds all
const asked = { reference: null, schema: null, example: [], rows: [] };

function kindOf(property) {
  if (property.enum || property.anyOf?.some((each) => each.enum)) return "choice";
  const types = [property.type, ...(property.anyOf ?? []).map((each) => each.type)];
  return types.includes("number") || types.includes("integer") ? "number" : types.includes("array") || types.includes("object") ? "nested" : "text";
}

function inputFor(name, property) {
  const kind = kindOf(property);
  if (kind === "choice") return h("select", {}, (property.enum ?? property.anyOf.find((each) => each.enum).enum).map((level) => h("option", { value: level }, level)));
  if (kind === "nested") return h("textarea", { spellcheck: "false", placeholder: "JSON" });
  const input = h("input", { type: "text", spellcheck: "false" });
  if (kind === "number") input.setAttribute("inputmode", "decimal");
  if (/time|date/i.test(`${property.format ?? ""} ${name}`) && kind === "text") input.placeholder = new Date().toISOString().slice(0, 19);
  return input;
}

/** What stands in a field, as JSON; an empty one is left out, so that the service says what is missing. */
function valueOf(name, property) {
  const text = $(`[data-key="${CSS.escape(name)}"] :is(input, select, textarea)`).value.trim();
  if (text === "") return undefined;
  const kind = kindOf(property);
  if (kind === "number") return Number.isFinite(Number(text)) ? Number(text) : text;
  if (kind === "nested") { try { return JSON.parse(text); } catch { return text; } }
  return text;
}

function put(row) {
  for (const name of Object.keys(asked.schema)) {
    const input = $(`[data-key="${CSS.escape(name)}"] :is(input, select, textarea)`);
    const value = row[name];
    input.value = value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : value;
  }
}

async function choose(reference) {
  asked.reference = reference;
  history.replaceState(null, "", `/predict?model=${encodeURIComponent(reference)}`);
  fill($("#answer"));
  for (const id of ["#by-hand", "#by-file"]) $(id).hidden = true;
  const described = await trying($("#wrong"), () => ask(`/api/models/${encodeURIComponent(reference)}/schema`));
  if (!described) return;
  const row = described.properties.rows.items;
  asked.schema = row.properties;
  fill($("#inputs"), Object.entries(row.properties).map(([name, property]) => {
    const unit = property["x-unit"] && property["x-unit"] !== "1" ? ` (${property["x-unit"]})` : "";
    return field(name, `${name}${unit}${row.required.includes(name) ? "" : ", optional"}`, inputFor(name, property), property.description);
  }));
  $("#format").textContent = described.description || "CSV with a line for each row.";
  for (const id of ["#by-hand", "#by-file"]) $(id).hidden = false;
  fill($("#wrong"), h("p", { class: "soft" }, "The model is being loaded …"));
  const examples = await trying($("#wrong"), () => ask(`/api/models/${encodeURIComponent(reference)}/examples`));
  asked.example = examples?.rows ?? [];
  const several = asked.example.length > 1;
  $("#history").hidden = !several;
  if (several) $("#history").textContent = `This model needs a history: the example has ${asked.example.length} rows, the fields show its last one and the others come before it. A file is the better way.`;
  if (asked.example.length && JSON.stringify(asked.example.at(-1)).length < LONG * 20) put(asked.example.at(-1));
}

async function byHand(event) {
  event.preventDefault();
  const row = Object.fromEntries(Object.entries(asked.schema).map(([name, property]) => [name, valueOf(name, property)]).filter(([, value]) => value !== undefined));
  const rows = [...asked.example.slice(0, -1), row];
  await show(() => ask(`/api/models/${encodeURIComponent(asked.reference)}/predict`, { method: "POST", body: { rows } }), rows, null);
}

async function byFile(event) {
  event.preventDefault();
  const form = new FormData();
  form.append("file", $("#file").files[0]);
  await show(() => ask(`/api/models/${encodeURIComponent(asked.reference)}/predict`, { method: "POST", form }), null, form);
}

async function show(work, rows, form) {
  mark($("#by-hand"), []);
  fill($("#wrong"));
  try {
    const said = await work();
    fill($("#answer"), answer(said, rows, form));
  } catch (error) {
    const errors = (error.errors ?? []).map((each) => ({ ...each, key: (each.key || "").replace(/^rows(\[\d+\]|\.\d+)\.?/, "") }));
    const left = rows ? mark($("#by-hand"), errors) : errors;
    if (left.length || !errors.length) fill($("#wrong"), problemBox(error));
    fill($("#answer"));
    $("[aria-invalid]")?.focus();
  }
}

function answer(said, rows, form) {
  const labels = said.columns.filter((column) => /^p[(_]/.test(column.name));
  const body = labels.length && said.rows.length === 1 ? [verdict(said, labels), rows ? sent(rows.at(-1)) : null]
    : said.intervals.length ? [forecast(said)] : said.columns.some((column) => column.name === "organ") ? [concentrations(said)] : [];
  return [
    h("h2", {}, `Answer of ${said.model}`),
    said.outside.length ? h("div", { class: "warning" }, h("p", {}, "Outside what the model has seen in training:"), h("ul", {}, said.outside.slice(0, 20).map((each) => h("li", {}, each.message)))) : null,
    said.warnings.filter((each) => !said.outside.some((other) => other.message === each)).map((each) => h("p", { class: "warning" }, each)),
    body,
    h("h3", {}, "Table"),
    h("div", { class: "scroll-y" }, table(said.rows.length > MOST ? `The first ${MOST} of ${said.rows.length} rows` : `${said.rows.length} rows`,
      said.columns.map((column) => ({ name: column.name, title: column.unit ? `${column.name} (${column.unit})` : column.name, number: typeof said.rows[0]?.[column.name] === "number" })), said.rows.slice(0, MOST))),
    h("button", { type: "button", onclick: () => download(said) }, "Save as CSV"),
  ];
}

/** A decision in words, with a bar for each probability. */
function verdict(said, labels) {
  const [row] = said.rows, chosen = row.decision ?? row.class;
  const name = (column) => column.name.replace(/^p\((.*)\)$/, "$1").replace(/^p_/, "");
  return h("div", { class: "card" }, h("p", {}, "The model says: ", h("strong", { class: chosen === "1" ? "bad" : "good", id: "decision" }, words(chosen, said.workload))),
    h("div", { class: "probability" }, labels.map((column) => [h("span", {}, words(name(column), said.workload)),
      h("meter", { min: 0, max: 1, value: row[column.name], "aria-label": `Probability of ${name(column)}` }), h("span", { class: "number" }, `${number(100 * row[column.name], 3)} %`)])),
    chosen === "1" && said.workload === "sensors" ? alertButton(said) : null);
}

const words = (label, workload) => (workload === "sensors" ? { 0: "no maintenance needed", 1: "maintenance needed" }[label] ?? label : label);

function alertButton(said) {
  const button = h("button", { type: "button", class: "danger", hidden: true, onclick: async () => {
    const sent = await trying($("#wrong"), () => ask("/api/alerts", { method: "POST", body: { model: said.model, row: said.rows[0] } }));
    if (sent === null) tell("The alert was sent.");
  } }, "Send an alert");
  ask("/api/alerts").then((now) => { button.hidden = !now.configured; });
  return button;
}

const sent = (row) => h("details", {}, h("summary", {}, "The input as sent"), h("pre", {}, JSON.stringify(row, null, 1).slice(0, 4000)));

function forecast(said) {
  const last = said.rows.filter((row) => row.day === said.rows.at(-1).day), [widest] = [...said.intervals].sort((a, b) => b.level - a.level);
  const at = said.rows.filter((row) => row.horizon === 1), drawn = last.length > 1 ? last : at;
  const x = last.length > 1 ? last.map((row) => row.horizon) : at.map((_, i) => i);
  return chart(last.length > 1 ? `Forecast from ${said.rows.at(-1).day}` : "Forecast for the next day, day by day",
    [{ name: `${widest.of}, with the ${100 * widest.level} % interval`, x, y: drawn.map((row) => row[widest.of]), low: drawn.map((row) => row[widest.low]), high: drawn.map((row) => row[widest.high]) }],
    { x: last.length > 1 ? "trading days ahead" : "day", table: false });
}

function concentrations(said) {
  const value = said.columns.find((column) => /concentration/.test(column.name)) ?? said.columns.at(-1);
  const time = said.columns.find((column) => /^time/.test(column.name)), first = said.rows[0], key = said.columns[0].name;
  const own = said.rows.filter((row) => row[key] === first[key]);
  const organs = [...new Set(own.map((row) => row.organ))];
  return chart(`Concentrations of the first subject (${value.unit ?? ""})`, organs.map((organ) => {
    const rows = own.filter((row) => row.organ === organ);
    return { name: organ, x: rows.map((row) => row[time.name]), y: rows.map((row) => row[value.name]) };
  }), { x: time?.unit ?? "h", table: false });
}

function download(said) {
  const quote = (value) => (/[",\n]/.test(String(value ?? "")) ? `"${String(value).replaceAll('"', '""')}"` : value ?? "");
  const lines = [said.columns.map((column) => quote(column.name)), ...said.rows.map((row) => said.columns.map((column) => quote(row[column.name])))];
  const url = URL.createObjectURL(new Blob([lines.map((line) => line.join(",")).join("\n"), "\n"], { type: "text/csv" }));
  h("a", { href: url, download: `${said.model.replace(":", "-")}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

$("#by-hand").addEventListener("submit", byHand);
$("#by-file").addEventListener("submit", byFile);
$("#example").addEventListener("click", () => put(asked.example.at(-1) ?? {}));

const models = await trying($("#wrong"), () => ask("/api/models?limit=500"));
if (models) {
  const names = models.items.reverse().flatMap((model) => [...model.aliases.map((alias) => `${model.name}@${alias}`), model.model]);
  const wanted = new URLSearchParams(location.search).get("model") ?? names[0];
  if (!names.includes(wanted) && wanted) names.unshift(wanted);
  const select = h("select", { onchange: (event) => choose(event.target.value) }, names.map((name) => h("option", { value: name, selected: name === wanted }, name)));
  fill($("#which"), names.length ? field("model", "Model", select, "By version, or by alias.") : h("p", {}, "No model is kept yet: keep a run or a row of a ranking first."));
  if (wanted) choose(wanted);
}
