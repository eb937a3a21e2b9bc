// Fields for what a kept model is asked, made from its JSON Schema: each can be read as JSON and filled from JSON.

import { $, field, fill, h, mark } from "./core.js";

const kinds = (property) => [property, ...(property.anyOf ?? [])];
const choices = (property) => kinds(property).find((each) => each.enum)?.enum;
const organs = (property) => kinds(property).find((each) => each.type === "object")?.properties;
const isPicture = (property) => kinds(property).some((each) => each.contentEncoding === "base64");
const isNumber = (property) => kinds(property).some((each) => ["number", "integer"].includes(each.type));
export const isTime = (name, property) => /time|date/i.test(`${property.format ?? ""} ${property.description}`) && !isNumber(property);

/** A control for `property`: {element, read(): JSON or undefined, write(value)}. */
export function control(name, property, isNeeded) {
  const unit = property["x-unit"] && property["x-unit"] !== "1" ? ` (${property["x-unit"]})` : "";
  const label = `${name}${unit}${isNeeded ? "" : ", optional"}`;
  if (organs(property)) return several(name, label, organs(property), property.description);
  if (isPicture(property)) return picture(name, label, property.description);
  return plain(name, label, property);
}

function plain(name, label, property) {
  const levels = choices(property), number = isNumber(property);
  const input = levels ? h("select", {}, levels.map((level) => h("option", { value: level }, level))) : h("input", { type: "text", spellcheck: "false" });
  let filled = { text: null, value: undefined }; // what was filled in is sent as it was, though fewer digits are shown
  if (number) input.setAttribute("inputmode", "decimal");
  return {
    element: field(name, label, input, property.description),
    read: () => {
      const text = input.value.trim();
      if (text === "") return undefined; // the service says what is missing
      if (text === filled.text) return filled.value;
      return number && Number.isFinite(Number(text)) ? Number(text) : text;
    },
    write: (value) => {
      input.value = typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value ?? "";
      filled = { text: input.value, value };
    },
  };
}

/** One number for each of several named parts, such as organs. */
function several(name, label, parts, about) {
  const inner = Object.entries(parts).map(([part, property]) => [part, plain(`${name}.${part}`, part, { ...property, type: "number" })]);
  const wrong = h("p", { class: "wrong", role: "alert" });
  return {
    element: h("details", { class: "parts" }, h("summary", {}, label, h("small", {}, ` ${inner.length} values`)), about ? h("p", { class: "hint" }, about) : null,
      h("div", { class: "field", "data-key": name }, wrong), h("div", { class: "fields" }, inner.map(([, each]) => each.element))),
    read: () => Object.fromEntries(inner.map(([part, each]) => [part, each.read()]).filter(([, value]) => value !== undefined)),
    write: (value) => inner.forEach(([part, each], i) => each.write(Array.isArray(value) ? value[i] : value?.[part])),
  };
}

/** A picture is chosen as a file and shown; what is sent is the file in base64. */
function picture(name, label, about) {
  const shown = h("img", { class: "picture", alt: "The picture that is asked about" }), input = h("input", { type: "file", accept: "image/png,image/jpeg" });
  let content;
  const write = (value) => {
    content = value ?? undefined;
    shown.hidden = !value;
    if (value) shown.src = `data:${value.startsWith("/9j/") ? "image/jpeg" : "image/png"};base64,${value}`;
  };
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    const reader = new FileReader();
    reader.onload = () => write(reader.result.split(",")[1]);
    reader.readAsDataURL(file);
  });
  return { element: h("div", {}, field(name, label, input, about), shown), read: () => content, write };
}

/** Show what is wrong beside the fields, those that are folded away opened; returns what belongs to no field. */
export function markInputs(form, errors) {
  const left = mark(form, errors);
  for (const each of form.querySelectorAll("details.parts")) if ([...each.querySelectorAll(".wrong")].some((place) => place.textContent)) each.open = true;
  $("[aria-invalid]", form)?.focus();
  return left;
}

/** Controls for all properties of a row, put into `place`: name -> control. */
export function controls(place, row) {
  const made = new Map(Object.entries(row.properties).map(([name, property]) => [name, control(name, property, row.required.includes(name))]));
  fill(place, [...made.values()].map((each) => each.element));
  return made;
}
