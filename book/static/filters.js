// Elements with data-filter-for="<id of a table>": a search field keeps the rows that hold its words, a select keeps the
// rows whose column data-column (its heading's words) says its value. How many are left is said politely.

const SETTLE = 300; // ms after the last key before the count is said

function columnOf(table, name) {
  return [...table.tHead.rows[0].cells].findIndex((head) => head.textContent.trim() === name);
}

function keeps(control, table, row) {
  const asked = control.value.trim().toLowerCase();
  if (!asked) return true;
  const column = control.dataset.column ? columnOf(table, control.dataset.column) : -1;
  const text = (column < 0 ? row : row.cells[column]).textContent.trim().toLowerCase();
  if (control.tagName === "SELECT" && column >= 0) return text === asked;
  return asked.split(/\s+/).every((word) => text.includes(word));
}

function wire(table, controls) {
  const count = document.createElement("span");
  count.className = "filter-count";
  count.setAttribute("role", "status");
  controls.at(-1).after(count);
  let settle = null;
  function apply() {
    const rows = [...table.tBodies[0].rows];
    for (const row of rows) row.hidden = !controls.every((control) => keeps(control, table, row));
    const shown = rows.filter((row) => !row.hidden).length;
    clearTimeout(settle);
    settle = setTimeout(() => (count.textContent = shown === rows.length ? `${shown} rows` : `${shown} of ${rows.length} rows`), SETTLE);
  }
  for (const control of controls) control.addEventListener("input", apply);
  if (controls.some((control) => control.value)) apply();
}

export function filterTables(root = document) {
  const byTable = Map.groupBy(root.querySelectorAll("[data-filter-for]"), (control) => control.dataset.filterFor);
  for (const [name, controls] of byTable) {
    const table = document.getElementById(name);
    if (table?.tBodies?.length) wire(table, controls);
  }
}
