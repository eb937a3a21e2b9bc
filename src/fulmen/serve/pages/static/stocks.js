// The thirty architectures for stocks in two modes, as /api/train-advanced takes them.

import { $, ask, duration, field, fill, h, number, place, table, trying } from "./core.js";
import { chart } from "./chart.js";

const form = $("#advanced");
const inputs = {
  lookback: h("input", { type: "number", min: 10, max: 120, value: "60" }),
  horizon: h("input", { type: "number", min: 1, max: 30, value: "1" }),
  epochs: h("input", { type: "number", min: 1, max: 1000, value: "1" }),
  batch_size: h("input", { type: "number", min: 1, max: 4096, value: "32" }),
  optimization_strategy: h("select", {}, [["random", "random"], ["grid", "grid"], ["bayesian", "Bayesian (TPE)"]].map(([value, name]) => h("option", { value }, name))),
  n_trials: h("input", { type: "number", min: 1, max: 1000, value: "20" }),
};
const ONLY = { fast: ["epochs", "batch_size"], optimized: ["optimization_strategy", "n_trials"] };
const mode = () => new FormData(form).get("mode");
const boxes = () => [...document.querySelectorAll("#list input")];

fill($("#settings"), [
  field("lookback", "Lookback (days)", inputs.lookback, "Length of a window, 10 to 120."),
  field("horizon", "Horizon (days)", inputs.horizon, "How far ahead, 1 to 30."),
  field("epochs", "Epochs", inputs.epochs, "Of every model."), field("batch_size", "Batch size", inputs.batch_size, "Windows a step."),
  field("optimization_strategy", "Strategy", inputs.optimization_strategy, "How the next trial is chosen."),
  field("n_trials", "Trials", inputs.n_trials, "For every model."),
]);

function showMode() {
  for (const [which, names] of Object.entries(ONLY)) for (const name of names) $(`[data-key="${name}"]`).hidden = which !== mode();
}

function count() {
  const chosen = boxes().filter((box) => box.checked).length;
  $("#count").textContent = `${chosen} of ${boxes().length} chosen`;
  $("#start").disabled = !chosen;
}

async function models() {
  const info = await trying($("#wrong"), () => ask("/api/models-info"));
  if (!info) return;
  const by = new Map(info.models.map((model) => [model.id, model]));
  fill($("#list"), Object.entries(info.categories).map(([category, ids]) => h("fieldset", {}, h("legend", {}, category), ids.map((id) =>
    h("label", { class: "choice" }, h("input", { type: "checkbox", value: String(id), checked: true, onchange: count }),
      h("span", {}, `${id} ${by.get(id).name}`, h("small", {}, ` ${by.get(id).description}`)))))));
  count();
}

async function start(event) {
  event.preventDefault();
  const chosen = boxes().filter((box) => box.checked).map((box) => Number(box.value));
  const body = { mode: mode(), lookback: Number(inputs.lookback.value), horizon: Number(inputs.horizon.value), model_ids: chosen.length === boxes().length ? null : chosen };
  for (const name of ONLY[mode()]) body[name] = name === "optimization_strategy" ? inputs[name].value : Number(inputs[name].value);
  fill($("#result"));
  $("#start").disabled = true;
  const timer = setInterval(progress, 1000);
  const said = await trying($("#wrong"), () => ask("/api/train-advanced", { method: "POST", body }));
  clearInterval(timer);
  await progress();
  $("#start").disabled = false;
  if (said) fill($("#result"), result(said));
}

async function progress() {
  const now = await ask("/api/train-progress").catch(() => null);
  if (!now || now.status === "idle") return;
  const left = now.seconds_left ? ` · ${duration(now.seconds_left)} left` : "";
  fill($("#now"), h("h2", {}, `Training: ${now.status}`), h("progress", { value: now.trials_done, max: now.trials_total || 1, "aria-label": "Progress of the training" }),
    h("p", {}, `${now.models_done} of ${now.models_total} models, ${now.trials_done} of ${now.trials_total} trainings${left}`), h("p", { class: "soft" }, now.text));
}

function result(said) {
  const fast = said.mode === "fast", rows = [...(fast ? said.results : said.all_results)].sort((a, b) => (a.rmse ?? 1e99) - (b.rmse ?? 1e99));
  const { winner } = said;
  return [
    h("article", { class: "card", "aria-label": "Winner" }, h("h2", {}, place(1), ` ${winner.model_name}`),
      h("dl", { class: "facts" }, [["RMSE of prices", number(fast ? winner.rmse : winner.best_rmse)], ["Persistence, which costs nothing", number(winner.persistence_rmse)], ["MAE", number(winner.mae)], ["MAPE", `${number(winner.mape)} %`], ["Correlation", number(winner.pearson_corr)],
        ...(fast ? [] : [["Found with", Object.entries(winner.best_params).map(([key, value]) => `${key} ${number(value)}`).join(", ")], ["Time", duration(said.total_time)]]), ["Data", said.data], ["Run", h("a", { href: `/runs#${winner.run}` }, winner.run)]].map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
      winner.rmse > winner.persistence_rmse ? h("p", { class: "warning" }, "Persistence is better: tomorrow's price is best said to be today's.") : null),
    h("h3", {}, "All models"),
    table(`${rows.length} models by RMSE on the validation split`, [
      { name: "place", title: "Place", cell: (row) => place(rows.indexOf(row) + 1) },
      { name: "model_name", title: "Model", cell: (row) => h("a", { href: `/runs#${row.run}` }, `${row.model_id} ${row.model_name}`) },
      { name: "rmse", title: "RMSE", number: true }, { name: "mae", title: "MAE", number: true }, { name: "mape", title: "MAPE (%)", number: true }, { name: "r2", title: "R²", number: true },
      { name: "pearson_corr", title: "Correlation", number: true }, { name: "accuracy", title: "Right direction", number: true }, { name: "persistence_rmse", title: "RMSE of persistence", number: true },
    ], rows, { best: (row) => row === rows[0] }),
    chart("RMSE, best first", [{ name: "model", x: rows.map((_, i) => i + 1), y: rows.map((row) => row.rmse), points: true }, { name: "persistence", x: rows.map((_, i) => i + 1), y: rows.map((row) => row.persistence_rmse) }], { x: "place", table: false }),
    h("h3", {}, "Forecasts, scatter, residuals and errors of the winner"), h("div", { id: "figures" }, figures(winner.run)),
  ];
}

function figures(run) {
  const drawn = h("div", {}, h("p", { class: "soft" }, "…"));
  ask(`/api/runs/${run}`).then((found) => fill(drawn, found.has_report ? h("iframe", { class: "report", src: `/api/runs/${found.path}/report`, title: "Report of the winner" })
    : found.figures.map((name) => h("img", { class: "chart", src: `/api/runs/${found.path}/figures/${name}`, alt: name }))), () => fill(drawn, h("p", { class: "soft" }, "Its run has no figures.")));
  return drawn;
}

form.addEventListener("change", showMode);
form.addEventListener("submit", start);
for (const [id, wanted] of [["#all", true], ["#none", false]]) $(id).addEventListener("click", () => { boxes().forEach((box) => { box.checked = wanted; }); count(); });
showMode();
await models();
progress();
