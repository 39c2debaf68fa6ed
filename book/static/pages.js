// The entry of the built page: host every part over what the page stores of it, then what makes reading easier.
import { followAddresses } from "../../src/smartos/explore/static/address.js";
import { host } from "../../src/smartos/explore/static/stored.js";
import { sortTables } from "./tables.js";
import { filterTables } from "./filters.js";
import { colours, copyButtons, scrollers, showPlace, unfoldForPrint, unfoldTarget } from "./reading.js";

colours();
host(document, null).then(followAddresses);
sortTables();
filterTables();
copyButtons();
scrollers();
showPlace();
unfoldTarget();
unfoldForPrint();
