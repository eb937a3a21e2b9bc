// Searches with leaderboard, champion and history; rankings, any row of which can be kept as a model.

import { $, ago, ask, duration, fill, h, number, place, state, table, trying } from "./core.js";
import { chart } from "./chart.js";
import { keepAs } from "./keep.js";

const short = (path) => path.split(".").pop();
const wordy = (values) => Object.entries(values).map(([path, value]) => `${short(path)}=${number(value)}`).join(" ");

async function lists() {
  for (const [list, path, what] of [["#searches", "/api/searches", "search"], ["#rankings", "/api/rankings", "ranking"]]) {
    const found = await trying($("#wrong"), () => ask(`${path}?limit=100`));
    if (!found) continue;
    fill($(list), found.total ? table(`${found.total} in all`, [
      { name: "name", title: "Name", text: true, cell: (row) => h("a", { href: `#${row.path}` }, row.name.replace(/^(sweeps|rankings)\//, "")) },
      { name: "status", title: "Status", cell: (row) => state(row.status) },
      { name: "done", title: "Done", number: true, cell: (row) => (row.total ? `${row.done ?? row.total} of ${row.total}` : number(row.done)) },
      { name: "created", title: "Begun", cell: (row) => ago(row.created) },
    ], found.items) : h("p", { class: "soft" }, `No ${what} yet.`));
  }
}

async function open() {
  const path = decodeURIComponent(location.hash.slice(1)), one = $("#one");
  one.hidden = !path;
  if (!path) return;
  const ranking = path.startsWith("rankings/");
  const address = ranking ? `/api/rankings/${path.slice(9)}` : `/api/searches/${path.replace(/^sweeps\//, "")}`;
  fill(one, h("h2", {}, path), h("div", { id: "one-wrong" }));
  const found = await trying($("#one-wrong"), () => ask(address));
  if (!found) return;
  fill(one, h("h2", { tabindex: "-1" }, found.name, " ", state(found.status)), h("div", { id: "one-wrong" }),
    found.message ? h("p", { class: "warning" }, found.message) : null, ranking ? showRanking(found, address) : showSearch(found));
  $("h2", one).focus();
}

function showSearch(found) {
  const objectives = Object.keys(found.objectives), tried = found.history.filter((each) => Number.isFinite(each.value));
  return [
    champion(found),
    chart(`${objectives[0] ?? "value"} of each trial`, [
      { name: "trial", x: tried.map((each) => each.trial), y: tried.map((each) => each.value), points: true },
      { name: "best so far", x: found.history.map((each) => each.trial), y: found.history.map((each) => each.best ?? NaN) },
    ], { x: "trial" }),
    h("h3", {}, "Leaderboard"),
    table(`${found.leaderboard.length} trials; ${objectives.map((name) => `${name} (${found.objectives[name]})`).join(", ")}`, [
      { name: "place", title: "Place", number: true }, { name: "trial", title: "Trial", number: true, cell: (row) => h("a", { href: `/runs#${found.path}/trial_${String(row.trial).padStart(4, "0")}` }, String(row.trial)) },
      { name: "state", title: "State", cell: (row) => state(row.state) },
      ...objectives.map((name) => ({ name, number: true, cell: (row) => number(row.values[name]) })),
      { name: "epochs", title: "Epochs", number: true }, { name: "seconds", title: "Time", number: true, cell: (row) => duration(row.seconds) },
      ...found.parameters.map((path) => ({ name: path, title: short(path), number: true, cell: (row) => number(row.parameters[path]) })),
    ], found.leaderboard, { best: (row) => row.place === 1 }),
    found.has_report ? [h("h3", {}, "Report"), h("iframe", { class: "report", src: `/api/runs/${found.path}/report`, title: `Report of ${found.name}` })] : null,
  ];
}

function champion(found) {
  const { path } = found;
  const best = found.champion;
  if (!best) return h("p", { class: "soft" }, "There is no champion yet: it is trained when all trials are over.");
  return h("article", { class: "card", "aria-label": "Champion" }, h("h3", {}, `Champion: trial ${best.trial}`), h("p", {}, best.conclusion),
    h("p", {}, h("code", {}, wordy(best.parameters))),
    h("dl", { class: "facts" }, Object.entries(best.metrics).filter(([name]) => name.startsWith("test/")).map(([name, value]) => [h("dt", {}, name),
      h("dd", {}, `${number(value)}`, Object.entries(best.baselines).filter(([, scores]) => short(name.replace("/", ".")) in scores).slice(0, 3).map(([who, scores]) => h("small", {}, ` · ${who} ${number(scores[name.slice(5)])}`)))])),
    best.runs.map((run) => h("p", {}, h("a", { href: `/runs#${path}/${run}` }, run))));
}

function showRanking(found, address) {
  const { ranking } = found;
  return [
    h("p", {}, ranking.says),
    table(`By ${ranking.metric}, mean ± standard deviation over the folds`, [
      { name: "row", title: "Place", cell: (row) => place(row.row) },
      { name: "model", title: "Model", cell: (row) => (row.baseline ? h("em", {}, row.model, " (baseline)") : row.model) },
      { name: "kept", title: "Keep", cell: (row) => (row.rule ? "a rule" : h("button", { type: "button", onclick: () => keep(row, address, found) }, "Keep …")) },
      ...ranking.metrics.map((name) => ({ name, number: true, cell: (row) => (row.scores[name] ? `${number(row.scores[name].mean, 3)} ± ${number(row.scores[name].sd, 2)}` : "–") })),
      { name: "seconds", title: "CPU time", number: true, cell: (row) => duration(row.seconds) },
    ], ranking.rows, { best: (row) => row.row === 1 }),
    bars(ranking),
    found.figures.map((name) => h("img", { src: `/api/runs/${found.path}/figures/${name}`, alt: `${name} of ${found.name}`, class: "chart" })),
  ];
}

/** The metrics of the five best beside each other. */
function bars(ranking) {
  const best = ranking.rows.slice(0, 5);
  return h("details", {}, h("summary", {}, "The five best, metric by metric"), ranking.metrics.map((metric) => {
    const values = best.map((row) => row.scores[metric]?.mean ?? 0), most = Math.max(...values.map(Math.abs)) || 1;
    return h("div", {}, h("h3", {}, metric), h("div", { class: "probability" }, best.map((row, i) => [
      h("span", {}, row.model), h("meter", { min: 0, max: most, value: Math.abs(values[i]), "aria-label": `${metric} of ${row.model}` }), h("span", { class: "number" }, number(values[i]))])));
  }));
}

function keep(row, address, found) {
  keepAs(row.model, `${row.model} is trained once more as one run, and kept.`, `${found.experiment}-${row.model}`,
    `${address}/rows/${row.row}/keep`, (job) => { location.assign(`/jobs#${job.id}`); });
}

addEventListener("hashchange", open);
await lists();
open();
