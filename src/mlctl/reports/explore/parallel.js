// Parallel coordinates: an axis for each parameter and metric, a line for each run, brushes.

const TALL = { height: 366, top: 46, bottom: 330, gap: 88 };
const axesChosen = new Set(data.axes);
// Metrics on the right: what came of it.
const inOrder = ["param", "info", "metric"].flatMap((kind) => columns.filter((column) => column.kind === kind));
const ranges = new Map(); // of each brushed axis: from where to where, in pixels

function startParallel() {
  const box = byId("parallel-box");
  if (!box) return;
  const names = inOrder.map((column) => ({ key: column.key, label: column.name }));
  switches(byId("parallel-names"), names, axesChosen, () => {
    [...ranges.keys()].filter((key) => !axesChosen.has(key)).forEach((key) => {
      ranges.delete(key);
      state.brushes.delete(key);
    });
    drawParallel(box);
  });
  byId("reset").addEventListener("click", () => {
    ranges.clear();
    state.brushes.clear();
    drawParallel(box);
  });
  redrawers.push(() => drawParallel(box));
}

function drawParallel(box) {
  unmark(box);
  box.textContent = "";
  const chosen = inOrder.filter((column) => axesChosen.has(column.key));
  const svg = drawing(box, chosen.length * TALL.gap, TALL.height);
  const width = svg.viewBox.baseVal.width;
  const scales = chosen.map((column) => scaleOf(column.values, TALL.bottom, TALL.top));
  const xOf = (at) => (width / Math.max(chosen.length, 1)) * (at + 0.5);
  const group = add(svg, "g");
  runs.forEach((_, run) => {
    const places = chosen.map((column, at) => {
      const y = scales[at].at(column.values[run]);
      return [xOf(at), y === null ? TALL.bottom + 22 : y]; // what is not there lies below
    });
    if (places.length < 2) return;
    const line = mark(add(group, "path", { d: bent(places), class: "line" }), run);
    line.addEventListener("mousemove", (event) => {
      hover(run);
      tell(run, chosen.map((column) => [column.name, column.values[run]]), event.clientX, event.clientY);
    });
    line.addEventListener("mouseleave", untell);
    line.addEventListener("click", () => pin(run));
  });
  chosen.forEach((column, at) => drawAxis(svg, column, scales[at], xOf(at)));
  refresh();
}

function bent(places) {
  return places.map(([x, y], at) => {
    if (at === 0) return "M" + pair([x, y]);
    const [beforeX, beforeY] = places[at - 1];
    const middle = (beforeX + x) / 2;
    return "C" + [[middle, beforeY], [middle, y], [x, y]].map(pair).join(" ");
  }).join("");
}

function drawAxis(svg, column, scale, x) {
  const axis = add(svg, "g", { class: "brushed", tabindex: 0, role: "group" });
  axis.setAttribute("aria-label", "axis " + column.name + ": Enter makes a brush, up and down move it, Shift makes it longer or shorter, Escape takes it away");
  add(axis, "line", { x1: x, x2: x, y1: TALL.top, y2: TALL.bottom, class: "axis" });
  const title = add(axis, "text", { x, y: TALL.top - 24, "text-anchor": "middle", class: "name " + column.kind }, clip(column.name, 16));
  add(title, "title", {}, column.key);
  if (scale.log) add(axis, "text", { x, y: TALL.top - 11, "text-anchor": "middle", class: "small" }, "log");
  scale.ticks.forEach((tick) => {
    add(axis, "line", { x1: x - 4, x2: x, y1: tick.at, y2: tick.at, class: "axis" });
    add(axis, "text", { x: x - 7, y: tick.at + 4, "text-anchor": "end", class: "on" }, tick.label);
  });
  if (column.values.includes(null)) add(axis, "text", { x: x - 7, y: TALL.bottom + 26, "text-anchor": "end" }, "none");
  const brush = add(axis, "rect", { x: x - 9, width: 18, class: "brush", visibility: "hidden" });
  const room = add(axis, "rect", { x: x - 16, y: TALL.top - 8, width: 32, height: TALL.bottom - TALL.top + 16, class: "room" });
  brushing(svg, axis, room, brush, column, scale);
}

function brushing(svg, axis, room, brush, column, scale) {
  const set = (from, to) => {
    const inside = (y) => Math.min(Math.max(y, TALL.top - 4), TALL.bottom + 4);
    const range = [inside(Math.min(from, to)), inside(Math.max(from, to))];
    ranges.set(column.key, range);
    brush.setAttribute("visibility", "visible");
    brush.setAttribute("y", range[0]);
    brush.setAttribute("height", range[1] - range[0]);
    state.brushes.set(column.key, (run) => {
      const y = scale.at(column.values[run]);
      return y !== null && y >= range[0] && y <= range[1];
    });
  };
  const clear = () => {
    ranges.delete(column.key);
    state.brushes.delete(column.key);
    brush.setAttribute("visibility", "hidden");
  };
  if (ranges.has(column.key)) set(...ranges.get(column.key));
  dragging(svg, room, (from, to) => {
    if (Math.abs(to - from) > 3) set(from, to);
    else clear();
    refresh();
  });
  axis.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -8, ArrowDown: 8 }[event.key];
    const range = ranges.get(column.key);
    if (event.key === "Enter") set(TALL.top - 4, (TALL.top * 2 + TALL.bottom) / 3);
    else if (event.key === "Escape") clear();
    else if (by && range) set(range[0] + (event.shiftKey ? 0 : by), range[1] + by);
    else return;
    event.preventDefault();
    refresh();
  });
}

function dragging(svg, room, dragged) {
  let start = null;
  room.addEventListener("pointerdown", (event) => {
    room.setPointerCapture(event.pointerId);
    start = place(svg, event)[1];
    dragged(start, start);
  });
  room.addEventListener("pointermove", (event) => start !== null && dragged(start, place(svg, event)[1]));
  room.addEventListener("pointerup", () => (start = null));
  room.addEventListener("pointercancel", () => (start = null));
}
