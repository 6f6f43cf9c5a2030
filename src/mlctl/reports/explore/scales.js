// From values to pixels: numbers (by powers of ten where they span many), and names in a row.

function step(rough) {
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  return [1, 2, 5, 10].find((times) => times * power >= rough * (1 - 1e-9)) * power;
}

function ticksOf(low, high, about) {
  const by = step((high - low) / about);
  const found = [];
  for (let at = Math.ceil(low / by - 1e-9); at <= high / by + 1e-9 && found.length < 50; at++) {
    found.push(Number((at * by).toPrecision(12)));
  }
  return found;
}

function powersOf(low, high) {
  const found = [];
  for (let power = Math.ceil(low - 1e-9); power <= high + 1e-9; power++) found.push(Math.pow(10, power));
  return found.length < 2 ? null : found.filter((_, at) => at % Math.ceil(found.length / 7) === 0);
}

function numberScale(low, high, start, end, log, about) {
  const of = log ? Math.log10 : Number;
  let [from, to] = [of(low), of(high)];
  if (to - from <= 1e-12 * Math.max(Math.abs(from), Math.abs(to))) {
    const room = Math.abs(from) * 0.05 || 1;
    [from, to] = [from - room, to + room];
  }
  const at = (value) => {
    if (typeof value !== "number" || (log && value <= 0)) return null;
    return start + ((of(value) - from) / (to - from)) * (end - start);
  };
  const powers = log ? powersOf(from, to) : null;
  const back = (value) => (log ? Math.pow(10, value) : value);
  const values = powers || (log ? [low, high] : ticksOf(from, to, about));
  const ticks = values.map((value) => ({ at: at(value), label: number(value) }));
  return { at, ticks, log, low: number(low), high: number(high), back: (share) => back(from + share * (to - from)) };
}

function nameScale(names, start, end) {
  const order = [...names].sort((a, b) => (a < b ? -1 : 1));
  const gap = (end - start) / Math.max(order.length - 1, 1);
  const where = new Map(order.map((name, at) =>
    [name, order.length === 1 ? (start + end) / 2 : start + at * gap]));
  const at = (value) => (value === null ? null : where.get(text(value)));
  const every = Math.ceil(order.length / 14);
  const ticks = order.filter((_, index) => index % every === 0)
    .map((name) => ({ at: where.get(name), label: clip(name, 14) }));
  return { at, ticks, log: false, low: clip(order[0] || "", 14), high: clip(order[order.length - 1] || "", 14) };
}

const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const clip = (name, most) => (name.length > most ? name.slice(0, most - 1) + "…" : name);

// The scale that fits the values of a column; null is nowhere.
function scaleOf(values, start, end) {
  const there = values.filter((value) => value !== null);
  const numbers = there.filter((value) => typeof value === "number");
  if (!numbers.length || numbers.length < there.length) return nameScale(new Set(there.map(text)), start, end);
  const [low, high] = extent(numbers);
  return numberScale(low, high, start, end, low > 0 && high / low >= 50, 5);
}

function extent(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of numbers) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

// Axes of a drawing whose room is `box`: {left, top, right, bottom}.
function axes(svg, box, x, y) {
  y.ticks.forEach((tick) => {
    add(svg, "line", { x1: box.left, x2: box.right, y1: tick.at, y2: tick.at, class: "grid" });
    add(svg, "text", { x: box.left - 7, y: tick.at + 4, "text-anchor": "end" }, tick.label);
  });
  add(svg, "line", { x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, class: "axis" });
  let until = -Infinity;
  x.ticks.forEach((tick) => {
    const half = tick.label.length * 3.5;
    add(svg, "line", { x1: tick.at, x2: tick.at, y1: box.bottom, y2: box.bottom + 4, class: "axis" });
    if (tick.at - half < until) return;
    until = tick.at + half + 6;
    add(svg, "text", { x: tick.at, y: box.bottom + 17, "text-anchor": "middle" }, tick.label);
  });
}

const widest = (scale) => Math.max(...scale.ticks.map((tick) => tick.label.length), 1) * 7;

// Where on a drawing the mouse is, in its own units.
function place(svg, event) {
  const box = svg.getBoundingClientRect();
  const view = svg.viewBox.baseVal;
  return [(event.clientX - box.left) * view.width / box.width, (event.clientY - box.top) * view.height / box.height];
}

// Where a place on a drawing is in the window.
function onScreen(svg, x, y) {
  const box = svg.getBoundingClientRect();
  const view = svg.viewBox.baseVal;
  return [box.left + x * box.width / view.width, box.top + y * box.height / view.height];
}

// A drawing in the units of the screen: as wide as its box, but at least `least`.
function drawing(box, least, height) {
  const width = Math.max(Math.floor(box.clientWidth), least);
  return add(box, "svg", { viewBox: "0 0 " + width + " " + height, width, height });
}
