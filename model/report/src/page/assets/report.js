// Opens the runs of the report in the viewer; the address names the open one: #run=run-3.
"use strict";
(() => {
  const dialog = document.getElementById("dialog"), root = document.getElementById("view");
  function open(id) {
    const data = document.getElementById(id);
    if (!data || !/^run-\d+$/.test(id)) return;
    const [scene, mermaid] = JSON.parse(data.textContent);
    const drawing = document.getElementById(`${id}-drawing`).content;
    if (!dialog.open) dialog.showModal();
    const close = Zus.el("button", { type: "button", onclick: () => dialog.close() }, "Close (Esc)");
    window.zus = new Zus.View(root, scene, drawing, { mermaid, follow: false, heading: "h2", extra: close });
    zus.chart.focus();
    history.replaceState(null, "", `#run=${id}`);
  }
  document.addEventListener("click", event => {
    const button = event.target.closest("button[data-run]");
    if (button) open(button.dataset.run);
  });
  // The event comes later than what it tells: by then another run may be open.
  dialog.addEventListener("close", () => { if (dialog.open) return; root.replaceChildren(); history.replaceState(null, "", location.pathname); });
  document.getElementById("theme").addEventListener("click", Zus.theme);
  const wanted = new URLSearchParams(location.hash.slice(1)).get("run");
  if (wanted) open(wanted);
})();
