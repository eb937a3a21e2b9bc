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
document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }); // it may be out of sight on a phone
