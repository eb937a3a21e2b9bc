// Jobs as cards that move by themselves: progress, curve, log, and what can be done with each.

import { $, ago, ask, confirmed, dialog, duration, fill, follow, h, number, state, tell, trying } from "./core.js";
import { curves } from "./curves.js";

const ENDED = ["completed", "failed", "killed", "interrupted", "cancelled", "diverged"];
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
  const ended = ENDED.includes(job.state);
  const found = [];
  if (job.state === "running" || job.state === "queued") found.push(button("Cancel", act(job, "cancel", "Asked to stop; it can be resumed.")));
  if (job.state === "queued") found.push(button("Earlier", () => raise(job)));
  if (["interrupted", "cancelled", "killed", "failed"].includes(job.state)) found.push(button("Resume", act(job, "resume", "It goes on.")));
  if (ended && job.state !== "completed") found.push(button("Start again", act(job, "retry", "A new job begins from the start.")));
  if (ended) found.push(h("a", { class: "button", href: `/runs#${job.path}` }, "Open"));
  found.push(button("Log", () => log(job)));
  if (ended) found.push(button("Delete", () => remove(job), "danger"));
  return h("div", { class: "row" }, found);
}

async function log(job) {
  const text = h("pre", { class: "log", tabindex: "0", "aria-label": "Log" }, "…");
  const box = dialog(`Log of ${job.experiment}`, text, true);
  const read = async () => {
    text.textContent = (await ask(`/api/jobs/${job.id}/log?tail=400`).catch((error) => ({ text: error.message }))).text || "Nothing was printed yet.";
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
    h("p", { class: "soft" }, [`${number(now.done, 4)} of ${number(now.total)} ${now.unit}`, best, left].filter(Boolean).join(" · "))];
}

/** Show a job where it stands; a card that is there already only changes what has changed. */
function put(job) {
  let card = cards.get(job.id);
  if (!card) {
    const element = h("article", { class: "card", id: job.id, "aria-label": `${job.kind} ${job.experiment}` },
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
    fill($(".head", element), h("h3", {}, `${job.experiment} `, state(job.state)),
      h("p", { class: "soft" }, `${job.kind} · `, ago(job.created), job.by ? ` · ${job.by}` : "", ` · ${job.path}`),
      h("details", {}, h("summary", {}, "Command"), h("pre", {}, job.typed)));
    fill($(".acts", element), buttons(job));
  }
  fill($(".bar", element), progress(job));
  fill($(".said", element), job.message ? h("p", { class: job.state === "completed" ? "soft" : "problem" }, job.message) : null);
  draw(card);
}

/** The curve of a run: again whenever another epoch is done. */
async function draw(card) {
  const { job, element } = card;
  const at = `${job.state} ${Math.floor(job.progress?.done ?? 0)}`;
  if (job.kind !== "train" || card.drawn === at || job.state === "queued") return;
  card.drawn = at;
  const metrics = await ask(`/api/runs/${job.path}/metrics`).catch(() => null);
  if (metrics) fill($(".curve", element), curves(metrics, { first: 1 }));
}

async function queue() {
  const now = await ask("/api/queue").catch(() => null);
  if (!now) return;
  $("#queue").textContent = `${now.running} of ${now.slots} slots at work, ${now.queued} waiting${now.paused ? "; the queue is paused" : ""}.`;
  const button = $("#pause");
  button.hidden = false;
  button.textContent = now.paused ? "Let the queue go on" : "Pause the queue";
  button.onclick = async () => {
    await trying($("#wrong"), () => ask("/api/queue", { method: "PATCH", body: { paused: !now.paused } }));
    queue();
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
queue();
document.getElementById(location.hash.slice(1))?.scrollIntoView();
follow("/api/events", (job) => {
  if (!cards.size) fill(place);
  if (!job.state) return;
  put(job);
  queue();
}, ["job"]);
