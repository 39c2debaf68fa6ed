// Tables of class sortable: a click on a header sorts by it, a second click turns the order round. A third gives back
// the order in which the page was written.

/** What a cell is sorted by: a number where it is one, else its words. */
export function keyOf(cell) {
  const text = (cell?.dataset.sort ?? cell?.textContent ?? "").trim();
  const number = Number(text.replace(/[,\s%]/g, ""));
  return text !== "" && Number.isFinite(number) ? number : text;
}

/** The order of two keys: numbers by size and before words, words as a dictionary has them, nothing last. */
export function compare(a, b) {
  if (a === "" || b === "") return (a === "") - (b === "");
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a.localeCompare(b, document.documentElement.lang, { numeric: true, sensitivity: "base" });
}

function sort(table, column, order) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  rows.forEach((row, i) => (row.dataset.written ??= i));
  const sign = order === "descending" ? -1 : 1;
  const written = (row) => Number(row.dataset.written);
  rows.sort((a, b) => {
    if (order === "none") return written(a) - written(b);
    const [x, y] = [keyOf(a.cells[column]), keyOf(b.cells[column])];
    const empty = x === "" || y === "";
    return (empty ? 1 : sign) * compare(x, y) || written(a) - written(b);
  });
  body.append(...rows);
}

function wire(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const order = { ascending: "descending", descending: "none" }[head.ariaSort] ?? "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      if (order !== "none") head.ariaSort = order;
      sort(table, column, order);
    });
  });
}

export function sortTables(root = document) {
  for (const table of root.querySelectorAll("table.sortable")) {
    if (table.tHead && table.tBodies.length) wire(table);
  }
}
