// The form of a training, made from the schema of its experiment; judged while one types.

import { $, Problem, ask, field, fill, h, mark, sentence, settled, tell, trying } from "./core.js";

const KINDS = {
  train: ["Train one run", "One training, with checkpoints and a report."],
  multirun: ["Train several", "Values with commas (0.1,0.01) or glob(*) give a run each."],
  sweep: ["Search", "Optuna tries values of what the search space names."],
  rank: ["Rank", "All networks of the experiment and its baselines on the same folds."],
};
const OPTIONS = {
  multirun: [],
  sweep: [
    ["search", "Strategy", ["random", "grid", "tpe"], "tpe is the Bayesian one."],
    ["search/space", "Search space", null, "Empty: the space of the experiment's workload."],
    ["search.trials", "Trials", null, "How many settings are tried."],
    ["search.workers", "Workers", null, "Trials at the same time."],
  ],
  rank: [
    ["metric", "Metric to rank by", null, "Empty: the first one of the workload."],
    ["folds", "Folds", null, "5 unless said otherwise."],
    ["seeds", "Seeds", null, "Networks for each fold; 1 unless said otherwise."],
    ["save_top", "Keep the best", null, "So many of the best rows become kept models."],
  ],
};
const HIDDEN_GROUPS = new Set(["experiment", "model", "logger"]);
const DAILY = new Set(["seed", "seeds", "folds", "monitor", "trainer.max_epochs", "trainer.accelerator", "trainer.devices",
  "trainer.precision", "model.optimizer.lr", "model.optimizer.weight_decay", "callbacks.early_stopping.patience"]);
const CHOSEN_ELSEWHERE = new Set(["experiment", "output_dir", "resume", "defaults"]); // by this form and the queue
const NOT_DAILY = new Set(["data.cache", "data.fold", "data.download", "data.start", "data.end", "data.database", "data.query", "data.snapshot"]);
const FILES = new Set(["data.csv", "data.path", "data.file", "data.root"]);

const form = $("#train");
const asked = { experiment: null, kind: "train", groups: new Map(), values: new Map(), options: new Map() };

function overrides() {
  const extra = $("#extra").value.split("\n").map((line) => line.trim()).filter(Boolean);
  const chosen = [...asked.groups].map(([group, choice]) => `${group}=${choice}`);
  const own = asked.kind === "sweep" ? [...asked.options].map(([key, value]) => `${key}=${value}`) : [];
  return [...own, ...chosen, ...[...asked.values].map(([path, value]) => `${path}=${value}`), ...extra];
}

function request() {
  const options = asked.kind === "rank" ? Object.fromEntries([...asked.options].map(([key, value]) => [key, key === "metric" ? value : Number(value)])) : {};
  return { kind: asked.kind, experiment: asked.experiment, overrides: overrides(), options };
}

const judged = settled(async () => {
  try {
    const said = await ask("/api/judge", { method: "POST", body: request() });
    $("#command").textContent = said.command;
    show(said.errors, said.works);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    show(error.errors.length ? error.errors : [{ key: "", problem: error.message }], error.works);
  }
});

/** Have the form judged; what was said of it before is no longer true. */
function judge() {
  $("#judged").textContent = "Checking …";
  judged();
}

function show(errors, works) {
  const left = mark(form, errors);
  fill($("#wrong"), left.length ? h("div", { class: "problem", role: "alert" }, h("ul", {}, left.map((each) =>
    h("li", {}, each.key ? h("code", {}, `${each.key}: `) : "", sentence(each))))) : null,
    errors.length && works ? h("p", {}, "This works: ", h("code", {}, works)) : null);
  $("#judged").textContent = errors.length ? "There is a mistake." : "No mistake found.";
  $("#start").disabled = errors.length > 0;
}

