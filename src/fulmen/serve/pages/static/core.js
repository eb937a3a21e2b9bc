// What every page uses: asking the service, building elements, saying what went wrong, numbers and times in words.

/** An answer of the service that is a refusal: `detail`, `errors` [{key, problem, cure}], `works`, `status`. */
export class Problem extends Error {
  constructor(said, status) {
    super(said.detail || said.title || `The service answered ${status}.`);
    this.status = status;
    this.errors = said.errors || [];
    this.works = said.works || null;
    this.request = said.request_id || null;
  }
}

/** The JSON that `path` answers with. `body` is sent as JSON, `form` as it is.
 * @throws {Problem} */
export async function ask(path, { method = "GET", body, form, accept = "application/json" } = {}) {
  const headers = { Accept: accept };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? form : JSON.stringify(body) });
  } catch {
    throw new Problem({ detail: "The service does not answer. Is it still running?" }, 0);
  }
  if (response.status === 401 && location.pathname !== "/login") location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  if (!response.ok) {
    throw new Problem(await response.json().catch(() => ({})), response.status);
  }
  if (response.status === 204) return null;
  return accept === "application/json" ? response.json() : response.text();
}

/** An element: `h("button", { type: "button", onclick: f }, "Start")`. Children that are null or false are left out. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = value;
    else if (key in element && typeof value !== "string") element[key] = value;
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const $ = (selector, within = document) => within.querySelector(selector);

/** Put `children` in the place of all that `parent` holds. */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return parent;
}

/** One line for a moment, read out by screen readers. */
export function tell(text) {
  const line = h("p", {}, text);
  $("#told").append(line);
  setTimeout(() => line.remove(), 8000);
}

/** What a refusal says: the line, each key with its problem and cure, and a command that works. */
export function problemBox(error) {
  if (!(error instanceof Problem)) console.error(error);
  const errors = error.errors || [];
  return h("div", { class: "problem", role: "alert" },
    errors.length ? null : h("p", {}, error.message),
    errors.length ? h("ul", {}, errors.map((each) =>
      h("li", {}, each.key ? h("code", {}, each.key) : null, each.key ? ": " : "", sentence(each)))) : null,
    error.works ? h("p", {}, "This works: ", h("code", {}, error.works)) : null);
}

/** Run `work`; what it is refused for is shown in `place`, which is emptied before. */
export async function trying(place, work) {
  fill(place);
  try {
    return await work();
  } catch (error) {
    fill(place, problemBox(error));
    return undefined;
  }
}

/** Ask before something is done that cannot be taken back. */
export function confirmed(question, word) {
  return new Promise((resolve) => {
    const close = (answer) => { box.close(); box.remove(); resolve(answer); };
    const box = h("dialog", { "aria-label": question, oncancel: () => close(false) },
      h("p", {}, question),
      h("div", { class: "row end" },
        h("button", { type: "button", onclick: () => close(false) }, "Leave it"),
        h("button", { type: "button", class: "danger", onclick: () => close(true) }, word)));
    document.body.append(box);
    box.showModal();
  });
}

/** A dialog with a title and a button that closes it. */
export function dialog(title, content, broad = false) {
  const box = h("dialog", { class: broad ? "broad" : "", "aria-label": title, onclose: () => box.remove() },
    h("div", { class: "row" }, h("h2", {}, title)), content,
    h("div", { class: "row end" }, h("button", { type: "button", onclick: () => box.close() }, "Close")));
  document.body.append(box);
  box.showModal();
  return box;
}

export function number(value, digits = 4) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return value.toLocaleString("en");
  return Number(value.toPrecision(digits)).toString();
}

export function bytes(size) {
  if (size === null || size === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = size < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(size) / 3));
  return `${number(size / 1000 ** step, 3)} ${units[step]}`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 10) return `${number(Math.max(0, seconds), 2)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

export function ago(iso) {
  if (!iso) return "–";
  const seconds = (Date.now() - Date.parse(iso)) / 1000;
  const text = seconds < 5 ? "now" : seconds < 86400 ? `${duration(seconds)} ago` : new Date(iso).toLocaleDateString("en-CA");
  return h("time", { datetime: iso, title: new Date(iso).toLocaleString("en-CA") }, text);
}

setInterval(() => { for (const time of document.querySelectorAll("time")) time.textContent = ago(time.dateTime).textContent; }, 10000);

/** The place of a row, the first three as medals. */
export const place = (number) => (number <= 3 ? h("span", { class: `medal medal-${number}` }, String(number)) : String(number));

/** `1 row`, `3 rows`. */
export const count = (amount, what) => `${number(amount)} ${what}${amount === 1 ? "" : "s"}`;

export const state = (word) => h("span", { class: `state ${word}` }, word);

/** A table. Columns: {name, title, number, text, cell(row)}; `head(column)` may return what stands in its heading. */
export function table(caption, columns, rows, { best = () => false, head = null } = {}) {
  return h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {},
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, columns.map((column) =>
        h("th", { scope: "col", class: column.number ? "number" : "" }, head ? head(column) : column.title ?? column.name)))),
      h("tbody", {}, rows.map((row) => h("tr", { class: best(row) ? "best" : "" }, columns.map((column) =>
        h("td", { class: [column.number ? "number" : "", column.text ? "text" : ""].join(" ").trim() },
          column.cell ? column.cell(row) : column.number ? number(row[column.name]) : row[column.name] ?? "–")))))));
}

/** A label, its field, what it means, and a place for what is wrong with it; a dialog has a prefix of its own. */
export function field(name, label, input, hint, prefix = "field") {
  const id = `${prefix}-${name.replace(/[^\w-]/g, "-")}`;
  input.id = id;
  input.setAttribute("aria-describedby", `${id}-hint ${id}-wrong`);
  return h("div", { class: "field", "data-key": name },
    h("label", { for: id }, label), input,
    h("p", { class: "hint", id: `${id}-hint` }, hint || ""), h("p", { class: "wrong", id: `${id}-wrong`, role: "alert" }));
}

/** A problem and its cure as sentences. */
export const sentence = ({ problem, cure }) => `${problem}${/[.!?]$/.test(problem) ? "" : "."}${cure ? ` Try ${cure}.` : ""}`;

/** Show what is wrong beside the fields of a form; returns the errors that belong to no field. */
export function mark(form, errors) {
  for (const each of form.querySelectorAll(".field")) {
    const own = errors.filter((error) => error.key === each.dataset.key);
    const input = $("input, select, textarea", each);
    if (own.length) input?.setAttribute("aria-invalid", "true");
    else input?.removeAttribute("aria-invalid");
    fill($(".wrong", each), own.map((error) => sentence(error)).join(" "));
  }
  return errors.filter((error) => !form.querySelector(`[data-key="${CSS.escape(error.key || "")}"]`));
}

/** Call `hear(message)` for every event of `path`; the browser connects again by itself. Returns what ends it. */
export function follow(path, hear, names = ["message"]) {
  const source = new EventSource(path);
  for (const name of names) source.addEventListener(name, (event) => hear(JSON.parse(event.data), name));
  return () => source.close();
}

/** Call `work` at once, then again `wait` milliseconds after the last of several calls. */
export function settled(work, wait = 300) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(work, wait); };
}
