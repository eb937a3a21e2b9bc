// All runs as a table with filters; one of them with curves, report and labels; several side by side.

import { $, ago, ask, bytes, confirmed, dialog, duration, field, fill, h, number, settled, state, table, tell, trying } from "./core.js";
import { curves } from "./curves.js";
import { keepAs } from "./keep.js";

const PAGE = 50;
const asked = { kind: "run", experiment: "*", status: "", tag: "", archived: "no", text: "", sort: "-created", offset: 0 };
const chosen = new Set();

const filters = [
  ["kind", "Kind", ["run", "multirun", "search", "ranking", "comparison", "all"]],
  ["experiment", "Experiment", ["*"]],
  ["status", "Status", [""]],
  ["tag", "Tag", [""]],
  ["archived", "Archived", ["no", "only", "all"]],
  ["sort", "Sorted by", ["-created", "created", "experiment", "-seconds", "seconds", "-bytes", "status"]],
];

const names = { "*": "all", "": "any", "-created": "newest first", created: "oldest first", "-seconds": "longest first", seconds: "shortest first", "-bytes": "largest first" };

function showFilters(listing = { experiments: [], statuses: {}, tags: [] }) {
  const more = { experiment: listing.experiments, status: Object.keys(listing.statuses), tag: listing.tags };
  fill($("#filters"), filters.map(([name, label, choices]) => field(name, label,
    h("select", { onchange: (event) => { asked[name] = event.target.value; asked.offset = 0; list(); } },
      [...choices, ...(more[name] ?? [])].map((choice) => h("option", { value: choice, selected: choice === asked[name] }, names[choice] ?? choice))))),
  field("text", "Search", h("input", { type: "search", value: asked.text, placeholder: "path, network, tag, note", oninput: search })));
}

const search = settled(() => { asked.text = $("#field-text").value; asked.offset = 0; list(false); });

async function list(withFilters = true) {
  const query = new URLSearchParams({ limit: PAGE });
  for (const [key, value] of Object.entries(asked)) if (value !== "") query.set(key, value);
  const found = await trying($("#wrong"), () => ask(`/api/runs?${query}`));
  if (!found) return;
  if (withFilters) showFilters(found);
  const last = Math.min(asked.offset + PAGE, found.total);
  $("#count").textContent = found.total ? `${asked.offset + 1} to ${last} of ${found.total}` : "Nothing here yet.";
  fill($("#runs"), found.total ? rows(found.items) : h("p", {}, h("a", { href: "/train" }, "Start a training.")));
  $("#before").hidden = asked.offset === 0;
  $("#after").hidden = last >= found.total;
}

const mainOf = (run) => Object.entries(run.metrics).slice(0, 2).map(([name, value]) => `${name} ${number(value)}`).join(", ");
const baselineOf = (run) => (run.baseline ? `${run.baseline.name}: ${number(run.baseline.metrics[run.baseline.by])}` : "–");

function rows(items) {
  return table("Runs", [
    { name: "choose", title: "Compare", cell: (run) => h("input", { type: "checkbox", checked: chosen.has(run.path), "aria-label": `Compare ${run.name}`, onchange: (event) => choose(run.path, event.target.checked) }) },
    { name: "name", title: "Run", cell: (run) => h("a", { href: `#${run.path}` }, run.name) },
    { name: "status", title: "Status", cell: (run) => state(run.status) },
    { name: "network", title: "Network" },
    { name: "metrics", title: "Test", cell: mainOf },
    { name: "baseline", title: "Best baseline", cell: baselineOf },
    { name: "epochs", title: "Epochs", number: true },
    { name: "seconds", title: "Time", number: true, cell: (run) => duration(run.seconds) },
    { name: "bytes", title: "Disk", number: true, cell: (run) => bytes(run.bytes) },
    { name: "created", title: "Begun", cell: (run) => ago(run.created) },
    { name: "tags", title: "Tags and note", text: true, cell: (run) => [run.tags.map((tag) => [h("span", { class: "tag" }, tag), " "]), run.note] },
  ].map((column) => (column.cell ? { ...column, cell: (row) => { const made = column.cell(row); return Array.isArray(made) ? h("span", {}, made) : made; } } : column)), items);
}

function choose(path, wanted) {
  if (wanted) chosen.add(path); else chosen.delete(path);
  $("#compare").disabled = chosen.size < 2;
  $("#compare").textContent = chosen.size ? `Compare the ${chosen.size} chosen` : "Compare the chosen";
}

