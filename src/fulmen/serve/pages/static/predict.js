// Predictions of a kept model: by hand from its own schema, or for a file.

import { $, ask, field, fill, h, problemBox, trying } from "./core.js";
import { answer } from "./answers.js";
import { controls, isTime, markInputs } from "./controls.js";

const asked = { reference: null, row: null, facts: {}, inputs: new Map(), example: [], history: 1 };
const of = (verb) => `/api/models/${encodeURIComponent(asked.reference)}/${verb}`;

/** The example, with the time of now where each row stands alone: what a person does not know is filled in visibly. */
function fillIn() {
  const last = asked.example.at(-1) ?? {}, now = new Date().toISOString().slice(0, 16);
  for (const [name, each] of asked.inputs) each.write(asked.history === 1 && isTime(name, asked.row.properties[name]) ? now : last[name]);
}

async function choose(reference) {
  asked.reference = reference;
  history.replaceState(null, "", `/predict?model=${encodeURIComponent(reference)}`);
  fill($("#answer"));
  for (const id of ["#by-hand", "#by-file"]) $(id).hidden = true;
  const described = await trying($("#wrong"), () => ask(of("schema")));
  if (!described) return;
  asked.facts = await ask(`/api/models/${encodeURIComponent(reference)}`).catch(() => ({ threshold: null }));
  asked.row = described.properties.rows.items;
  asked.inputs = controls($("#inputs"), asked.row);
  $("#format").textContent = described.description || "CSV with a line for each row.";
  for (const id of ["#by-hand", "#by-file"]) $(id).hidden = false;
  await load(reference);
}

/** Fill in an example, which loads the model; until then it cannot be asked. */
async function load(reference) {
  const buttons = [...document.querySelectorAll("#by-hand button, #by-file button")];
  buttons.forEach((button) => { button.disabled = true; });
  $("#loading").hidden = false;
  const found = await trying($("#wrong"), () => ask(of("form")));
  if (asked.reference !== reference) return;
  $("#loading").hidden = true;
  buttons.forEach((button) => { button.disabled = false; });
  Object.assign(asked, { example: found?.rows ?? [], history: found?.history ?? 1 });
  $("#history").hidden = asked.history === 1;
  $("#history").textContent = `A prediction of this model looks back: it needs ${asked.history} rows or more in the order of time. Give it a file below; by hand you change the last row of an example of ${asked.example.length}.`;
  if (found) fillIn();
}

async function byHand(event) {
  event.preventDefault();
  const row = Object.fromEntries([...asked.inputs].map(([name, each]) => [name, each.read()]).filter(([, value]) => value !== undefined));
  const rows = [...(asked.history > 1 ? asked.example.slice(0, -1) : []), row];
  await show(() => ask(of("predict"), { method: "POST", body: { rows } }), rows);
}

async function byFile(event) {
  event.preventDefault();
  const form = new FormData();
  form.append("file", $("#file").files[0]);
  await show(() => ask(of("predict"), { method: "POST", form }), null);
}

async function show(work, rows) {
  markInputs($("#by-hand"), []);
  fill($("#wrong"));
  try {
    fill($("#answer"), answer(await work(), rows, asked.facts));
  } catch (error) {
    const errors = (error.errors ?? []).map((each) => ({ ...each, key: (each.key || "").replace(/^rows(\[\d+\]|\.\d+)\.?/, "") }));
    const left = rows ? markInputs($("#by-hand"), errors) : errors;
    if (left.length || !errors.length) fill($("#wrong"), problemBox(error));
    fill($("#answer"));
  }
}

$("#by-hand").addEventListener("submit", byHand);
$("#by-file").addEventListener("submit", byFile);
$("#example").addEventListener("click", fillIn);

const models = await trying($("#wrong"), () => ask("/api/models?limit=500"));
if (models) {
  const names = models.items.reverse().flatMap((model) => [...model.aliases.map((alias) => `${model.name}@${alias}`), model.model]);
  const wanted = new URLSearchParams(location.search).get("model") ?? names[0];
  if (!names.includes(wanted) && wanted) names.unshift(wanted);
  const select = h("select", { onchange: (event) => choose(event.target.value) }, names.map((name) => h("option", { value: name, selected: name === wanted }, name)));
  fill($("#which"), names.length ? field("model", "Model", select, "By version, or by alias.") : h("p", {}, "No model is kept yet: keep a run or a row of a ranking first."));
  if (wanted) choose(wanted);
}
