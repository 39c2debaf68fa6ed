// The entry of the built page: Python for its cells, every part over what the page stores of it, and what makes reading
// easier.
import { followAddresses } from "../../src/smartos/explore/static/address.js";
import { host } from "../../src/smartos/explore/static/stored.js";
import { pageCells } from "./run/cells.js";
import { sortTables } from "./tables.js";
import { filterTables } from "./filters.js";
import { colours, copyButtons, scrollers, showPlace, unfoldForPrint, unfoldTarget } from "./reading.js";

/** The parts under `root` begin to work: on the page, in new output, and in output that is put back. */
const hostParts = (root) => host(root, python);

/** What a cell has just put into the page works as what was there before. */
function enliven(root) {
  sortTables(root);
  filterTables(root);
  copyButtons(root);
  scrollers(root);
  return hostParts(root);
}

colours();
const python = pageCells(enliven, hostParts);
enliven(document).then(followAddresses);
showPlace();
unfoldTarget();
unfoldForPrint();
