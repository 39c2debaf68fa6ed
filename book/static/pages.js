// The entry of the built page: host every explorer over its stored frames.
import { host } from "../../src/smartos/explore/static/explorer.js";

host();
