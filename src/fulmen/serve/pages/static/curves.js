// The curves of a run: training and validation of one metric in one chart.

import { h } from "./core.js";
import { chart } from "./chart.js";

const PARTS = /^(train|val)\//;

/** Charts of metrics {columns: [], rows: [{epoch, "train/loss": ...}]}: losses first; `first`: how many at most. */
export function curves(metrics, { first = 100, runs = null } = {}) {
  const sets = runs ?? [{ name: "", metrics }];
  const names = new Set(sets.flatMap((set) => set.metrics.columns.filter((name) => PARTS.test(name)).map((name) => name.replace(PARTS, ""))));
  const ordered = [...names].sort((a, b) => (b === "loss") - (a === "loss") || a.localeCompare(b)).slice(0, first);
  if (!ordered.length) return h("p", { class: "soft" }, "No epoch is over yet.");
  return ordered.map((name) => chart(name, sets.flatMap((set) => ["train", "val"].map((part) => line(set, `${part}/${name}`))).filter((each) => each.x.length), { x: "epoch" }));
}

function line(set, column) {
  const rows = set.metrics.rows.filter((row) => Number.isFinite(row[column]));
  return { name: set.name ? `${set.name} ${column}` : column, x: rows.map((row) => row.epoch), y: rows.map((row) => row[column]) };
}
