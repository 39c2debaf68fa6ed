// Python in the page: a Run button at every cell, one namespace for all of them, run in order when asked.
//
// What the book stored of its cells is in the block of data that book_run.py writes. Nothing is loaded before a reader
// presses Run or Edit. The rest of the page's script gets an object `python`: available() and why() say whether Python
// can run here, running() whether it does, ask(name, question) lets the figure of that name answer, and runs the cells
// that make it first.

import { code } from "./edits.js";
import { outlet } from "./output.js";
import { Stopped, whyNot, worker } from "./python.js";
import { strip } from "./strip.js";
import { tools } from "./tools.js";

const GONE = "Python has ended, and its variables are gone; the next Run starts it anew.";

function mark(name) {
  if (!performance.getEntriesByName(name).length) performance.mark(name);
}

/** Wire the cells of this page. `enliven(el)` makes new output work as the page's own does, `hostParts(el)` old output. */
export function pageCells(enliven, hostParts) {
  const block = document.getElementById("page-cells");
  const data = block ? JSON.parse(block.textContent) : { cells: [], home: "", version: "", page: "" };
  const address = (name) => new URL(`${data.home}${name}?v=${data.version}`, location.href);
  const python = worker(address("run/worker.js"), heard);
  let numbers = 0; // of the cells that a reader sees
  const cells = data.cells.map(makeCell);
  const ways = { stop, reset: () => reset(false), resetAll: () => reset(true) };
  const status = cells.length ? strip(document.querySelector("article"), ways) : null;
  let loading = false;
  let queue = Promise.resolve();
  let wave = 0; // what was asked before the last stop is not run after it

  function makeCell(stored, at) {
    const box = document.querySelector(`[data-cell="${at}"]`);
    const place = stored.needs ? null : box?.querySelector(".cell-tools");
    const cell = { ...stored, at, state: "", seconds: "", ran: false, used: false };
    cell.name = box?.querySelector(".cell_input") ? `Cell ${++numbers}` : "A cell out of sight";
    cell.output = box ? outlet(box, stored.source, enliven, hostParts) : null;
    cell.tools = place ? tools(place, cell.name, actions(cell)) : null;
    cell.code = code({
      source: stored.source,
      key: `smartos edit ${data.page} ${at} ${stored.digest}`,
      label: `Code of ${cell.name.toLowerCase()}`,
      listing: place && box.querySelector(".cell_input div[class*='highlight-']"),
      editor: () => import(address("run/editor.js")),
      changed: () => turn(cell, busy() ? cell.state : ""),
      toggled: () => show(cell),
      run: () => press(withHidden(cell)),
      leave: () => cell.tools.focusEdit(),
    });
    return cell;
  }

  function actions(cell) {
    return {
      run: () => press(withHidden(cell)),
      stop,
      above: () => press(above(cell)),
      edit: () => edit(cell),
      discard: () => cell.code.discard(),
    };
  }

  const above = (cell) => cells.slice(0, cell.at).filter((other) => !other.needs);

  /** A cell, and before it those directly above that have no button of their own and have not run. */
  function withHidden(cell) {
    const last = above(cell).findLastIndex((other) => other.tools);
    return [...above(cell).slice(last + 1).filter((other) => !other.ran), cell];
  }

  const busy = () => cells.some((cell) => cell.state === "waiting" || cell.state === "running");
  const edited = () => cells.some((cell) => cell.code.edited());

  function show(cell) {
    cell.tools?.show({ ...cell, first: !above(cell).length, edited: cell.code.edited(), open: cell.code.open() });
    cell.output?.compare(cell.code.text());
    showStrip();
  }

  function showStrip() {
    status?.show({ loading, busy: busy(), used: cells.some((cell) => cell.used), edited: edited() });
  }

  function turn(cell, state) {
    cell.state = state;
    show(cell);
  }

  function heard(state, progress) {
    loading = state === "loading";
    if (loading && status.progress(progress)) status.say("Python is starting.");
    if (state === "ready") mark("python-ready");
    showStrip();
  }

  /** The reader wants these cells run, in this order, after what already waits. */
  function press(list) {
    if (whyNot()) return status.say(whyNot());
    mark("python-press");
    list.forEach((cell) => turn(cell, "waiting"));
    if (!python.running()) status.say("Python is loading.");
    const asked = wave;
    queue = queue.then(() => (asked === wave ? perform(list) : null)).catch(broken);
    return queue;
  }

  async function perform(list, quiet = false) {
    await python.start();
    for (const cell of list) {
      const error = await one(cell, quiet);
      if (!error || !(quiet || cell.tools)) continue;
      list.filter((other) => other.state === "waiting").forEach((other) => turn(other, ""));
      return error;
    }
    return null;
  }

  /** Run one cell. With `quiet` nothing is shown: it only has to have run. */
  async function one(cell, quiet) {
    const output = quiet ? null : cell.output;
    const started = performance.now();
    cell.used ||= !quiet;
    turn(cell, "running");
    const text = cell.code.text();
    output?.begin(text);
    const error = await python.run(text, (kind, text) => {
      mark("python-result");
      output?.put(kind, text);
    });
    mark("python-result");
    cell.seconds = ((performance.now() - started) / 1000).toFixed(2);
    cell.ran = !error;
    if (error) output?.fail(error, way(cell, error));
    output?.end(true);
    turn(cell, error ? "failed" : quiet ? "known" : "ran");
    const what = error ? `failed: ${error.last}${error.line ? `, line ${error.line}` : ""}` : "has run";
    status.say(`${cell.name} ${what}.`);
    return error;
  }

  /** A name is missing, and cells above have not run: offer to run them. */
  function way(cell, error) {
    const missing = above(cell).filter((other) => !other.ran);
    if (!error.name || !missing.length) return null;
    return cell.tools?.offer("Run all above, then this cell", () => press([...missing, cell]));
  }

  function stop() {
    wave += 1;
    python.end();
  }

  /** Python has ended, because the reader stopped it or because it could not go on. */
  function broken(reason) {
    const stopped = reason instanceof Stopped;
    wave += 1;
    for (const cell of cells) {
      const running = cell.state === "running";
      if (running) cell.output?.end(false);
      cell.ran = false;
      turn(cell, running && stopped ? "stopped" : "");
    }
    const what = stopped ? "Stopped." : `Python in the page failed: ${reason.message}.`;
    status.say(`${what} ${GONE}`);
  }

  /** The page as it was before the first Run; with `all`, the code too. */
  async function reset(all) {
    const first = cells.find((cell) => cell.tools && cell.used) ?? cells.find((cell) => cell.tools);
    stop();
    await queue;
    for (const cell of cells) {
      if (all && cell.code.edited()) cell.code.discard();
      if (cell.used) cell.output?.restore();
      cell.ran = cell.used = false;
      turn(cell, "");
    }
    status.hide("The page is as it was.");
    first?.tools.focusRun();
  }

  async function edit(cell) {
    if (whyNot()) return status.say(whyNot());
    try {
      await cell.code.toggle();
    } catch (reason) {
      status.say(`The editor did not load: ${reason.message}.`);
    }
  }

  /** The cells that must have run before the figure `name` is known to Python. */
  function makers(name) {
    const at = document.getElementById(name)?.closest("[data-cell]")?.dataset.cell;
    if (at === undefined) throw new Error(`No cell of this page shows ${name}.`);
    return cells.slice(0, Number(at) + 1).filter((cell) => !cell.needs && !cell.ran);
  }

  async function ask(name, question) {
    if (whyNot()) throw new Error(whyNot());
    const list = makers(name);
    if (!python.running()) status.say("Python is loading.");
    const asked = wave;
    const made = queue.then(() => (asked === wave ? perform(list, true) : Promise.reject(new Stopped())));
    queue = made.catch(broken);
    const error = await made;
    if (error) throw new Error(error.last);
    const answer = await python.ask(name, question);
    if (answer?.error) throw new Error(answer.error);
    return answer;
  }

  cells.forEach(show);
  return { available: () => Boolean(cells.length) && !whyNot(), why: whyNot, running: python.running, ask };
}
