// The controls that all views share, and the order in which the views start.

function start() {
  const colour = byId("colour");
  state.colour = colour.value;
  document.body.classList.toggle("many", runs.length > 60);
  recolour();
  startTable();
  startCurves();
  startParallel();
  startScatter();
  byId("words").addEventListener("input", (event) => {
    state.words = event.target.value;
    refresh();
  });
  colour.addEventListener("change", () => {
    state.colour = colour.value;
    recolour();
  });
  dark.addEventListener("change", recolour);
  byId("reset").addEventListener("click", () => {
    state.pinned.clear();
    state.words = byId("words").value = "";
    refresh();
  });
  byId("tools").hidden = false;
  redrawAll();
  let [wide, waiting] = [innerWidth, 0];
  window.addEventListener("resize", () => {
    if (innerWidth === wide) return; // a phone's bars come and go
    wide = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(redrawAll, 150);
  });
}

function redrawAll() {
  redrawers.forEach((redraw) => redraw());
  refresh();
}

start();
