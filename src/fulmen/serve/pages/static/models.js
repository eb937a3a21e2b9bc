// Kept models as cards: metrics beside baselines, notes, aliases; promote, export, delete, bring in.

import { $, ago, ask, confirmed, count, dialog, field, fill, h, mark, number, problemBox, table, tell, trying } from "./core.js";

async function list() {
  const found = await trying($("#wrong"), () => ask("/api/models?limit=500"));
  if (!found) return;
  $("#count").textContent = found.total ? count(found.total, "version") : "No model is kept yet. Keep a run by `fulmen models save`, or a row of a ranking.";
  fill($("#models"), found.items.reverse().map(card));
}

function card(model) {
  const details = h("div", {}), reference = encodeURIComponent(model.model);
  const more = h("details", {}, h("summary", {}, "Metrics beside baselines, origin"), details);
  more.addEventListener("toggle", async () => {
    if (!more.open || details.childElementCount) return;
    const facts = await trying(details, () => ask(`/api/models/${reference}`));
    if (facts) fill(details, about(facts));
  });
  return h("article", { class: "card", id: model.model, "aria-label": `Model ${model.model}` },
    h("h3", {}, model.model, " ", model.aliases.map((alias) => [h("span", { class: "tag" }, `@${alias}`), " "])),
    model.state ? h("p", { class: "problem" }, model.state) : null,
    h("p", {}, model.metric ? [`${model.metric} `, h("strong", {}, number(model.value))] : null, h("span", { class: "soft" }, ` ${model.workload ?? ""} · `, ago(model.created))),
    h("p", { class: "soft" }, Object.entries(model.baselines).slice(0, 3).map(([who, value]) => `${who} ${number(value)}`).join(" · ")),
    model.note ? h("p", {}, model.note) : null, more,
    h("div", { class: "row" },
      h("a", { class: "button", href: `/predict?model=${reference}` }, "Predict"),
      h("button", { type: "button", onclick: () => promote(model) }, "Promote …"),
      h("a", { class: "button", href: `/api/models/${reference}/export`, download: "" }, "Export"),
      h("button", { type: "button", class: "danger", onclick: () => remove(model) }, "Delete")));
}

function about(facts) {
  const baselines = facts.baselines ?? {}, run = facts.run ?? {};
  const scores = Object.entries(facts.metrics ?? {}).filter(([name]) => name.startsWith("test/"));
  return [
    table("On the test split", [{ name: "metric", title: "Metric" }, { name: "model", title: "Model", number: true },
      ...Object.keys(baselines).map((name) => ({ name, number: true }))],
    scores.map(([name, value]) => ({ metric: name, model: value, ...Object.fromEntries(Object.entries(baselines).map(([who, each]) => [who, each[name.slice(5)]])) }))),
    h("dl", { class: "facts" }, [["Experiment", facts.experiment], ["Network", facts.architecture?.network], ["Parameters", number(facts.architecture?.parameters)],
      ["Run", run.folder ? h("a", { href: `/runs#${run.folder}` }, run.folder) : "elsewhere"], ["Data", facts.data_fingerprint]].map(([name, value]) => [h("dt", {}, name), h("dd", {}, value ?? "–")])),
    facts.history?.length ? h("details", {}, h("summary", {}, "History of its aliases"), facts.history.map((event) => h("p", {}, Object.entries(event).filter(([, value]) => value !== null).map(([key, value]) => `${key} ${value}`).join(" · ")))) : null,
  ];
}

function promote(model) {
  const alias = h("input", { type: "text", value: "champion", required: true }), note = h("textarea", {}), wrong = h("div", {});
  const form = h("form", {}, h("p", {}, `The alias will point to ${model.model}, which is verified first.`),
    field("alias", "Alias", alias, "For example champion, staging, production."), field("note", "Note", note), wrong, h("button", { class: "main" }, "Promote"));
  const box = dialog(`Promote ${model.model}`, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await ask(`/api/models/${encodeURIComponent(model.model)}/promote`, { method: "POST", body: { alias: alias.value, note: note.value } });
      box.close();
      tell(`${model.model} is now ${alias.value}.`);
      list();
    } catch (error) {
      const left = mark(form, error.errors ?? []);
      fill(wrong, left.length || !error.errors?.length ? problemBox(error) : null);
    }
  });
}

async function remove(model) {
  const pointed = model.aliases.length ? ` ${model.aliases.join(" and ")} points to it.` : "";
  if (!(await confirmed(`Delete ${model.model}?${pointed} The number is never given again.`, "Delete"))) return;
  const gone = await trying($("#wrong"), () => ask(`/api/models/${encodeURIComponent(model.model)}?force=${model.aliases.length > 0}`, { method: "DELETE" }));
  if (gone) { tell(`${gone.model} is deleted.`); list(); }
}

$("#bundle").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  const kept = file && await trying($("#wrong"), () => ask("/api/models", { method: "POST", form: file }));
  if (kept) { tell(`Kept as ${kept.model}.`); list(); }
  event.target.value = "";
});
await list();
document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
