// The curves of runs: training and validation of one metric in one chart.

import { h } from "./core.js";
import { chart } from "./chart.js";

const PARTS = /^(train|val)\//;

/** Charts of sets [{name, columns: {epoch: [], "train/loss": []}}], losses first; `first`: how many at most. */
export function curves(sets, first = 100) {
  const names = new Set(sets.flatMap((set) => Object.keys(set.columns).filter((name) => PARTS.test(name)).map((name) => name.replace(PARTS, ""))));
  const ordered = [...names].sort((a, b) => (b === "loss") - (a === "loss") || a.localeCompare(b)).slice(0, first);
  if (!ordered.length) return h("p", { class: "soft" }, "No epoch is over yet.");
  return ordered.map((name) => chart(name, sets.flatMap((set) => ["train", "val"].map((part) => line(set, `${part}/${name}`))), { x: "epoch" }));
}

function line(set, column) {
  const values = set.columns[column] ?? [];
  const kept = values.map((value, row) => [set.columns.epoch?.[row] ?? row, value]).filter(([, value]) => Number.isFinite(value));
  return { name: set.name ? `${set.name} ${column}` : column, x: kept.map(([at]) => at), y: kept.map(([, value]) => value) };
}
