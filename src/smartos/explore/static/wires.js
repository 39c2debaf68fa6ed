// Which front end wires which kind of part, for every host.
import { wireExplorer } from "./explorer.js";
import { wirePractice } from "./practice.js";
import { wirePredict } from "./predict.js";

export const WIRES = { explorer: wireExplorer, stepper: wireExplorer, practice: wirePractice, predict: wirePredict };
