// The viewer: shows the drawing that draw/svg.rs made of a scene, and lets one walk through it. Where things stand is
// said there; here they are shown, hidden, and scrolled to. No library, nothing from elsewhere; what a scene says is only
// ever put into text nodes and attributes, never into markup.
"use strict";
const Zus = (() => {
  const KINDS = {
    beacon: "beacon", proposal: "proposals", selection: "selections", ticket: "tickets", notarization: "notarizations",
    leave: "leaving a round", adopt: "adopting", timeout: "timeouts", timeout_certificate: "timeout certificates",
    enter_subround: "entering a subround", vote: "finality votes", finality_certificate: "finality certificates",
    finalize: "finalizing", handoff: "handoff certificates", enter_epoch: "entering an epoch", crash: "crashes", restart: "restarts", network: "network",
  };

  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
    return node;
  }
  const copyOf = node => node.cloneNode(true);
  function move(node, x, y, across = 1, down = 1) { node.setAttribute("transform", `matrix(${across} 0 0 ${down} ${x} ${y})`); }

  class View {
    // `drawing`: what svg.rs made of the scene, an element or a fragment. `options.mermaid`: text to copy. `options.follow`: whether the address names the step. `options.compact`: no header.
    constructor(root, scene, drawing, options) {
      this.root = root;
      // One view at a time: the one before it no longer hears keys.
      if (root.view) root.view.dispose();
      root.view = this;
      this.ended = new AbortController();
      this.options = Object.assign({ follow: true, heading: "h1" }, options);
      this.hiddenLanes = new Set();
      this.hiddenKinds = new Set();
      this.build();
      this.load(scene, drawing);
      if (this.options.follow) {
        addEventListener("hashchange", () => this.fromAddress(), { signal: this.ended.signal });
        this.fromAddress();
      }
    }

    dispose() {
      this.ended.abort();
      this.sizes.disconnect();
    }

    load(scene, drawing) {
      this.scene = scene;
      const part = selector => [...drawing.querySelectorAll(selector)];
      this.parts = { names: part(".names")[0], sheets: part(".sheet"), legend: part(".legend")[0] };
      this.frame = JSON.parse(this.parts.names.dataset.layout);
      this.tree.replaceChildren(...part(".blocks").map(copyOf));
      this.legend.replaceChildren(copyOf(this.parts.legend));
      this.users = scene.events.map(() => []);
      scene.events.forEach((event, row) => (event.uses || []).forEach(u => this.users[u.from].push(row)));
      this.snapshots = [new Map(scene.initial.map(l => [l.subject, l.parts]))];
      this.steps = scene.events.reduce((most, e) => Math.max(most, e.step), 0);
      this.heading();
      this.menus();
      this.layout();
      if (this.selected === undefined || this.selected >= scene.events.length) {
        this.select(scene.shows ? scene.shows.event : 0, true);
      } else this.refresh();
    }

    build() {
      const button = (label, title, go) => el("button", { type: "button", title, onclick: go }, label);
      this.header = el("header");
      this.told = el("div", { class: "told" });
      this.where = el("output", { "aria-live": "off" });
      this.laneMenu = el("details", { class: "menu" }, el("summary", {}, "Miners"), el("div"));
      this.kindMenu = el("details", { class: "menu" }, el("summary", {}, "Kinds"), el("div"));
      this.bar = el("div", { class: "toolbar", role: "toolbar", "aria-label": "Run" },
        button("|◀", "First (Home)", () => this.jump(0)),
        button("◀", "Step back (←)", () => this.stepBy(-1)), this.where,
        button("▶", "Step forward (→)", () => this.stepBy(1)),
        button("▶|", "Last (End)", () => this.jump(this.rows.length - 1)),
        this.flag = button("⚑", "To the event that shows it (v)", () => this.toShown()),
        this.laneMenu, this.kindMenu, el("span", { class: "space" }),
        this.options.follow ? button("Link", "Copy a link to this step", () => this.copy(location.href, "Link to this step")) : null,
        button("SVG", "Save the drawing as SVG", () => this.saveSvg()),
        this.options.mermaid ? button("Mermaid", "Copy as a Mermaid sequence diagram", () => this.copy(this.options.mermaid, "Mermaid sequence diagram")) : null,
        this.options.extra || null,
        button("◐", "Light or dark", theme));
      this.heads = el("div", { class: "heads" });
      this.rowsBox = el("div", { class: "rows" });
      this.legend = el("div");
      this.chart = el("div", { class: "chart", tabindex: 0, role: "region",
        "aria-label": "Run: arrow keys step through it" }, this.heads, this.rowsBox);
      this.tree = el("div", { class: "tree" });
      this.detail = el("div", { "aria-live": "polite" });
      this.aside = el("aside", { class: "side", "aria-label": "Blocks and the selected step" },
        el("h2", {}, "Blocks: a column a round, a row a priority"), this.tree, this.detail, this.legend);
      this.tip = el("div", { class: "tip", hidden: true, role: "tooltip" });
      this.root.replaceChildren(el("section", { class: "viewer" }, this.header, this.told, this.bar,
        el("div", { class: "body" }, this.chart, this.aside)), this.tip);
      this.chart.addEventListener("scroll", () => {
        if (!this.pending) this.pending = requestAnimationFrame(() => { this.pending = 0; this.draw(); });
      });
      // Keys work at once, wherever the focus is: on the page, or in the dialog that the run is in.
      (this.root.closest("dialog") || document).addEventListener("keydown", event => this.key(event), { signal: this.ended.signal });
      this.chart.addEventListener("pointermove", event => { if (event.pointerType === "mouse") this.hover(event); });
      this.tree.addEventListener("click", event => {
        const at = event.target.closest("g[data-block]");
        if (at) this.select(this.standing(Number(at.dataset.block)).since);
      });
      this.chart.addEventListener("mouseleave", () => { this.tip.hidden = true; });
      this.chart.addEventListener("click", event => {
        const at = event.target.closest("[data-row]");
        if (at) { this.select(Number(at.dataset.row)); this.chart.focus({ preventScroll: true }); }
      });
      this.sizes = new ResizeObserver(() => this.scene && this.draw());
      this.sizes.observe(this.chart);
    }

    heading() {
      const { title, about, shows, again, story } = this.scene;
      this.header.replaceChildren(...[
        el(this.options.heading, {}, title),
        shows ? el("p", { class: "because" }, el("span", { class: `badge ${shows.verdict}` }, `${shows.property} ${shows.verdict}`),
          shows.because.replace(new RegExp(`^${shows.property}: `), "")) : null].filter(Boolean));
      this.told.replaceChildren(...[
        shows && story && story.length ? el("p", { class: "about" }, `${shows.property} says: ${shows.text}. This is how it is broken; each sentence leads to its place:`) : null,
        story && story.length ? el("ol", { class: "story", "aria-label": "What happens" }, story.map(told =>
          el("li", {}, el("a", { href: `#event=${told.event}`, onclick: e => { e.preventDefault(); this.select(told.event); this.chart.focus({ preventScroll: true }); } },
            told.says)))) : null,
        el("details", { class: "setting", open: !(story && story.length) }, el("summary", {}, "The property, the setting, and the command that makes this run"),
          shows ? el("p", { class: "about" }, `${shows.property}: ${shows.text}`) : null,
          ...about.map(line => el("p", { class: "about" }, line)),
          again ? el("p", { class: "about" }, "made, the file says, by ", el("code", {}, again)) : null)].filter(Boolean));
      this.flag.disabled = !shows;
    }

    menus() {
      const box = (checked, text, change) => el("label", {}, el("input", { type: "checkbox", checked, onchange: change }), " " + text);
      const toggle = (set, item) => event => {
        if (event.target.checked) set.delete(item); else set.add(item);
        this.layout();
        this.refresh();
      };
      this.laneMenu.lastChild.replaceChildren(...this.scene.lanes.map((lane, index) =>
        box(!this.hiddenLanes.has(index), lane.name, toggle(this.hiddenLanes, index))));
      const present = new Set(this.scene.events.map(e => e.kind));
      this.kindMenu.lastChild.replaceChildren(...Object.keys(KINDS).filter(k => present.has(k)).map(kind =>
        box(!this.hiddenKinds.has(kind), KINDS[kind], toggle(this.hiddenKinds, kind))));
    }

    // Hidden rows and lanes leave no gap: how far down each row stands, and how far left of its place each lane.
    layout() {
      const { events } = this.scene, { row, columns, width } = this.frame;
      this.rows = [];
      this.place = events.map((event, at) => this.hiddenLanes.has(event.lane) || this.hiddenKinds.has(event.kind) ? -1 : this.rows.push(at) - 1);
      let down = 0;
      this.tops = this.place.map(place => (down += place < 0 ? 0 : row) - (place < 0 ? 0 : row));
      this.tops.push(down);
      this.gone = 0;
      this.shift = columns.map((column, lane) => (this.gone += this.hiddenLanes.has(lane) ? column.width : 0));
      const heads = this.fitted(this.parts.names);
      heads.setAttribute("width", width - this.gone);
      this.heads.replaceChildren(heads);
      this.holders = this.parts.sheets.map(sheet => el("div", { style: `height:${this.tops[sheet.dataset.to] - this.tops[sheet.dataset.from]}px` }));
      this.rowsBox.replaceChildren(...this.holders);
      this.rowsBox.style.width = this.heads.style.width = `${width - this.gone}px`;
    }

    // ---- drawing ----
    // What is seen is in the document, with a screen above and below.
    draw() {
      const { scrollTop, clientHeight } = this.chart;
      this.holders.forEach((holder, index) => {
        const sheet = this.parts.sheets[index], top = this.tops[sheet.dataset.from], bottom = this.tops[sheet.dataset.to];
        if (bottom <= scrollTop - clientHeight || top >= scrollTop + 2 * clientHeight) holder.replaceChildren();
        else if (!holder.firstChild) { holder.append(this.fitted(sheet)); this.mark(holder); }
      });
    }

    // The selected row, and the messages that it used and made.
    mark(within) {
      const selected = String(this.selected);
      for (const hit of within.querySelectorAll(".hit")) hit.classList.toggle("now", hit.dataset.row === selected);
      for (const { classList, dataset } of within.querySelectorAll(".arrow")) {
        classList.toggle("faded", this.focused && dataset.from !== selected && dataset.to !== selected);
      }
    }

    // A part of the drawing without what is hidden.
    fitted(part) {
      const out = copyOf(part);
      if (!this.hiddenLanes.size && !this.hiddenKinds.size) return out;
      const { row, columns, width } = this.frame, { events } = this.scene;
      const first = Number(part.dataset.from || 0), start = this.tops[first];
      // From a place in the sheet to where it is now.
      const down = y => {
        const at = Math.min(Math.floor(y / row) + first, events.length);
        return this.tops[at] - start + (this.place[at] >= 0 ? y - (at - first) * row : 0);
      };
      const middle = at => (at - first + 0.5) * row;
      for (const node of out.querySelectorAll("[data-row]")) {
        const at = Number(node.dataset.row);
        if (this.place[at] < 0) { node.remove(); continue; }
        move(node, 0, this.tops[at] - start - (at - first) * row);
        if (node.querySelector(".at")) {
          move(node.querySelector(".at"), -this.shift[events[at].lane], 0);
          move(node.querySelector(".says"), -this.gone, 0);
        }
      }
      for (const node of out.querySelectorAll("[data-lane]")) {
        const lane = Number(node.dataset.lane), [top, bottom] = [node.dataset.top, node.dataset.bottom].map(y => y - first * row);
        if (this.hiddenLanes.has(lane)) { node.remove(); continue; }
        move(node, -this.shift[lane], 0);
        if (node.dataset.top === undefined) continue;
        const by = (down(bottom) - down(top)) / (bottom - top || 1);
        if (by <= 0) { node.remove(); continue; }
        move(node.firstChild, 0, down(top) - by * top, 1, by);
        if (node.children[1]) move(node.children[1], 0, down(top) - top);
      }
      for (const node of out.querySelectorAll("[data-to]")) {
        const ends = [node.dataset.from, node.dataset.to].map(Number);
        if (ends.some(at => this.place[at] < 0)) { node.remove(); continue; }
        const lanes = ends.map(at => events[at].lane), [x1, x2] = lanes.map(lane => columns[lane].mid), [y1, y2] = ends.map(middle);
        const [left, right] = [x1 - this.shift[lanes[0]], x2 - this.shift[lanes[1]]], [top, bottom] = ends.map(at => this.tops[at] - start + row / 2);
        const across = x1 === x2 ? 1 : (right - left) / (x2 - x1), along = (bottom - top) / (y2 - y1);
        move(node.firstChild, left - across * x1, top - along * y1, across, along);
        move(node.lastChild, right - x2, bottom - y2);
      }
      if (part.dataset.to) out.setAttribute("height", this.tops[part.dataset.to] - start);
      out.setAttribute("width", width - this.gone);
      return out;
    }

    // ---- walking ----
    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const at = event.target instanceof Element ? event.target : document.body;
      // Nor what is typed into a field, or into a dialog above this view.
      if (at.closest("input, textarea, select, summary") || at.closest("dialog") !== this.root.closest("dialog")) return;
      const go = {
        ArrowDown: () => this.jump(this.at() + 1), ArrowUp: () => this.jump(this.at() - 1),
        j: () => this.jump(this.at() + 1), k: () => this.jump(this.at() - 1),
        ArrowRight: () => this.stepBy(1), ArrowLeft: () => this.stepBy(-1),
        PageDown: () => this.jump(this.at() + 20), PageUp: () => this.jump(this.at() - 20),
        Home: () => this.jump(0), End: () => this.jump(this.rows.length - 1), v: () => this.toShown(),
      }[event.key];
      if (go) { event.preventDefault(); go(); }
    }
    at() { return Math.max(0, this.place[this.selected]); }
    jump(at) {
      if (this.rows.length) this.select(this.rows[Math.min(Math.max(at, 0), this.rows.length - 1)]);
    }
    stepBy(direction) {
      const { events } = this.scene;
      let row = this.selected + direction;
      while (row >= 0 && row < events.length && (events[row].implied || this.place[row] < 0)) row += direction;
      if (row >= 0 && row < events.length) this.select(row);
    }
    toShown() { if (this.scene.shows) this.select(this.scene.shows.event); }

    select(row, quietly) {
      if (!this.scene.events.length) { this.refresh(); return; }
      this.selected = row;
      const at = this.place[row];
      if (at >= 0) {
        const { row: height, head, gutter, columns } = this.frame, { lane } = this.scene.events[row];
        const top = this.tops[row], view = this.chart.clientHeight - head;
        if (top < this.chart.scrollTop + height || top > this.chart.scrollTop + view - 2 * height) {
          this.chart.scrollTop = Math.max(0, top - view / 2);
        }
        // To the lane: no further than until it is seen as a whole, and a little beside it.
        const left = columns[lane].left - this.shift[lane], right = left + columns[lane].width + 12, wide = this.chart.clientWidth;
        if (right <= wide) this.chart.scrollLeft = 0;
        else if (right > this.chart.scrollLeft + wide) this.chart.scrollLeft = right - wide;
        else if (left < this.chart.scrollLeft + gutter) this.chart.scrollLeft = left - gutter;
      }
      // Only now, so that what came into view is drawn at once.
      this.refresh();
      if (this.options.follow && !quietly) {
        const event = this.scene.events[row];
        history.replaceState(null, "", event.implied || event.step === 0 ? `#event=${row}` : `#step=${event.step}`);
      }
      if (this.options.onselect) this.options.onselect(row);
    }
    fromAddress() {
      const wanted = new URLSearchParams(location.hash.slice(1));
      const { events } = this.scene;
      if (wanted.has("step")) {
        const row = events.findIndex(e => e.step === Number(wanted.get("step")) && !e.implied);
        if (row >= 0) this.select(row, true);
      } else if (wanted.has("event")) {
        const row = Number(wanted.get("event"));
        if (Number.isInteger(row) && row >= 0 && row < events.length) this.select(row, true);
      }
    }

    refresh() {
      const { events } = this.scene;
      const event = events[this.selected];
      this.told.querySelectorAll(".story a").forEach(a => a.classList.toggle("now", a.getAttribute("href") === `#event=${this.selected}`));
      this.where.textContent = event ? `step ${event.step} of ${this.steps}` : "no step yet";
      this.focused = Boolean(event) && ((event.uses || []).length > 0 || this.users[this.selected].length > 0);
      this.draw();
      this.mark(this.rowsBox);
      this.blocks();
      this.explain();
    }

    // How a block stands at the selected event, and since which one; that of its proposal where it is not there yet.
    standing(index) {
      const { proposed, notarized, finalized } = this.scene.blocks[index], now = this.selected ?? -1;
      if (finalized <= now) return { is: "finalized", since: finalized };
      if (notarized <= now) return { is: "notarized", since: notarized };
      return { is: proposed <= now ? "proposed" : "absent", since: proposed };
    }
    // The block tree as it is at the selected event.
    blocks() {
      const { blocks, events } = this.scene;
      for (const path of this.tree.querySelectorAll("path[data-block]")) {
        path.classList.toggle("gone", this.standing(Number(path.dataset.block)).is === "absent");
      }
      for (const node of this.tree.querySelectorAll("g[data-block]")) {
        const index = Number(node.dataset.block), { is } = this.standing(index), [title, box, name, called] = node.children;
        title.dataset.name ??= title.textContent;
        title.textContent = `${title.dataset.name}: ${is === "absent" ? "not yet proposed" : is === "finalized" ? "final" : is}`;
        const current = events[this.selected]?.block === index ? " current" : "";
        box.setAttribute("class", `block ${is}${blocks[index].byzantine ? " byzantine" : ""}${current}`);
        name.setAttribute("class", `block-name ${is === "absent" || is === "proposed" ? is : "filled"}`);
        if (called) called.classList.toggle("gone", is === "absent");
      }
      // So many blocks that there is no tree.
      if (!this.tree.querySelector("svg")) {
        const known = blocks.map((_, index) => index).filter(index => blocks[index].proposed !== undefined);
        const count = (...wanted) => known.filter(index => wanted.includes(this.standing(index).is)).length;
        this.tree.textContent = `${count("proposed", "notarized", "finalized")} proposed, ${count("notarized", "finalized")} notarized, ${count("finalized")} final of ${known.length} blocks`;
      }
    }

    // ---- the selected event, in words ----
    state(row) {
      const every = 64, { events } = this.scene;
      const apply = (map, from, to) => {
        for (let r = from; r < to; r++) for (const line of events[r].changes || []) {
          if (line.parts.length) map.set(line.subject, line.parts); else map.delete(line.subject);
        }
        return map;
      };
      const slot = Math.floor(row / every);
      while (this.snapshots.length <= slot) {
        const last = this.snapshots.length - 1;
        this.snapshots.push(apply(new Map(this.snapshots[last]), last * every, (last + 1) * every));
      }
      return apply(new Map(this.snapshots[slot]), slot * every, row);
    }
    explain() {
      const { events, lanes } = this.scene;
      const event = events[this.selected];
      if (!event) { this.detail.replaceChildren(el("p", {}, "Nothing has happened yet.")); return; }
      let main = this.selected;
      if (event.implied) {
        const other = events.findIndex(e => e.step === event.step && !e.implied);
        if (other >= 0) main = other;
      }
      const link = (row, text) => el("a", { href: `#event=${row}`, onclick: e => { e.preventDefault(); this.select(row); } }, text);
      const name = row => `${events[row].says || events[row].label}`;
      const uses = event.uses || [], users = this.users[this.selected];
      const many = 12;
      const list = (rows, more) => el("ul", {}, rows.slice(0, many).map(more), rows.length > many ? el("li", {}, `and ${rows.length - many} more`) : null);
      const before = this.state(main);
      const changes = events[main].changes || [];
      const changed = changes.length ? el("table", { class: "state" }, changes.map(line => {
        const old = before.get(line.subject) || [];
        const cells = [...line.parts.map(p => old.includes(p) ? p : el("ins", {}, p)), ...old.filter(p => !line.parts.includes(p)).map(p => el("del", {}, p))];
        return el("tr", {}, el("th", { scope: "row" }, line.subject), el("td", {}, cells.flatMap((c, i) => i ? ["; ", c] : [c])));
      })) : el("p", { class: "hint" }, this.scene.initial.length ? "Nothing in the state changes." : "This run has no states.");
      const whole = (title, row) => {
        const box = el("details", {}, el("summary", {}, title));
        box.addEventListener("toggle", () => {
          if (box.open && box.children.length === 1) box.append(el("table", { class: "state" },
            [...this.state(row)].map(([s, parts]) => el("tr", {}, el("th", { scope: "row" }, s), el("td", {}, parts.join("; "))))));
        });
        return box;
      };
      this.detail.replaceChildren(...[
        el("h2", {}, `${event.step ? `Step ${event.step}` : "Before the first step"}${event.implied ? ", implied" : ""}, ${lanes[event.lane].name}`),
        el("p", { class: "says" }, event.says),
        ...(event.shows || []).map(id => el("p", {}, el("span", { class: `badge ${id.startsWith("W") ? "reachable" : "violated"}` },
          `${id} ${id.startsWith("W") ? "reached" : "violated"}`), this.scene.shows && this.scene.shows.property === id ? this.scene.shows.because.replace(/^\w+: /, "") : "")),
        uses.length ? el("h2", {}, "It used") : null,
        uses.length ? list(uses, u => el("li", {}, link(u.from, name(u.from)), u.late ? " (late or withheld: the receiver acted without it before)" : "")) : null,
        users.length ? el("h2", {}, "It was used by") : null,
        users.length ? list(users, u => el("li", {}, link(u, name(u)))) : null,
        el("h2", {}, `State: what step ${event.step} changes`), changed,
        this.scene.initial.length ? whole("the whole state before", main) : null,
        this.scene.initial.length ? whole("the whole state after", main + 1) : null].filter(Boolean));
    }

    hover(event) {
      const at = event.target.closest("[data-row]");
      if (!at) { this.tip.hidden = true; return; }
      const e = this.scene.events[Number(at.dataset.row)];
      this.tip.textContent = `${e.says || e.label}`;
      this.tip.hidden = false;
      this.tip.style.left = `${Math.min(event.clientX + 14, innerWidth - this.tip.offsetWidth - 8)}px`;
      this.tip.style.top = `${Math.min(event.clientY + 16, innerHeight - this.tip.offsetHeight - 8)}px`;
    }

    // ---- taking it elsewhere ----
    svgText() {
      const { head, width, row } = this.frame, { names, sheets } = this.parts;
      const across = width - this.gone, height = this.rows.length * row + head + 16;
      const whole = this.fitted(names);
      for (const [name, value] of Object.entries({ class: "zus", width: across, height, viewBox: `0 0 ${across} ${height}`, role: "img" })) whole.setAttribute(name, value);
      const svg = tag => document.createElementNS(whole.namespaceURI, tag);
      const title = svg("title"), style = svg("style"), back = svg("rect");
      title.textContent = this.scene.title;
      style.textContent = document.getElementById("drawing-style").textContent;
      for (const [name, value] of Object.entries({ class: "back", width: across, height })) back.setAttribute(name, value);
      whole.prepend(title, style, back);
      for (const sheet of sheets) {
        const { from, to } = sheet.dataset, rows = this.fitted(sheet);
        // A message is drawn once, where it was used.
        for (const arrow of rows.querySelectorAll(".arrow")) if (Number(arrow.dataset.to) >= Number(to)) arrow.remove();
        rows.querySelectorAll(".hit").forEach(hit => hit.remove());
        rows.setAttribute("y", head + this.tops[from]);
        rows.setAttribute("overflow", "visible");
        whole.append(rows);
      }
      return new XMLSerializer().serializeToString(whole);
    }
    saveSvg() { save(`${this.scene.title.replace(/[^\w.-]+/g, "-")}.svg`, this.svgText(), "image/svg+xml"); }
    copy(text, title) {
      const shown = () => {
        const box = el("dialog", {}, el("p", {}, title), el("textarea", { readonly: true, "aria-label": title }),
          el("form", { method: "dialog" }, el("button", {}, "Close")));
        box.querySelector("textarea").value = text;
        box.addEventListener("close", () => box.remove());
        this.root.append(box);
        box.showModal();
        box.querySelector("textarea").select();
      };
      if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => this.say(`${title}: copied`), shown); else shown();
    }
    say(text) {
      this.tip.textContent = text;
      this.tip.hidden = false;
      this.tip.style.left = "18px";
      this.tip.style.top = `${innerHeight - 48}px`;
      setTimeout(() => { this.tip.hidden = true; }, 1500);
    }
  }

  function save(name, text, type) {
    const link = el("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
  function theme() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  }
  function read(id) { return JSON.parse(document.getElementById(id).textContent); }
  return { View, el, theme, read, save };
})();
