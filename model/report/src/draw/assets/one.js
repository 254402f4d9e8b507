// A page with one run.
"use strict";
window.zus = new Zus.View(document.getElementById("view"), Zus.read("scene"), document.getElementById("drawing").content, { mermaid: Zus.read("mermaid") });
