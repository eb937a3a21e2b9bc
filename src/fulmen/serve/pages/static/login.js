// A key is shown once; after that this browser has a cookie that no script can read.

import { $, ask, trying } from "./core.js";

$("#login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const said = await trying($("#wrong"), () => ask("/api/login", { method: "POST", body: { key: $("#key").value.trim() } }));
  const next = new URLSearchParams(location.search).get("next") ?? "/";
  if (said) location.assign(next.startsWith("/") && !next.startsWith("//") ? next : "/");
});
