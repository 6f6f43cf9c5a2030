// What every view shares: the data of the page, which runs stand out, and their colours.

const data = JSON.parse(document.getElementById("data").textContent);
const runs = data.runs;
const columns = data.columns;
const byKey = new Map(columns.map((column) => [column.key, column]));
const byId = (id) => document.getElementById(id);

const state = { hover: -1, pinned: new Set(), brushes: new Map(), words: "", colour: "" };
const marks = runs.map(() => []); // of each run: what stands for it in any view
const shown = runs.map(() => true); // by the words and the brushes
const redrawers = []; // called at the start, and when the window has another width
const refreshers = []; // called after `shown` or the colours have changed

function add(parent, name, attributes, text) {
  const svg = parent instanceof SVGElement || name === "svg";
  const made = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const key in attributes || {}) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  parent.appendChild(made);
  return made;
}

function number(value) {
  if (typeof value !== "number") return value === null ? "–" : String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

// A mark follows its run: colour, dimming, and what the mouse does to it.
function mark(element, run) {
  element.classList.add("mark");
  element.style.setProperty("--run", colours[run]);
  marks[run].push(element);
  return element;
}

// Whatever a view draws anew, it first takes its old marks out.
function unmark(parent) {
  for (let run = 0; run < runs.length; run++) {
    marks[run] = marks[run].filter((element) => !parent.contains(element));
  }
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");
// From low to high, so that high stands out on the paper.
const RAMPS = {
  light: [[236, 160, 60], [211, 67, 110], [74, 20, 110]],
  dark: [[110, 92, 214], [224, 86, 143], [251, 205, 122]],
};
let colours = [];

function ramp(share) {
  const stops = RAMPS[dark.matches ? "dark" : "light"];
  const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const from = Math.min(Math.floor(place), stops.length - 2);
  const mixed = stops[from].map((low, at) => low + (stops[from + 1][at] - low) * (place - from));
  return "rgb(" + mixed.map(Math.round).join(",") + ")";
}

function recolour() {
  const column = byKey.get(state.colour);
  if (column) {
    const scale = scaleOf(column.values, 0, 1);
    colours = column.values.map((value) => {
      const share = scale.at(value);
      return share === null ? "var(--muted)" : ramp(share);
    });
    showRamp(scale);
  } else {
    colours = runs.map((_, run) => "var(--c" + ((run % 8) + 1) + ")");
    byId("ramp").hidden = true;
  }
  marks.forEach((elements, run) =>
    elements.forEach((element) => element.style.setProperty("--run", colours[run])));
}

function showRamp(scale) {
  const box = byId("ramp");
  const steps = [0, 0.25, 0.5, 0.75, 1].map(ramp).join(",");
  box.hidden = false;
  box.textContent = "";
  add(box, "span", {}, scale.low);
  add(box, "i", { style: "background:linear-gradient(90deg," + steps + ")" });
  add(box, "span", {}, scale.high);
}

function hover(run) {
  if (state.hover === run) return;
  if (state.hover >= 0) marks[state.hover].forEach((element) => element.classList.remove("hot"));
  state.hover = run;
  document.body.classList.toggle("hovering", run >= 0);
  if (run < 0) return;
  marks[run].forEach((element) => element.classList.add("hot"));
}

function pin(run) {
  if (!state.pinned.delete(run)) state.pinned.add(run);
  refresh();
}

function refresh() {
  const test = tester(state.words);
  runs.forEach((_, run) => {
    shown[run] = test(run) && [...state.brushes.values()].every((inside) => inside(run));
    const dim = !shown[run] || (state.pinned.size > 0 && !state.pinned.has(run));
    marks[run].forEach((element) => {
      element.classList.toggle("out", !shown[run]);
      element.classList.toggle("dim", dim);
      element.classList.toggle("pinned", state.pinned.has(run));
    });
  });
  const count = shown.filter(Boolean).length;
  const all = runs.length === 1 ? "1 run" : runs.length + " runs";
  byId("count").textContent = count === runs.length ? all : count + " of " + all;
  byId("reset").disabled = !(state.words || state.brushes.size || state.pinned.size);
  refreshers.forEach((call) => call());
}

// `adam auc>0.9`: every word is in the run's row, or holds for its column.
function tester(words) {
  const tests = words.trim().toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const form = /^(.+?)(>=|<=|!=|=|>|<)(.+)$/.exec(word);
    const column = form && columns.find((it) =>
      [it.name, it.key].some((name) => name.toLowerCase() === form[1]));
    if (!column) return (run) => runs[run].text.includes(word);
    return (run) => holds(column.values[run], form[2], form[3]);
  });
  return (run) => tests.every((test) => test(run));
}

function holds(value, sign, wanted) {
  const text = String(value).toLowerCase();
  const same = typeof value === "number" ? value === Number(wanted) : text === wanted;
  if (sign === "=" || sign === "!=") return same === (sign === "=");
  if (typeof value !== "number") return false;
  const than = Number(wanted);
  return { ">": value > than, "<": value < than, ">=": value >= than, "<=": value <= than }[sign];
}

const tip = add(document.body, "div", { id: "tip", role: "status" });

function tell(run, rows, x, y) {
  tip.textContent = "";
  add(tip, "b", {}, runs[run].label);
  rows.forEach(([name, value]) => {
    const row = add(tip, "div");
    add(row, "span", {}, name);
    add(row, "span", {}, number(value));
  });
  tip.style.display = "block";
  const right = x + 16 + tip.offsetWidth > innerWidth;
  tip.style.left = Math.max(4, right ? x - 16 - tip.offsetWidth : x + 16) + "px";
  tip.style.top = Math.max(4, Math.min(y + 16, innerHeight - tip.offsetHeight - 4)) + "px";
}

function untell() {
  tip.style.display = "none";
  hover(-1);
}

// A row of switches, one for each name; `chosen` is a Set that they change.
function switches(box, names, chosen, changed) {
  names.forEach((name) => {
    const button = add(box, "button", { type: "button", class: "chip" }, name.label);
    const show = () => button.setAttribute("aria-pressed", chosen.has(name.key));
    button.addEventListener("click", () => {
      if (!chosen.delete(name.key)) chosen.add(name.key);
      show();
      changed();
    });
    show();
  });
}
