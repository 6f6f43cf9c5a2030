// The logged metrics over steps or time, a drawing for each.

const SIZE = { least: 260, height: 260 };
const curveView = { chosen: new Set(data.curves.slice(0, 6).map((curve) => curve.name)), x: 0, log: false, weight: 0 };

function startCurves() {
  const section = byId("curves");
  if (!section) return;
  const box = byId("curve-grid");
  const redraw = () => drawCurves(box);
  if (data.curves.length > 1) {
    const names = data.curves.map((curve) => ({ key: curve.name, label: curve.name }));
    switches(byId("curve-names"), names, curveView.chosen, redraw);
  }
  byId("curve-x").addEventListener("change", (event) => {
    curveView.x = Number(event.target.value);
    redraw();
  });
  byId("curve-log").addEventListener("change", (event) => {
    curveView.log = event.target.checked;
    redraw();
  });
  byId("curve-smooth").addEventListener("input", (event) => {
    curveView.weight = Number(event.target.value);
    redraw();
  });
  redrawers.push(redraw);
}

function drawCurves(box) {
  unmark(box);
  box.textContent = "";
  data.curves.filter((curve) => curveView.chosen.has(curve.name)).forEach((curve) => {
    const figure = add(box, "figure");
    add(figure, "h3", {}, curve.name);
    drawCurve(figure, curve);
  });
  refresh();
}

function smooth(values, weight) {
  let [total, scale] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    total = weight * total + (1 - weight) * value;
    scale = weight * scale + (1 - weight);
    return total / scale;
  });
}

// The points of each run as [x, value] in units of the data; what cannot be drawn is left out.
function pointsOf(curve) {
  return curve.runs.map((points) => {
    if (!points) return [];
    const values = curveView.weight ? smooth(points[2], curveView.weight) : points[2];
    const found = [];
    values.forEach((value, at) => {
      if (value !== null && !(curveView.log && value <= 0)) found.push([points[curveView.x][at], value]);
    });
    return found;
  });
}

function drawCurve(figure, curve) {
  const points = pointsOf(curve);
  const every = points.flat();
  const svg = drawing(figure, SIZE.least, SIZE.height);
  const width = svg.viewBox.baseVal.width;
  svg.tabIndex = 0;
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", curve.name + ": left and right move along a run, up and down to another");
  if (!every.length) {
    add(svg, "text", { x: width / 2, y: SIZE.height / 2, "text-anchor": "middle" }, "no values to draw");
    return;
  }
  const y = yScale(every.map((point) => point[1]));
  const box = { left: 14 + widest(y), top: 10, right: width - 12, bottom: SIZE.height - 40 };
  const [first, last] = extent(every.map((point) => point[0]));
  const x = numberScale(first, last, box.left, box.right, false, 7);
  axes(svg, box, x, y);
  const name = curveView.x ? "seconds" : "step";
  add(svg, "text", { x: (box.left + box.right) / 2, y: SIZE.height - 6, "text-anchor": "middle", class: "name" }, name);
  const group = add(svg, "g");
  const places = points.map((of) => of.map(([a, b]) => [x.at(a), y.at(b)]));
  places.forEach((of, run) => {
    if (of.length === 1) mark(add(group, "circle", { cx: of[0][0], cy: of[0][1], r: 3.5, class: "dot" }), run);
    if (of.length > 1) mark(add(group, "path", { d: "M" + of.map(pair).join("L"), class: "line" }), run);
  });
  follow(svg, curve, points, places);
}

const pair = ([x, y]) => x.toFixed(1) + " " + y.toFixed(1);

function yScale(values) {
  const [top, bottom] = [10, SIZE.height - 40];
  let [low, high] = extent(values);
  if (!curveView.log && high > low) {
    const by = step((high - low) / 5);
    [low, high] = [Math.floor(low / by + 1e-9) * by, Math.ceil(high / by - 1e-9) * by];
  }
  return numberScale(low, high, bottom, top, curveView.log, 5);
}

// A dot follows the mouse, or the arrow keys, from point to point of the runs that are shown.
function follow(svg, curve, points, places) {
  const dot = add(svg, "circle", { r: 4.5, class: "follow", visibility: "hidden" });
  let [run, at] = [-1, 0];
  const show = () => {
    const [x, y] = places[run][at];
    dot.setAttribute("cx", x);
    dot.setAttribute("cy", y);
    dot.setAttribute("visibility", "visible");
    dot.style.setProperty("--run", colours[run]);
    hover(run);
    const rows = [[curveView.x ? "seconds" : "step", points[run][at][0]], [curve.name, points[run][at][1]]];
    tell(run, rows, ...onScreen(svg, x, y));
  };
  const leave = () => {
    dot.setAttribute("visibility", "hidden");
    untell();
  };
  svg.addEventListener("mousemove", (event) => {
    const found = nearest(places, ...place(svg, event));
    if (!found) return;
    [run, at] = found;
    show();
  });
  svg.addEventListener("mouseleave", leave);
  svg.addEventListener("blur", leave);
  svg.addEventListener("click", () => run >= 0 && pin(run));
  svg.addEventListener("keydown", (event) => {
    const key = event.key;
    if (key === "Enter" && run >= 0) pin(run);
    if (key === "Escape") leave();
    if (!key.startsWith("Arrow")) return;
    event.preventDefault();
    const order = places.map((_, index) => index).filter((index) => shown[index] && places[index].length);
    if (!order.length) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[key] || 0;
    run = order[(Math.max(order.indexOf(run), 0) + by + order.length) % order.length];
    at = Math.min(Math.max(at + ({ ArrowRight: 1, ArrowLeft: -1 }[key] || 0), 0), places[run].length - 1);
    show();
  });
}

function nearest(places, x, y) {
  let [found, least] = [null, Infinity];
  places.forEach((of, run) => {
    if (!shown[run] || !of.length || (state.pinned.size && !state.pinned.has(run))) return;
    let [low, high] = [0, of.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (of[middle][0] < x) low = middle + 1;
      else high = middle;
    }
    for (const at of [Math.max(low - 1, 0), low]) {
      const far = (of[at][0] - x) ** 2 + (of[at][1] - y) ** 2;
      if (far < least) [found, least] = [[run, at], far];
    }
  });
  return found;
}
