// The viewer: draws a scene (draw/scene.rs) and lets one walk through it. No library, nothing from elsewhere; what a
// scene says is only ever put into text nodes and attributes, never into markup.
"use strict";
const Zus = (() => {
  const NS = "http://www.w3.org/2000/svg";
  const ROW = 30, HEAD = 34, GUTTER = 46, WIDE = 150, WIDE_SENT = 178, NARROW = 26, NARROW_SENT = 70;
  const MOST_WIDE = 9;          // lanes that are drawn with labels
  const SAYS = 560, MARGIN = 12; // width of the sentences at the right
  const OVERSCAN = 20;          // rows drawn above and below what is seen
  const KINDS = {
    beacon: "beacon", proposal: "proposals", selection: "selections", ticket: "tickets", notarization: "notarizations",
    leave: "leaving a round", adopt: "adopting", timeout: "timeouts", timeout_certificate: "timeout certificates",
    enter_subround: "entering a subround", vote: "finality votes", finality_certificate: "finality certificates",
    finalize: "finalizing", crash: "crashes", restart: "restarts", network: "network",
  };

  const { el, svg, glyph } = ZusShapes;

  class View {
    // `options.mermaid`: text to copy. `options.follow`: whether the address names the step. `options.compact`: no header.
    constructor(root, scene, options) {
      this.root = root;
      // One view at a time: the one before it no longer hears keys.
      if (root.view) root.view.dispose();
      root.view = this;
      this.ended = new AbortController();
      this.options = Object.assign({ follow: true, heading: "h1" }, options);
      this.hiddenLanes = new Set();
      this.hiddenKinds = new Set();
      this.build();
      this.load(scene);
      if (this.options.follow) {
        addEventListener("hashchange", () => this.fromAddress(), { signal: this.ended.signal });
        this.fromAddress();
      }
    }

    dispose() {
      this.ended.abort();
      this.sizes.disconnect();
    }

    load(scene) {
      this.scene = scene;
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
      this.chart = el("div", { class: "chart", tabindex: 0, role: "region",
        "aria-label": "Run: arrow keys step through it" }, this.heads, this.rowsBox);
      this.tree = el("div", { class: "tree" });
      this.detail = el("div", { "aria-live": "polite" });
      this.aside = el("aside", { class: "side", "aria-label": "Blocks and the selected step" },
        el("h2", {}, "Blocks: a column a round, a row a priority"), this.tree, this.detail, legend());
      this.tip = el("div", { class: "tip", hidden: true, role: "tooltip" });
      this.root.replaceChildren(el("section", { class: "viewer" }, this.header, this.bar,
        el("div", { class: "body" }, this.chart, this.aside)), this.tip);
      this.chart.addEventListener("scroll", () => {
        if (!this.pending) this.pending = requestAnimationFrame(() => { this.pending = 0; this.draw(); });
      });
      // Keys work at once, wherever the focus is: on the page, or in the dialog that the run is in.
      (this.root.closest("dialog") || document).addEventListener("keydown", event => this.key(event), { signal: this.ended.signal });
      this.chart.addEventListener("mousemove", event => this.hover(event));
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
          shows.because.replace(new RegExp(`^${shows.property}: `), "")) : null,
        shows && story && story.length ? el("p", { class: "about" }, `${shows.property} says: ${shows.text}. This is how it is broken; each sentence leads to its place below:`) : null,
        story && story.length ? el("ol", { class: "story", "aria-label": "What happens" }, story.map(told =>
          el("li", {}, el("a", { href: `#event=${told.event}`, onclick: e => { e.preventDefault(); this.select(told.event); this.chart.focus({ preventScroll: true }); } },
            told.says)))) : null,
        el("details", { class: "setting", open: !(story && story.length) }, el("summary", {}, "The property, the setting, and the command that makes this run"),
          shows ? el("p", { class: "about" }, `${shows.property}: ${shows.text}`) : null,
          ...about.map(line => el("p", { class: "about" }, line)),
          again ? el("p", { class: "about" }, "made by ", el("code", {}, again)) : null)].filter(Boolean));
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

    // Where everything stands, for the lanes and kinds that are shown.
    layout() {
      const { lanes, events, stays } = this.scene;
      this.labelled = lanes.length - this.hiddenLanes.size <= MOST_WIDE;
      this.x = [];
      let x = GUTTER;
      lanes.forEach((lane, index) => {
        if (this.hiddenLanes.has(index)) { this.x.push(null); return; }
        const width = lane.role === "network" ? (this.labelled ? WIDE_SENT : NARROW_SENT) : (this.labelled ? WIDE : NARROW);
        this.x.push({ left: x, mid: this.labelled ? x + 16 : x + width / 2, width });
        x += width;
      });
      this.textX = x + MARGIN;
      this.width = this.textX + SAYS;
      this.rows = [];
      this.place = new Array(events.length).fill(-1);
      events.forEach((event, row) => {
        if (!this.hiddenLanes.has(event.lane) && !this.hiddenKinds.has(event.kind)) {
          this.place[row] = this.rows.length;
          this.rows.push(row);
        }
      });
      this.arrows = [];
      this.rows.forEach((row, at) => (events[row].uses || []).forEach(use => {
        if (this.place[use.from] >= 0) this.arrows.push({ a: use.from, b: row, from: this.place[use.from], to: at, use });
      }));
      // A stay ends where the next one of its lane begins.
      this.bands = [];
      const open = new Map();
      const end = (stay, at) => { if (stay) this.bands.push({ ...stay, to: at }); };
      const after = event => { let at = 0, row = event; while (row < events.length && this.place[row] < 0) row++; at = row < events.length ? this.place[row] : this.rows.length; return at; };
      for (const stay of stays) {
        const from = stay.event === 0 && !open.has(stay.lane) ? 0 : after(stay.event) + 0.5;
        end(open.get(stay.lane), from);
        open.set(stay.lane, { ...stay, from });
      }
      open.forEach(stay => end(stay, this.rows.length));
      this.rowsBox.style.height = `${this.rows.length * ROW + 16}px`;
      this.rowsBox.style.width = this.heads.style.width = `${this.width}px`;
      const heads = svg("svg", { class: "zus", width: this.width, height: HEAD, role: "presentation" });
      lanes.forEach((lane, index) => {
        const at = this.x[index];
        if (!at) return;
        const name = this.labelled ? lane.name : lane.name.replace(/^[^0-9]*(?=\d)/, lane.role === "byzantine" ? "B" : lane.role === "observer" ? "o" : "");
        heads.append(svg("text", { class: `lane-name ${lane.role}`, x: this.labelled ? at.left + 4 : at.mid, y: 21,
          style: this.labelled ? "text-anchor:start" : null }, name, svg("title", {}, lane.name)));
      });
      heads.append(svg("text", { class: "number", x: GUTTER - 10, y: 21 }, "step"));
      this.heads.replaceChildren(heads);
    }

    // ---- drawing ----
    draw() {
      const from = Math.max(0, Math.floor(this.chart.scrollTop / ROW) - OVERSCAN);
      const to = Math.min(this.rows.length, Math.ceil((this.chart.scrollTop + this.chart.clientHeight) / ROW) + OVERSCAN);
      const picture = this.picture(from, to, true);
      picture.style.top = `${from * ROW}px`;
      this.rowsBox.replaceChildren(picture);
    }

    // The rows `from..to` as one SVG; with `live`, with the selection and the places to click.
    picture(from, to, live) {
      const { events, lanes, shows } = this.scene;
      const height = (to - from) * ROW + 8;
      const y = at => (at - from) * ROW + ROW / 2;
      const out = svg("svg", { class: "zus", xmlns: NS, width: this.width, height, viewBox: `0 0 ${this.width} ${height}`,
        role: live ? "presentation" : "img" });
      out.append(svg("rect", { class: "back", width: this.width, height }));
      const row = (at, name) => svg("rect", { class: name, x: 0, y: y(at) - ROW / 2, width: this.width, height: ROW });
      for (const band of this.bands) {
        const at = this.x[band.lane];
        if (!at || band.to < from || band.from > to) continue;
        const top = Math.max(y(band.from) - ROW / 2, -ROW), bottom = Math.min(y(band.to) - ROW / 2, height + ROW);
        const tone = (band.round * 2 + band.subround) % 3;
        out.append(svg("rect", { class: `stay t${tone}${band.down ? " down" : ""}`, x: at.left + 1, y: top, width: at.width - 3,
          height: Math.max(0, bottom - top - 1), rx: 3 }));
        if (this.labelled && band.from >= from && bottom - top >= 13) {
          out.append(svg("text", { class: "stay-name", x: at.left + at.width - 7, y: top + 13 }, band.down ? "down" : `(${band.round}, ${band.subround})`));
        }
      }
      const shown = shows && this.place[shows.event] >= from && this.place[shows.event] < to ? this.place[shows.event] : -1;
      if (shown >= 0) out.append(row(shown, `broken ${shows.verdict}`));
      if (live && this.place[this.selected] >= 0) out.append(row(this.place[this.selected], "selected"));
      // A bar that the selection does not hide: the page opens with this row selected.
      if (shown >= 0) out.append(svg("rect", { class: `mark ${shows.verdict}`, x: 0, y: y(shown) - ROW / 2, width: 6, height: ROW }));
      lanes.forEach((lane, index) => {
        const at = this.x[index];
        if (at) out.append(svg("line", { class: `lane ${lane.role}`, x1: at.mid, x2: at.mid, y1: 0, y2: height }));
      });
      for (const arrow of this.arrows) {
        if (arrow.to < from || arrow.from >= to) continue;
        out.append(...this.arrow(arrow, y, live));
      }
      for (let at = from; at < to; at++) out.append(this.row(this.rows[at], y(at), live));
      return out;
    }

    arrow({ a, b, from, to, use }, y, live) {
      const { events } = this.scene;
      const x1 = this.x[events[a].lane].mid, x2 = this.x[events[b].lane].mid, y1 = y(from), y2 = y(to);
      const faded = live && this.focus && !this.focus.has(`${a}>${b}`) ? " faded" : "";
      const c = `${use.what}${events[a].byzantine ? " byzantine" : ""}${use.late ? " late" : ""}${faded}`;
      const side = x1 === x2 ? 14 : Math.sign(x2 - x1) * 7;
      // Ends just outside the glyph, coming in from the side.
      const tipX = x2 - (x1 === x2 ? -7 : side), bend = x1 === x2 ? x1 + 16 : x1 + (x2 - x1) * 0.5;
      const path = to - from > 3
        ? `M${x1} ${y1}C${bend} ${y1 + 14},${x1 === x2 ? bend : x2 - side * 5} ${y2 - 34},${tipX} ${y2 - 2}`
        : `M${x1} ${y1}L${tipX} ${y2 - 2}`;
      const dx = x1 === x2 ? -1 : Math.sign(x2 - x1);
      return [
        svg("path", { class: `arrow ${c}`, d: path, "data-from": a, "data-to": b }),
        svg("path", { class: `head ${c}`, d: `M${tipX + dx * 2} ${y2 - 1}l${-dx * 7} ${-5.5}l${-dx * 0.5} 7z` }),
      ];
    }

    row(index, y, live) {
      const { events, lanes } = this.scene;
      const event = events[index], at = this.x[event.lane];
      const group = svg("g", { class: event.implied ? "implied" : null });
      if (!event.implied && event.step > 0) group.append(svg("text", { class: "number", x: GUTTER - 10, y: y + 4 }, event.step));
      group.append(glyph(event.kind, event.byzantine, at.mid, y));
      if (this.labelled) group.append(svg("text", { class: "label", x: at.mid + 12, y: y + 4 }, cut(event.label, at.width > WIDE ? 28 : 24)));
      const flags = (event.shows || []).map(id => svg("tspan", { class: `flag${id.startsWith("W") ? " reached" : ""}` },
        `${id} ${id.startsWith("W") ? "reached" : "violated"}  `));
      group.append(svg("text", { class: "says", x: this.textX, y: y + 4 }, ...flags, cut(event.says, 92 - flags.length * 11)));
      if (live) group.append(svg("rect", { class: "hit", "data-row": index, x: 0, y: y - ROW / 2, width: this.width, height: ROW }));
      return group;
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
      this.refresh();
      const at = this.place[row];
      if (at >= 0) {
        const top = at * ROW, view = this.chart.clientHeight - HEAD;
        if (top < this.chart.scrollTop + ROW || top > this.chart.scrollTop + view - 2 * ROW) {
          this.chart.scrollTop = Math.max(0, top - view / 2);
        }
      }
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
      this.header.querySelectorAll(".story a").forEach(a => a.classList.toggle("now", a.getAttribute("href") === `#event=${this.selected}`));
      this.where.textContent = event ? `step ${event.step} of ${this.steps}` : "no step yet";
      this.focus = event && new Set([...(event.uses || []).map(u => `${u.from}>${this.selected}`),
        ...this.users[this.selected].map(to => `${this.selected}>${to}`)]);
      if (this.focus && this.focus.size === 0) this.focus = null;
      this.draw();
      this.tree.replaceChildren(this.blockTree());
      this.explain();
    }

    // The block tree as it is at the selected event.
    blockTree() {
      const { blocks } = this.scene;
      const now = this.selected ?? -1;
      const known = blocks.map((b, i) => i).filter(i => blocks[i].proposed !== undefined);
      if (known.length > 400) return this.treeText(known);
      const key = b => b.subround * 1000 + b.rank * 2 + b.twin;
      const priorities = [...new Set(known.map(i => key(blocks[i])))].sort((a, b) => a - b);
      const rounds = known.reduce((most, i) => Math.max(most, blocks[i].round), 1);
      const W = Math.min(92, Math.max(70, Math.floor(284 / rounds))), H = 38, TOP = 36, LEFT = 56, half = W / 2 - 4;
      const X = round => LEFT + (round - 0.5) * W, Y = b => TOP + priorities.indexOf(key(b)) * H;
      const out = svg("svg", { class: "zus", width: LEFT + rounds * W + 6, height: TOP + Math.max(1, priorities.length) * H, role: "img", "aria-label": "Block tree" });
      const top = { x: 28, y: TOP };
      for (let r = 1; r <= rounds; r++) out.append(svg("text", { class: "round-name", x: X(r), y: 9 }, `round ${r}`));
      for (const i of known) {
        const b = blocks[i];
        if (b.proposed > now) continue;
        const from = b.parent === undefined ? { x: top.x + 24, y: top.y } : { x: X(blocks[b.parent].round) + half, y: Y(blocks[b.parent]) };
        const x = X(b.round) - half, y = Y(b);
        out.append(svg("path", { class: "parent", d: `M${from.x} ${from.y}C${from.x + 10} ${from.y},${x - 10} ${y},${x} ${y}` }));
      }
      out.append(svg("rect", { class: "block finalized", x: top.x - 24, y: top.y - 11, width: 48, height: 22, rx: 4 }),
        svg("text", { class: "block-name filled", x: top.x, y: top.y + 4 }, "genesis"));
      for (const i of known) {
        const b = blocks[i];
        const is = now >= (b.finalized ?? Infinity) ? "finalized" : now >= (b.notarized ?? Infinity) ? "notarized" : now >= b.proposed ? "proposed" : "absent";
        const current = this.scene.events[now]?.block === i;
        const x = X(b.round), y = Y(b);
        const to = is === "absent" ? b.proposed : is === "proposed" ? b.proposed : is === "notarized" ? b.notarized : b.finalized;
        out.append(svg("g", { role: "button", tabindex: -1, "data-to": to, style: "cursor:pointer", onclick: () => this.select(to) },
          svg("rect", { class: `block ${is}${b.byzantine ? " byzantine" : ""}${current ? " current" : ""}`, x: x - half, y: y - 12, width: 2 * half, height: 24, rx: 4 }),
          svg("text", { class: `block-name ${is === "notarized" || is === "finalized" ? "filled" : is}`, x, y: y + 4 }, cut(b.name, 12)),
          b.called && is !== "absent" ? svg("text", { class: "called", x: x - half + 1, y: y - 14 }, b.called) : null,
          svg("title", {}, `${b.name}${b.called ? `, called ${b.called}` : ""}: ${is === "absent" ? "not yet proposed" : is === "finalized" ? "final" : is}${b.byzantine ? ", of a Byzantine generator" : ""}`)));
      }
      return out;
    }
    treeText(known) {
      const now = this.selected ?? -1, { blocks } = this.scene;
      const count = field => known.filter(i => (blocks[i][field] ?? Infinity) <= now).length;
      return el("p", {}, `${count("proposed")} proposed, ${count("notarized")} notarized, ${count("finalized")} final of ${known.length} blocks`);
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
      const body = this.picture(0, this.rows.length, false);
      const heads = this.heads.firstChild.cloneNode(true);
      const height = this.rows.length * ROW + HEAD + 16;
      body.setAttribute("y", HEAD);
      heads.setAttribute("y", 0);
      const whole = svg("svg", { class: "zus", xmlns: NS, width: this.width, height, viewBox: `0 0 ${this.width} ${height}` },
        svg("title", {}, this.scene.title), svg("style", {}, document.getElementById("drawing-style").textContent),
        svg("rect", { class: "back", width: this.width, height }), heads, body);
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

  function legend() {
    const line = (c, text) => el("li", {}, svg("svg", { class: "zus", width: 34, height: 10 },
      svg("path", { class: `arrow ${c}`, d: "M1 5H33" })), " " + text);
    return el("details", { class: "legend" }, el("summary", {}, "Legend and keys"), el("ul", {},
      line("ticket", "ticket"), line("notarization", "notarization"), line("timeout", "timeout"), line("timeout_certificate", "timeout certificate"),
      line("vote", "finality vote"), line("finality_certificate", "finality certificate"), line("ticket byzantine", "sent by a Byzantine miner"),
      line("notarization late", "late or withheld: the receiver acted without it before"),
      el("li", {}, "tints: the (round, subround) that a miner is in; grey: it is down"),
      el("li", {}, "rows without a number are implied by the step that they stand at"),
      el("li", {}, "→ ← next and last step, ↓ ↑ next and last row, Home End, v the row that shows the property")));
  }

  function cut(text, most) { return text.length > most ? text.slice(0, most - 1) + "…" : text; }
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
  return { View, el, svg, theme, read, save };
})();