function input(argument) {
  const given = asked.values.get(argument.path);
  const plain = shown(argument.value);
  const changed = (element) => element.closest(".field").classList.toggle("changed", asked.values.has(argument.path));
  const hear = (event) => {
    const value = event.target.value.trim();
    if (value === "" || value === plain) asked.values.delete(argument.path);
    else asked.values.set(argument.path, quoted(value, argument.type));
    changed(event.target);
    judge();
  };
  const choices = argument.type.startsWith("true or false") ? ["true", "false", ...(argument.type.includes("null") ? ["null"] : [])] : argument.choices.map(shown);
  if (choices.length && !/number|text|list/.test(argument.type.replace("true or false", ""))) {
    const known = choices.includes(plain) ? choices : [plain, ...choices];
    return h("select", { onchange: hear }, known.map((choice) => h("option", { value: choice, selected: choice === (given ?? plain) }, choice)));
  }
  const element = h("input", { type: "text", spellcheck: "false", placeholder: plain, value: given ?? "", oninput: hear });
  if (/number/.test(argument.type)) element.setAttribute("inputmode", "decimal");
  if (FILES.has(argument.path)) element.setAttribute("list", "files");
  return element;
}

/** A value as one types it after `=`. */
function shown(value) {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return `[${value.map(shown).join(",")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([key, item]) => `${key}:${shown(item)}`).join(",")}}`;
  return String(value);
}

/** A text with signs that Hydra reads otherwise, in quotes. */
function quoted(value, type) {
  return /text/.test(type) && /[\s,=()[\]{}:'"]/.test(value) && !/^[[{'"]/.test(value) && asked.kind !== "multirun" ? `'${value.replaceAll("'", "\\'")}'` : value;
}

const isPlain = (argument) => !/_target_ node/.test(argument.type) || !/makes/.test(argument.type);
const asField = (argument) => {
  const made = field(argument.path, argument.path, input(argument), [argument.about, `(${argument.type})`].filter(Boolean).join(" "));
  made.classList.toggle("changed", asked.values.has(argument.path));
  return made;
};

function showGroups(groups) {
  fill($("#groups"), groups.filter((group) => !HIDDEN_GROUPS.has(group.name) && (Object.keys(group.choices).length > 1 || !group.chosen)).map((group) => {
    const none = group.chosen ? [] : [["", "–"]];
    const choices = [...none, ...Object.keys(group.choices).map((name) => [name, name])];
    const select = h("select", { onchange: (event) => {
      if (event.target.value) asked.groups.set(group.name, event.target.value);
      else asked.groups.delete(group.name);
      load();
    } }, choices.map(([value, name]) => h("option", { value, selected: value === (asked.groups.get(group.name) ?? group.chosen ?? "") }, name)));
    return field(group.name, group.name, select, group.choices[select.value] || "");
  }));
}

/** Of a ranking, folds and seeds are options and no arguments. */
const isOption = (argument) => asked.kind === "rank" && ["folds", "seeds"].includes(argument.path);

function showArguments(schema) {
  const nodes = schema.nodes.map((node) => ({ ...node, arguments: node.arguments.filter(isPlain) }));
  const daily = (argument, path) => DAILY.has(argument.path) || ((path === "data" || path === "model") && !NOT_DAILY.has(argument.path));
  fill($("#daily"), nodes.flatMap((node) => node.arguments.filter((each) => daily(each, node.path)).map(asField)),
    schema.top.filter((each) => DAILY.has(each.path) && !isOption(each)).map(asField));
  const top = { path: "The run", target: "", about: "", arguments: schema.top.filter((each) => !CHOSEN_ELSEWHERE.has(each.path) && !isOption(each)) };
  fill($("#nodes"), [top, ...nodes].map((node) => [node, node.arguments.filter((each) => !daily(each, node.path))]).filter(([, left]) => left.length).map(([node, left]) =>
    h("details", {}, h("summary", {}, node.path, h("small", {}, ` ${node.target}`)), node.about ? h("p", { class: "soft" }, node.about) : null,
      h("div", { class: "fields" }, left.map(asField)))));
}

$("#find").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const details of document.querySelectorAll("#nodes > details")) {
    let any = false;
    for (const each of details.querySelectorAll(".field")) {
      each.hidden = !words.every((word) => each.textContent.toLowerCase().includes(word));
      any ||= !each.hidden;
    }
    details.hidden = !any;
    details.open = any && words.length > 0;
  }
  $("#none").hidden = [...document.querySelectorAll("#nodes > details")].some((details) => !details.hidden);
});

