// The table: its rows are those of the page, in the order of the runs as it was written.

function startTable() {
  const table = document.querySelector("#runs table");
  const rows = [...table.tBodies[0].rows];
  rows.forEach((row, run) => {
    mark(row, run);
    row.addEventListener("mouseenter", () => hover(run));
    row.addEventListener("mouseleave", () => hover(-1));
    row.addEventListener("focusin", () => hover(run));
    row.addEventListener("focusout", () => hover(-1));
    const button = row.querySelector("button");
    button.addEventListener("click", () => pin(run));
    refreshers.push(() => button.setAttribute("aria-pressed", state.pinned.has(run)));
    runs[run].text = row.textContent.toLowerCase();
  });
  bars(rows);
}

// Behind every number: how far it is from the least to the greatest of its column.
function bars(rows) {
  columns.forEach((column) => {
    if (column.at === null) return;
    const numbers = column.values.filter((value) => typeof value === "number");
    const [low, high] = extent(numbers);
    if (!(high > low)) return;
    rows.forEach((row, run) => {
      const value = column.values[run];
      if (typeof value !== "number") return;
      const share = Math.round(100 * (value - low) / (high - low));
      row.cells[column.at].style.setProperty("--share", share + "%");
      row.cells[column.at].classList.add("bar");
    });
  });
}
