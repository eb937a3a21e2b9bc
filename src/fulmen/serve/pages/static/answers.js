// What a kept model has answered, shown as its workload is read: a decision, a forecast, concentrations; and as a table.

import { $, ask, count, h, number, table, tell, trying } from "./core.js";
import { chart } from "./chart.js";

const MOST = 500; // rows of a table that are shown; the file holds all

/** The answer `said`; `rows` that were asked for by hand, the last of them typed, null for a file. */
export function answer(said, rows, facts) {
  const labels = said.columns.filter((column) => /^p[(_]/.test(column.name));
  const body = labels.length && rows ? [verdict(said, labels, facts.threshold), sent(rows.at(-1))] : said.intervals.length ? [forecast(said, rows ?? [])] : said.columns.some((column) => column.name === "organ") ? [concentrations(said)] : [];
  return [
    h("h2", {}, `Answer of ${said.model}`),
    said.outside.length ? h("div", { class: "warning" }, h("p", {}, "Outside what the model has seen in training:"), h("ul", {}, said.outside.slice(0, 20).map((each) => h("li", {}, each.message)))) : null,
    said.warnings.filter((each) => !said.outside.some((other) => each.includes(other.name) && /outside/.test(each))).map((each) => h("p", { class: "warning" }, each)),
    body, rows ? null : decisions(said),
    h("h3", {}, "Table"),
    h("div", { class: "scroll-y" }, table(said.rows.length > MOST ? `The first ${MOST} of ${said.rows.length} rows` : count(said.rows.length, "row"),
      said.columns.map((column) => ({ name: column.name, title: column.unit ? `${column.name} (${column.unit})` : column.name, number: typeof said.rows[0]?.[column.name] === "number" })), said.rows.slice(0, MOST))),
    h("button", { type: "button", onclick: () => download(said) }, "Save as CSV"),
  ];
}

/** A decision in words, with a bar for each probability. */
function verdict(said, labels, threshold) {
  const row = said.rows.at(-1), chosen = row.decision ?? row.class, needs = said.workload === "sensors" && chosen === "1";
  const colour = said.workload !== "sensors" ? "" : needs ? "bad" : said.outside.length ? "warn" : "good";
  const name = (column) => column.name.replace(/^p\((.*)\)$/, "$1").replace(/^p_/, "");
  return h("div", { class: "card" }, h("p", {}, "The model says: ", h("strong", { class: colour, id: "decision" }, words(chosen, said.workload)),
      threshold !== null && chosen in { 0: "", 1: "" } ? ` (${words("1", said.workload)} from a probability of ${number(100 * threshold, 3)} % on)` : ""),
    h("div", { class: "probability" }, labels.map((column) => [h("span", {}, words(name(column), said.workload)),
      h("meter", { min: 0, max: 1, value: row[column.name], "aria-label": `Probability of ${name(column)}` }), h("span", { class: "number" }, `${number(100 * row[column.name], 3)} %`)])),
    needs ? alertButton(said) : null);
}

const words = (label, workload) => (workload === "sensors" ? { 0: "no maintenance needed", 1: "maintenance needed" }[label] ?? label : label);

/** How many rows of a file there are of each decision. */
function decisions(said) {
  const column = ["decision", "class"].find((name) => said.columns.some((each) => each.name === name));
  if (!column) return null;
  const amounts = new Map();
  for (const row of said.rows) amounts.set(row[column], (amounts.get(row[column]) ?? 0) + 1);
  return h("p", {}, [...amounts].map(([label, amount]) => `${words(label, said.workload)}: ${count(amount, "row")}`).join(", "), ".");
}

function alertButton(said) {
  const button = h("button", { type: "button", class: "danger", hidden: true, onclick: async () => {
    const sent = await trying($("#wrong"), () => ask("/api/alerts", { method: "POST", body: { model: said.model, row: said.rows.at(-1) } }));
    if (sent === null) tell("The alert was sent.");
  } }, "Send an alert");
  ask("/api/alerts").then((now) => { button.hidden = !now.configured; });
  return button;
}

const sent = (row) => h("details", {}, h("summary", {}, "The input as sent"), h("pre", {}, JSON.stringify(row, null, 1).slice(0, 4000)));

/** Forecasts with their widest interval: of the last day after the closes that were typed, or day after day of a file. */
function forecast(said, rows) {
  const [widest] = [...said.intervals].sort((a, b) => b.level - a.level), day = said.rows.at(-1).day;
  const last = said.rows.filter((row) => row.day === day), ahead = last.length > 1 || rows.length > 1;
  const drawn = ahead ? last : said.rows.filter((row) => row.horizon === 1), closes = rows.map((row) => Number(row.Close)).slice(-60);
  const known = closes.length ? [{ name: "close", x: closes.map((_, i) => i + 1 - closes.length), y: closes }] : [];
  return chart(ahead ? `Forecast from ${day}` : "Forecast for the next day, day by day", [...known, {
    name: `${widest.of}, with the ${100 * widest.level} % interval`, x: drawn.map((row, i) => (ahead ? row.horizon : i)), y: drawn.map((row) => row[widest.of]),
    low: drawn.map((row) => row[widest.low]), high: drawn.map((row) => row[widest.high]) }], { x: ahead ? "trading days ahead" : "day", table: false });
}

function concentrations(said) {
  const value = said.columns.find((column) => /concentration/.test(column.name)) ?? said.columns.at(-1);
  const time = said.columns.find((column) => /^time/.test(column.name)), first = said.rows[0], key = said.columns[0].name;
  const own = said.rows.filter((row) => row[key] === first[key]);
  const organs = [...new Set(own.map((row) => row.organ))];
  return chart(`Concentrations of the first subject (${value.unit ?? ""})`, organs.map((organ) => {
    const rows = own.filter((row) => row.organ === organ);
    return { name: organ, x: rows.map((row) => row[time.name]), y: rows.map((row) => row[value.name]) };
  }), { x: time?.unit ?? "h", table: false, log: steep(own.map((row) => row[value.name])) });
}

/** Whether values are best drawn on a logarithmic scale: all above 0, over more than two decades. */
const steep = (values) => Math.min(...values) > 0 && Math.max(...values) > 100 * Math.min(...values);

function download(said) {
  const quote = (value) => (/[",\n]/.test(String(value ?? "")) ? `"${String(value).replaceAll('"', '""')}"` : value ?? "");
  const lines = [said.columns.map((column) => quote(column.name)), ...said.rows.map((row) => said.columns.map((column) => quote(row[column.name])))];
  const url = URL.createObjectURL(new Blob([lines.map((line) => line.join(",")).join("\n"), "\n"], { type: "text/csv" }));
  h("a", { href: url, download: `${said.model.replace(":", "-")}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
