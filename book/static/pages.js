// The entry of the built page: host every explorer over its stored frames, then what makes reading easier.
import { host } from "../../src/smartos/explore/static/explorer.js";
import { sortTables } from "./tables.js";
import { filterTables } from "./filters.js";
import { colours, copyButtons, scrollers, showPlace, unfoldForPrint, unfoldTarget } from "./reading.js";

colours();
host();
sortTables();
filterTables();
copyButtons();
scrollers();
showPlace();
unfoldTarget();
unfoldForPrint();
