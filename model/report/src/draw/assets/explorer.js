// Chooses steps: asks the server what a run leads to, and draws the answer. Keys: u takes the last step back.
"use strict";
(() => {
  const { el } = Zus;
  const id = name => document.getElementById(name);
  let place = null, asking = false;
  // The drawing is markup of the program that serves this page, with every name in it escaped there (draw/svg.rs).
  const drawing = place => new DOMParser().parseFromString(place.drawing, "text/html");
  const start = Zus.read("place");
  const view = new Zus.View(id("view"), start.scene, drawing(start), { follow: false, heading: "h1", onselect: () => cutLabel() });
  window.zus = view;

  function show(next) {
    place = next;
    view.load(place.scene, drawing(place));
    if (place.scene.events.length) view.select(place.scene.events.length - 1, true);
    const grouped = new Map();
    for (const choice of place.enabled) grouped.set(choice.who, [...(grouped.get(choice.who) || []), choice]);
    id("enabled").replaceChildren(...[...grouped].flatMap(([who, choices]) => [el("h3", {}, who), ...choices.map(choice =>
      el("button", { type: "button", class: "act", onclick: () => ask([...place.steps, choice.step]) }, choice.says))]),
      ...(place.enabled.length ? [] : [el("p", {}, "Nothing more can happen in this scenario.")]));
    id("properties").replaceChildren(
      el("p", { class: "props" }, place.properties.map(p => el("span", { class: `verdict ${p.verdict}`,
        title: `${p.text}${p.verdict === "holds" ? (p.property[0] === "W" ? " (not reached yet)" : " (so far)") : ""}` }, p.property))),
      ...place.properties.filter(p => p.because).map(p => el("p", { class: "no" }, p.because)));
    id("blocked").replaceChildren(...place.blocked.map(b => el("p", { class: "no" }, b.says, el("em", {}, b.because))));
    id("undo").disabled = !place.steps.length;
    cutLabel();
  }
  function cutLabel() {
    const event = place && place.scene.events[view.selected];
    id("cut").disabled = !event || event.step >= place.steps.length;
  }
  async function ask(steps) {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch("/at", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ steps }) });
      const body = await answer.json();
      id("problem").textContent = answer.ok ? "" : body.error;
      if (answer.ok) show(body);
    } catch (error) { id("problem").textContent = `zus explore does not answer: ${error.message}`; } finally { asking = false; }
  }
  id("undo").addEventListener("click", () => ask(place.steps.slice(0, -1)));
  id("cut").addEventListener("click", () => ask(place.steps.slice(0, place.scene.events[view.selected].step)));
  id("save").addEventListener("click", () => Zus.save("run.json", place.trace, "application/json"));
  document.addEventListener("keydown", event => {
    if (event.key === "u" && !event.target.closest("input, textarea") && place.steps.length) ask(place.steps.slice(0, -1));
  });
  show(start);
})();
