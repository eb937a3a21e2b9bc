// The switch between light and dark, remembered by this browser.

const root = document.documentElement;
const button = document.querySelector("#scheme");
const dark = () => (root.dataset.scheme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

function show() {
  button.textContent = dark() ? "Light" : "Dark";
  button.setAttribute("aria-label", `Use ${dark() ? "light" : "dark"} colours`);
}

if (localStorage.scheme) root.dataset.scheme = localStorage.scheme;
button.addEventListener("click", () => {
  root.dataset.scheme = localStorage.scheme = dark() ? "light" : "dark";
  show();
});
show();

/** Whose key this browser has shown, and a way to forget it. */
async function who() {
  const answer = await fetch("/api/session").catch(() => null), said = answer?.ok ? await answer.json() : { name: "" };
  if (!said.name) return;
  const out = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: `${said.name} (${said.role}): log out` });
  out.addEventListener("click", async () => { await fetch("/api/logout", { method: "POST" }); location.assign("/login"); });
  button.before(out);
}
if (location.pathname !== "/login") who();
document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }); // it may be out of sight on a phone
