// The built page: every part gets answers from what the page stores, and beyond that from Python in the page, where the
// reader runs it.
import { placeOf } from "./address.js";
import { nearest } from "./explorer.js";
import { checked } from "./reply.js";
import { WIRES } from "./wires.js";

/** What smartos.explore.kit.part.packed has packed. */
export async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** The position of listed values in the lattice's order, the last control running fastest; -1 off the lattice. */
function runIndex(store, values) {
  const places = store.controls.map((control, i) => control.values.indexOf(values[i]));
  if (places.includes(-1)) return -1;
  return store.controls.reduce((sum, control, i) => sum * control.values.length + places[i], 0);
}

function storedRun(store, values) {
  const frame = ([figure, says, table]) => [store.figures[figure], store.says[says], store.tables[table]];
  return store.runs[runIndex(store, values)].map(frame);
}

const OFFER = "Compute it with Python in the page";

/** An answer of Python in the page; a failure is an answer too. */
async function fromPython(python, name, question) {
  try {
    return await python.ask(name, question);
  } catch (reason) {
    return { error: reason.message };
  }
}

/** Frames of a state: stored, else computed by Python in the page, else those of the nearest stored state, and said. */
function framesFrom(store, python) {
  return async ({ state, compute }) => {
    const asked = store.controls.map((control) => state[control.key]);
    if (!store.runs) return fromPython(python, store.name, { state });
    if (runIndex(store, asked) >= 0) return { frames: storedRun(store, asked) };
    if (compute || python?.running()) return fromPython(python, store.name, { state });
    const values = store.controls.map((control, i) => control.values[Math.max(0, nearest(control, asked[i]))]);
    const off = store.controls.filter((control, i) => values[i] !== asked[i]);
    const names = off.map((control) => `${control.key} = ${state[control.key] || "nothing"}`).join(", ");
    return {
      frames: storedRun(store, values),
      state: Object.fromEntries(store.controls.map((control, i) => [control.key, values[i]])),
      note: `No frame is stored for ${names}; this is the nearest.`,
      offer: off.every((control) => control.between) && python?.available() ? OFFER : "",
    };
  };
}

/** Verdicts on answers: stored, else given by Python in the page. */
const verdictsFrom = (store, python) => async (question) =>
  store.verdicts ? store.verdicts[question.answer] : fromPython(python, store.name, question);

/** Problems and verdicts on answers: stored, else made by Python in the page, else the word on which seeds are stored. */
function problemsFrom(store, python) {
  const seeds = Object.keys(store.problems ?? {});
  return async ({ seed, answer, compute }) => {
    const problem = seeds.includes(seed) && store.problems[seed];
    if (problem) return answer === undefined ? problem : checked(problem, answer);
    if (answer !== undefined) return fromPython(python, store.name, { seed, answer });
    if (compute || !store.problems || python?.running()) return fromPython(python, store.name, { seed });
    return {
      error: `This page stores the problems of seeds ${seeds[0]} to ${seeds.at(-1)}.`,
      offer: python?.available() ? OFFER : "",
    };
  };
}

const ASKS = { explorer: framesFrom, stepper: framesFrom, practice: problemsFrom, predict: verdictsFrom };

/** Wire every part under `root` that is not yet; resolves when all are, and the states they were asked for are shown. */
export async function host(root, python) {
  await Promise.all(
    [...root.querySelectorAll("[data-part]:not([data-live], .smartos-live)")].map(async (el) => {
      const store = await unpacked(el.querySelector(".part-store").textContent);
      const ask = ASKS[store.kind](store, python);
      const anew = Boolean(el.unwire);
      el.unwire = WIRES[store.kind](el, store, ask, placeOf(store.name), anew);
    }),
  );
}