function showOptions() {
  const box = $("#kind-options"), known = OPTIONS[asked.kind] || [];
  box.hidden = !known.length;
  $("legend", box).textContent = KINDS[asked.kind][0];
  fill($(".fields", box), known.map(([key, label, choices, hint]) => {
    const hear = (event) => {
      if (event.target.value) asked.options.set(key, event.target.value);
      else asked.options.delete(key);
      judge();
    };
    const element = choices ? h("select", { onchange: hear }, choices.map((choice) => h("option", { value: choice }, choice))) : h("input", { type: "text", oninput: hear });
    if (choices) asked.options.set(key, choices[0]);
    return field(key, label, element, hint, "option");
  }));
}

async function load() {
  const query = [...asked.groups].map(([group, choice]) => `override=${encodeURIComponent(`${group}=${choice}`)}`).join("&");
  const described = await trying($("#wrong"), () => ask(`/api/schema/${encodeURIComponent(asked.experiment)}?${query}`));
  if (!described) return;
  asked.schema = described.experiment;
  showGroups(described.experiment.groups);
  showArguments(described.experiment);
  judge();
}

/** Files of the data folders and one's own uploads are offered where an argument takes a file. */
async function offerFiles() {
  const found = await ask("/api/data?limit=2000").catch(() => ({ items: [] }));
  fill($("#files"), found.items.map((file) => h("option", { value: file.value }, file.name)));
}

async function upload(event) {
  const [file] = event.target.files, form = new FormData();
  if (!file) return;
  form.append("file", file);
  $("#uploaded").textContent = `${file.name} is being sent …`;
  const sent = await trying($("#wrong"), () => ask("/api/uploads", { method: "POST", form }));
  event.target.value = "";
  $("#uploaded").textContent = sent ? `${sent.name} is offered where an argument takes a file.` : "";
  await offerFiles();
  const [takes] = [...FILES].map((path) => $(`[data-key="${path}"] input`)).filter(Boolean);
  if (!sent || !takes) return;
  takes.value = sent.value;
  takes.dispatchEvent(new Event("input"));
}

async function begin() {
  const experiments = await trying($("#wrong"), () => ask("/api/experiments"));
  if (!experiments) return;
  document.body.append(h("datalist", { id: "files" }));
  await offerFiles();
  const wanted = new URLSearchParams(location.search).get("experiment");
  const select = h("select", { onchange: (event) => {
    Object.assign(asked, { experiment: event.target.value, groups: new Map(), values: new Map() });
    $("#field-experiment-hint").textContent = experiments.items.find((each) => each.name === asked.experiment).about;
    load();
  } }, experiments.items.map((each) => h("option", { value: each.name, selected: each.name === wanted }, each.name)));
  const kind = h("select", { onchange: (event) => {
    Object.assign(asked, { kind: event.target.value, options: new Map() });
    $("#field-kind-hint").textContent = KINDS[asked.kind][1];
    for (const name of ["folds", "seeds"]) asked.values.delete(name);
    showOptions();
    if (asked.schema) showArguments(asked.schema);
    judge();
  } }, Object.entries(KINDS).map(([value, [name]]) => h("option", { value }, name)));
  asked.experiment = select.value;
  fill($("#what"), field("experiment", "Experiment", select, experiments.items.find((each) => each.name === select.value)?.about),
    field("kind", "What to do", kind, KINDS.train[1]));
  await load();
}

$("#extra").addEventListener("input", judge);
$("#upload").addEventListener("change", upload);
$("#copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText($("#command").textContent);
  tell("Copied.");
});
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  $("#start").disabled = true;
  const job = await trying($("#wrong"), () => ask("/api/jobs", { method: "POST", body: request() }));
  if (job) location.assign(`/jobs#${job.id}`);
  else $("#start").disabled = false;
});
begin();