async function compare() {
  const paths = [...chosen];
  const found = await trying($("#wrong"), () => ask(`/api/compare?${paths.map((path) => `run=${encodeURIComponent(path)}`).join("&")}`));
  if (!found) return;
  const short = found.runs.map((path) => path.replace(/^runs\//, ""));
  const columns = [{ name: "what", title: "" }, ...short.map((name, i) => ({ name, title: name, cell: (row) => (typeof row.values[i] === "number" ? number(row.values[i]) : String(row.values[i] ?? "–")) }))];
  const part = (title, values) => [h("h3", {}, title), Object.keys(values).length
    ? table(title, columns, Object.entries(values).map(([what, each]) => ({ what, values: each }))) : h("p", { class: "soft" }, "They agree.")];
  const drawn = h("div", {}, h("p", { class: "soft" }, "…")), wrong = h("div", {});
  const judge = h("button", { type: "button", onclick: () => judged(paths, wrong) }, "Judge them on the test items that they share");
  dialog("Side by side", h("div", {}, h("div", { class: "row" }, judge), wrong, part("Metrics", found.metrics), part("Settings that differ", found.settings), part("Facts", found.facts), h("h3", {}, "Curves"), drawn), true);
  const sets = await Promise.all(paths.map(async (path, i) => ({ name: short[i], columns: (await ask(`/api/runs/${path}/metrics`).catch(() => ({ columns: {} }))).columns })));
  fill(drawn, curves(sets, 4));
}

/** A comparison with tests of significance is a job of its own. */
async function judged(paths, place) {
  const job = await trying(place, () => ask("/api/jobs", { method: "POST", body: { kind: "compare", options: { runs: paths } } }));
  if (job) location.assign(`/jobs#${job.id}`);
}

async function open() {
  const path = decodeURIComponent(location.hash.slice(1)), place = $("#one");
  place.hidden = !path;
  if (!path) return;
  fill(place, h("h2", {}, path), h("div", { id: "one-wrong" }));
  const run = await trying($("#one-wrong"), () => ask(`/api/runs/${path}`));
  if (!run) return;
  const address = `/api/runs/${run.path}`;
  fill(place, h("h2", { tabindex: "-1" }, run.name, " ", state(run.status)), h("div", { id: "one-wrong" }),
    run.message ? h("p", { class: "warning" }, run.message) : null, run.verdict ? h("p", {}, run.verdict) : null,
    run.leaks.map((leak) => h("p", { class: leak.startsWith("note") ? "soft" : "warning" }, leak)),
    h("dl", { class: "facts" }, facts(run).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    run.kind === "run" && run.epochs ? h("div", { class: "row" }, h("button", { type: "button", class: "main", onclick: () => keep(run) }, "Keep as a model …")) : null,
    labels(run), h("div", { class: "cards" }, metrics(run), h("div", { class: "card" }, h("h3", {}, "Curves"), h("div", { id: "curves" }))),
    run.has_report ? [h("h3", {}, "Report"), h("p", {}, h("a", { href: `${address}/report`, target: "_blank" }, "Open the report alone")), h("iframe", { class: "report", src: `${address}/report`, title: `Report of ${run.name}` })] : null,
    run.figures.length && !run.has_report ? run.figures.map((name) => h("img", { src: `${address}/figures/${name}`, alt: name })) : null);
  $("h2", place).focus();
  const curve = await ask(`${address}/metrics`).catch(() => null);
  fill($("#curves"), curve ? curves([{ name: "", columns: curve.columns }], 6) : h("p", { class: "soft" }, "There are none."));
}

const facts = (run) => [["Network", run.network ?? "–"], ["Begun", ago(run.created)], ["Took", duration(run.seconds)], ["Epochs", number(run.epochs)],
  ["Disk", bytes(run.bytes)], ["Typed", h("code", {}, run.overrides.join(" "))], run.models.length ? ["Kept as", run.models.join(", ")] : null].filter(Boolean);

function metrics(run) {
  const names = Object.keys(run.metrics);
  const short = (name) => name.replace(/^test\//, "");
  const baselines = run.result.baselines ?? {};
  return h("div", { class: "card" }, h("h3", {}, "Metrics beside baselines"), names.length ? table("Metrics", [
    { name: "name", title: "Metric" }, { name: "value", title: "This run", number: true },
    ...Object.keys(baselines).map((who) => ({ name: who, number: true, cell: (row) => number(baselines[who][short(row.name)]) })),
  ], names.map((name) => ({ name, value: run.metrics[name] }))) : h("p", { class: "soft" }, "None yet."));
}

function labels(run) {
  const tags = h("input", { type: "text", value: run.tags.join(", ") }), note = h("textarea", {}, run.note);
  const save = async (change, said) => {
    if (await trying($("#one-wrong"), () => ask(`/api/runs/${run.path}`, { method: "PATCH", body: change }))) { tell(said); list(); }
  };
  const split = () => tags.value.split(",").map((tag) => tag.trim()).filter(Boolean);
  return h("details", {}, h("summary", {}, "Tags, note, archive, delete"),
    h("div", { class: "fields" }, field("tags", "Tags", tags, "With commas between them."), field("note", "Note", note)),
    h("div", { class: "row" },
      h("button", { type: "button", class: "main", onclick: () => save({ tags: split(), note: note.value }, "Saved.") }, "Save"),
      h("button", { type: "button", onclick: () => save({ archived: !run.archived }, run.archived ? "It is back in the list." : "Archived: it is left out of the list.") }, run.archived ? "Take out of the archive" : "Archive"),
      h("button", { type: "button", class: "danger", onclick: () => remove(run) }, "Delete")));
}

function keep(run) {
  keepAs(run.name, "The weights of its best epoch are kept, with all that is needed to predict.", run.experiment,
    `/api/runs/${run.path}/keep`, (model) => { location.assign(`/models#${model.model}`); });
}

async function remove(run) {
  if (!(await confirmed(`Delete ${run.path} and all that it holds (${bytes(run.bytes)})?`, "Delete"))) return;
  if ((await trying($("#one-wrong"), () => ask(`/api/runs/${run.path}`, { method: "DELETE" }))) === undefined) return;
  location.hash = "";
  list();
}

$("#filters").addEventListener("submit", (event) => event.preventDefault());
$("#compare").addEventListener("click", compare);
for (const [id, step] of [["#before", -PAGE], ["#after", PAGE]]) $(id).addEventListener("click", () => { asked.offset += step; list(false); });
addEventListener("hashchange", open);
showFilters();
await list();
open();
