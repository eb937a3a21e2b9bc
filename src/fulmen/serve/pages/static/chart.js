// Lines, bands and points as SVG, with a legend; the same numbers stand in a table that opens below.

import { h, number, table } from "./core.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = Math.min(720, Math.max(300, innerWidth - 70)); // about that of the screen, so that letters keep their size
const [HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [260, 62, 12, 10, 34];

function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Round numbers from `low` to `high`, about `count` of them. */
export function ticks(low, high, count = 5) {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= raw * 0.999);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step / 1e6; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

/** The lowest and highest finite value, never equal. */
export function range(values) {
  const finite = values.filter(Number.isFinite);
  if (!finite.length) return [0, 1];
  const low = Math.min(...finite), high = Math.max(...finite);
  return low === high ? [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2] : [low, high];
}

/**
 * A chart of series {name, x: [], y: [], low: [], high: [], points: bool}.
 * What is not finite is left out and breaks the line.
 */
export function chart(title, series, { x = "", y = "", log = false, table: withTable = true } = {}) {
  const drawn = series.filter((each) => each.x.length);
  if (!drawn.length) return h("p", { class: "soft" }, `${title}: nothing to draw yet.`);
  const up = log ? Math.log10 : (value) => value;
  const [x0, x1] = range(drawn.flatMap((each) => each.x));
  const [y0, y1] = range(drawn.flatMap((each) => [...each.y, ...(each.low ?? []), ...(each.high ?? [])]).map(up));
  const px = (value) => LEFT + ((value - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT);
  const py = (value) => HEIGHT - BOTTOM - ((up(value) - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM);
  const whole = drawn.every((each) => each.x.every(Number.isInteger)); // epochs, trials, days
  const decades = log ? ticks(y0, y1).filter(Number.isInteger) : [];
  const label = (value) => number(log ? 10 ** value : value, 3);
  const image = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title },
    ...(decades.length > 1 ? decades : ticks(y0, y1)).flatMap((value) => {
      const height = HEIGHT - BOTTOM - ((value - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM);
      return [svg("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: height, y2: height }),
        svg("text", { x: LEFT - 6, y: height + 4, "text-anchor": "end" }, label(value))];
    }),
    ...ticks(x0, x1, Math.round(WIDTH / 100)).filter((value) => Number.isInteger(value) || !whole).map((value) => svg("text", { x: px(value), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, number(value, 6))),
    svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 3, "text-anchor": "end" }, x),
    svg("text", { x: 4, y: TOP + 4, "text-anchor": "start" }, y),
    ...drawn.flatMap((each, index) => marks(each, look(index), px, py, up)));
  return h("figure", {}, h("figcaption", { class: "soft" }, title), image, legend(drawn), withTable ? numbers(title, drawn, x) : null);
}

/** Five colours; from the sixth series on they come again with dashes. */
const look = (index) => `series-${1 + (index % 5)} dash-${Math.min(2, Math.floor(index / 5))}`;

function marks(series, colour, px, py, up) {
  const places = series.x.map((value, i) => [px(value), py(series.y[i]), Number.isFinite(up(series.y[i]))]);
  if (series.points) {
    return places.filter((place) => place[2]).map(([cx, cy]) => svg("circle", { class: colour, cx, cy, r: 2.2 }));
  }
  let path = "", pen = "M";
  for (const [left, top, there] of places) {
    if (there) path += `${pen}${left.toFixed(1)} ${top.toFixed(1)}`;
    pen = there ? "L" : "M";
  }
  const found = [svg("path", { class: `line ${colour}`, d: path, fill: "none" })];
  if (places.length === 1) found.push(svg("circle", { class: colour, cx: places[0][0], cy: places[0][1], r: 3 }));
  if (series.low && places.length === 1) {
    const [at] = places[0];
    found.push(svg("line", { class: `line ${colour}`, x1: at, x2: at, y1: py(series.low[0]), y2: py(series.high[0]) }));
  } else if (series.low && series.high) {
    const edge = (values) => values.map((value, i) => `${px(series.x[i]).toFixed(1)},${py(value).toFixed(1)}`);
    found.unshift(svg("polygon", { class: `band ${colour}`, points: [...edge(series.high), ...edge(series.low).reverse()].join(" ") }));
  }
  return found;
}

function legend(series) {
  return h("ul", { class: "legend" }, series.map((each, index) => h("li", {},
    svg("svg", { viewBox: "0 0 20 8", "aria-hidden": "true" }, svg("line", { class: `line ${look(index)}`, x1: 0, x2: 20, y1: 4, y2: 4 })),
    ` ${each.name}`)));
}

function numbers(title, series, x) {
  const place = h("div");
  const details = h("details", {}, h("summary", {}, "The numbers"), place);
  details.addEventListener("toggle", () => {
    if (!details.open || place.childElementCount) return;
    const at = [...new Set(series.flatMap((each) => each.x))].sort((a, b) => a - b);
    const maps = series.map((each) => new Map(each.x.map((value, i) => [value, each.y[i]])));
    const columns = [{ name: "x", title: x || "x", number: true },
      ...series.map((each, i) => ({ name: each.name, number: true, cell: (row) => number(maps[i].get(row.x)) }))];
    place.append(h("div", { class: "scroll-y" }, table(title, columns, at.map((value) => ({ x: value })))));
  });
  return details;
}
