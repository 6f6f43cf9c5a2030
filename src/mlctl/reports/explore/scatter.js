// Any two columns against one another.

const WIDE = { least: 300, height: 400 };

function startScatter() {
  const box = byId("scatter-box");
  if (!box) return;
  const [x, y] = [byId("scatter-x"), byId("scatter-y")];
  const redraw = () => drawScatter(box, byKey.get(x.value), byKey.get(y.value));
  x.addEventListener("change", redraw);
  y.addEventListener("change", redraw);
  redrawers.push(redraw);
}

function drawScatter(box, across, up) {
  unmark(box);
  box.textContent = "";
  const svg = drawing(box, WIDE.least, WIDE.height);
  const width = svg.viewBox.baseVal.width;
  const y = scaleOf(up.values, WIDE.height - 50, 16);
  const room = { left: 34 + widest(y), top: 16, right: width - 24, bottom: WIDE.height - 44 };
  const x = scaleOf(across.values, room.left + 10, room.right - 10);
  axes(svg, room, x, y);
  const middle = (room.top + room.bottom) / 2;
  const title = (column, scale) => column.name + (scale.log ? " (log)" : "");
  add(svg, "text", { x: (room.left + room.right) / 2, y: WIDE.height - 8, "text-anchor": "middle", class: "name" }, title(across, x));
  add(svg, "text", { x: 14, y: middle, "text-anchor": "middle", class: "name", transform: "rotate(-90 14 " + middle + ")" }, title(up, y));
  const group = add(svg, "g");
  runs.forEach((_, run) => {
    const [cx, cy] = [x.at(across.values[run]), y.at(up.values[run])];
    if (cx === null || cy === null) return;
    const dot = mark(add(group, "circle", { cx, cy, r: 5.5, class: "dot", tabindex: 0, role: "button" }), run);
    dot.setAttribute("aria-label", runs[run].label + ": " + number(across.values[run]) + ", " + number(up.values[run]));
    const show = () => {
      hover(run);
      tell(run, [[across.name, across.values[run]], [up.name, up.values[run]]], ...onScreen(svg, cx, cy));
    };
    dot.addEventListener("mouseenter", show);
    dot.addEventListener("mouseleave", untell);
    dot.addEventListener("focus", show);
    dot.addEventListener("blur", untell);
    dot.addEventListener("click", () => pin(run));
    dot.addEventListener("keydown", (event) => event.key === "Enter" && pin(run));
  });
  refresh();
}
