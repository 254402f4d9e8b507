// Elements, and the shapes of events; what they are given goes into text nodes and attributes, never into markup.
"use strict";
const ZusShapes = (() => {
  const NS = "http://www.w3.org/2000/svg";

  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    return fill(node, attributes, children);
  }
  function svg(tag, attributes, ...children) {
    return fill(document.createElementNS(NS, tag), attributes, children);
  }
  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
    return node;
  }

  // ---- the shape of an event ----
  function glyph(kind, byzantine, x, y) {
    const c = `glyph ${kind}${byzantine ? " byzantine" : ""}`;
    switch (kind) {
      case "proposal": return svg("rect", { class: c, x: x - 6, y: y - 6, width: 12, height: 12, rx: 1.5 });
      case "ticket": return svg("circle", { class: c, cx: x, cy: y, r: 4 });
      case "vote": return svg("circle", { class: c, cx: x, cy: y, r: 4 });
      case "notarization": case "timeout_certificate": case "finality_certificate":
        return svg("path", { class: c, d: `M${x - 9} ${y}l4.5-7h9l4.5 7l-4.5 7h-9z` });
      case "leave": case "adopt": return svg("path", { class: c, d: `M${x - 6} ${y - 5}h12l-6 10z` });
      case "enter_subround": return svg("path", { class: c, d: `M${x - 5} ${y - 6}v12l10-6z` });
      case "timeout": return svg("path", { class: c, d: `M${x - 5} ${y - 6}h10l-10 12h10z` });
      case "finalize": return svg("rect", { class: c, x: x - 6, y: y - 6, width: 12, height: 12, rx: 6 });
      case "crash": return svg("path", { class: c, d: `M${x - 5} ${y - 5}l10 10m0-10l-10 10` });
      case "beacon": return svg("path", { class: c, d: `M${x} ${y - 6}l5 6l-5 6l-5-6z` });
      default: return svg("circle", { class: c, cx: x, cy: y, r: 5 });
    }
  }
  return { el, svg, glyph };
})();
