// The dialog in which what shall be kept is given a name and notes.

import { ask, dialog, field, fill, h, mark, problemBox } from "./core.js";

/** Ask for a name and notes, and send them to `address`; `done` is given its answer. A name that is in use is refused. */
export function keepAs(what, about, proposed, address, done) {
  const stamp = new Date().toISOString().slice(0, 16).replace(/[-:T]/g, "");
  const name = h("input", { type: "text", value: `${proposed}-${stamp}`.toLowerCase().replace(/[^a-z0-9_-]+/g, "-"), required: true });
  const note = h("textarea", {}), wrong = h("div", {}), button = h("button", { class: "main" }, "Keep it");
  const again = h("input", { type: "checkbox" });
  const form = h("form", {}, h("p", {}, about), field("name", "Name", name, "Of a model; a name that is in use is refused, unless you say so below.", "keep"), field("note", "Notes", note, "", "keep"),
    h("label", { class: "choice" }, again, h("span", {}, "If the name is in use: keep it as the next version of that model")), wrong, button);
  const box = dialog(`Keep ${what}`, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    Object.assign(button, { disabled: true, textContent: "Keeping …" });
    try {
      const said = await ask(address, { method: "POST", body: { name: name.value, note: note.value, as_version: again.checked } });
      box.close();
      done(said);
    } catch (error) {
      const left = mark(form, error.errors ?? []);
      fill(wrong, left.length || !error.errors?.length ? problemBox(error) : null);
    }
    Object.assign(button, { disabled: false, textContent: "Keep it" });
  });
}
