// Jobs as cards that move by themselves: progress, curve, log, and what can be done with each.

import { $, ago, ask, confirmed, dialog, duration, fill, follow, h, number, state, tell, trying } from "./core.js";
import { curves } from "./curves.js";

const PAGES = { train: "/runs", multirun: "/runs", compare: "/runs", sweep: "/search", rank: "/search", keep: "/models" };
const place = $("#jobs");
const cards = new Map(); // id -> {element, job, open}
let shown = 20;

function act(job, verb, done) {
  return async () => {
    const said = await trying($("#wrong"), () => ask(`/api/jobs/${job.id}/${verb}`, { method: "POST" }));
    if (said) { tell(done); put(said); }
  };
}

async function remove(job) {
  if (!(await confirmed(`Delete this job and its folder ${job.folder}? Its checkpoints and report go too.`, "Delete"))) return;
  await trying($("#wrong"), () => ask(`/api/jobs/${job.id}?folder=true`, { method: "DELETE" }));
  cards.get(job.id)?.element.remove();
  cards.delete(job.id);
}

async function raise(job) {
  const said = await trying($("#wrong"), () => ask(`/api/jobs/${job.id}`, { method: "PATCH", body: { priority: job.priority + 1 } }));
  if (said) { tell("It comes earlier now."); put(said); }
}

function buttons(job) {
  const button = (name, work, kind = "") => h("button", { type: "button", class: kind, onclick: work }, name);
  const can = (verb) => job.can.includes(verb);
  return h("div", { class: "row" },
    can("cancel") && button("Cancel", act(job, "cancel", "Asked to stop; it can be resumed.")),
    job.state === "queued" && button("Earlier", () => raise(job)),
    can("resume") && button("Resume", act(job, "resume", "It goes on.")),
    can("retry") && button("Start again", act(job, "retry", "A new job begins from the start.")),
    job.ended && h("a", { class: "button", href: `${PAGES[job.kind]}#${job.folder}` }, "Open"),
    button("Log", () => log(job)),
    can("delete") && button("Delete", () => remove(job), "danger"));
}

async function log(job) {
  const text = h("pre", { class: "log", tabindex: "0", role: "log", "aria-label": "Log" }, "…");
  const box = dialog(`Log of ${job.experiment || "a comparison"}`, text, true);
  const read = async () => {
    text.textContent = (await ask(`/api/jobs/${job.id}/log?tail=400`).catch((error) => ({ lines: [error.message] }))).lines.join("\n") || "Nothing was printed yet.";
    text.scrollTop = text.scrollHeight;
  };
  await read();
  const timer = setInterval(() => (box.open ? read() : clearInterval(timer)), 2000);
}

function progress(job) {
  const now = job.progress;
  if (!now || !now.total) return job.state === "running" ? [h("progress", { "aria-label": "Progress" }), h("p", { class: "soft" }, "Begins …")] : null;
  const best = now.best ? `best ${now.best.metric ?? ""} ${number(now.best.value)}${now.best.name ? ` (${now.best.name})` : ""}` : null;
  const left = job.state === "running" && now.seconds_left !== null && now.seconds_left !== undefined ? `${duration(now.seconds_left)} left` : null;
  return [h("progress", { value: now.done, max: now.total, "aria-label": `Progress of ${job.experiment}` }),
    h("p", { class: "soft" }, [`${number(Math.floor(now.done))} of ${number(now.total)} ${now.unit}`, best, left].filter(Boolean).join(" · "))];
}

/** Why it did not complete; whoever has cancelled it knows. */
function said(job) {
  if (job.state === "cancelled" && job.attempt && job.can.includes("resume")) return h("p", { class: "soft", title: job.message }, "Stopped as it was asked to. Resume goes on from what it has saved.");
  return job.message ? h("p", { class: job.state === "completed" ? "soft" : "problem" }, job.message) : null;
}

/** Show a job where it stands; a card that is there already only changes what has changed. */
function put(job) {
  let card = cards.get(job.id);
  if (!card) {
    const element = h("article", { class: "card", id: job.id, "aria-label": `${job.kind} ${job.experiment}`.trim() },
      h("div", { class: "head" }), h("div", { class: "bar" }), h("div", { class: "said" }), h("div", { class: "curve" }), h("div", { class: "acts" }));
    const after = [...cards.values()].find((each) => each.job.created < job.created);
    place.insertBefore(element, after?.element ?? null);
    card = { element, job: null, drawn: null };
    cards.set(job.id, card);
  }
  const before = card.job;
  card.job = job;
  const { element } = card;
  if (before?.state !== job.state || !before) {
    fill($(".head", element), h("h3", {}, `${job.experiment || "comparison"} `, state(job.state)), h("p", {}, h("code", {}, job.overrides.join(" ").slice(0, 160))),
      h("p", { class: "soft" }, `${job.kind} · `, ago(job.created), job.by ? ` · ${job.by}` : "", ` · ${job.folder}`),
      h("details", {}, h("summary", {}, "Command"), h("pre", {}, job.typed)));
    fill($(".acts", element), buttons(job));
  }
  fill($(".bar", element), progress(job));
  fill($(".said", element), said(job));
  draw(card);
}

/** The curve of a run: again whenever another epoch is done. */
async function draw(card) {
  const { job, element } = card;
  const at = `${job.state} ${Math.floor(job.progress?.done ?? 0)}`;
  if (job.kind !== "train" || card.drawn === at || job.state === "queued") return;
  card.drawn = at;
  const metrics = await ask(`/api/runs/${job.folder}/metrics`).catch(() => null);
  if (metrics) fill($(".curve", element), curves([{ name: "", columns: metrics.columns }], 1));
}

function showQueue(now) {
  $("#queue").textContent = `${now.running} of ${now.slots} slots at work, ${now.queued} waiting${now.paused ? "; the queue is paused" : ""}.`;
  const button = $("#pause");
  button.hidden = false;
  button.textContent = now.paused ? "Let the queue go on" : "Pause the queue";
  button.onclick = async () => {
    const said = await trying($("#wrong"), () => ask("/api/queue", { method: "PATCH", body: { paused: !now.paused } }));
    if (said) showQueue(said);
  };
}

async function list() {
  const page = await trying($("#wrong"), () => ask(`/api/jobs?limit=${shown}`));
  if (!page) return;
  page.items.forEach(put);
  if (!page.total) fill(place, h("p", {}, "No job yet. ", h("a", { href: "/train" }, "Start one.")));
  $("#more").hidden = page.total <= shown;
}

$("#more").addEventListener("click", () => { shown += 40; list(); });
await list();
document.getElementById(location.hash.slice(1))?.scrollIntoView();
follow("/api/events", (said, kind) => {
  if (kind === "queue") showQueue(said);
  else if (kind === "gone") { cards.get(said.id)?.element.remove(); cards.delete(said.id); }
  else {
    if (!cards.size) fill(place);
    put(said);
  }
}, ["job", "gone", "queue"]);
