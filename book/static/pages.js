// The entry of the built page: what makes reading easier, every figure with controls over its stored frames, and Python
// for its cells.
import { host } from "../../src/smartos/explore/static/explorer.js";
import { pageCells } from "./run/cells.js";
import { sortTables } from "./tables.js";
import { filterTables } from "./filters.js";
import { colours, copyButtons, scrollers, showPlace, unfoldForPrint, unfoldTarget } from "./reading.js";

/** The figures with controls under `root` begin to work. */
function hostParts(root) {
  host(root);
}

/** What a cell has just put into the page works as what was there before. */
function enliven(root) {
  hostParts(root);
  sortTables(root);
  filterTables(root);
  copyButtons(root);
  scrollers(root);
}

colours();
pageCells(enliven);
enliven(document);
showPlace();
unfoldTarget();
unfoldForPrint();
