// The front end of every explorer. One source, two hosts: a live kernel (anywidget calls render with a model whose
// frames Python computes) and the built page (host() below, over the frames stored in the page). The markup comes
// from Python; this file only wires it.
//
// A model has get(key), set(key, value), save_changes(), on(event, callback), off(event, callback), with the keys
//   store  { name, kind, controls: [{ key, values, labels }], start, default }
//   state  { controls: [index, …], step }          written by the view
//   frame  { figure, says, table, steps, says_all } written by the kernel or by the store

const SETTLE = 150; // ms after the last move before the address changes: one entry a move, not one a pixel

/** A model over the frames stored in the page, with the part of the anywidget contract that the view uses. */
export class StoredModel {
  constructor(store) {
    this.values = { store, state: { controls: store.default, step: store.start }, frame: null };
    this.listeners = {};
  }

  get(key) {
    return this.values[key];
  }

  set(key, value) {
    this.values[key] = value;
  }

  save_changes() {
    const { store, state } = this.values;
    const run = store.runs[runIndex(store, state.controls)];
    const step = Math.min(state.step, run.length - 1);
    const [figure, says, table] = run[step];
    this.values.state = { ...state, step };
    this.values.frame = {
      figure: store.figures[figure],
      says: store.says[says],
      table: store.tables[table],
      step,
      steps: run.length,
      transcript: run.map((frame) => store.says[frame[1]]),
    };
    for (const listener of this.listeners["change:frame"] ?? []) listener();
  }

  on(event, listener) {
    (this.listeners[event] ??= []).push(listener);
  }

  off(event, listener) {
    this.listeners[event] = (this.listeners[event] ?? []).filter((other) => other !== listener);
  }
}

/** The position of a state in the lattice's order, the last control running fastest. */
function runIndex(store, indices) {
  return store.controls.reduce((sum, control, i) => sum * control.values.length + indices[i], 0);
}

/** The state that an address speaks of, or null: #name?key=value&step=n. Values off the lattice are reported. */
export function readAddress(hash, store) {
  const [name, query] = decodeURIComponent(hash.replace(/^#/, "")).split("?");
  if (name !== store.name) return null;
  const asked = new URLSearchParams(query ?? "");
  const unknown = [];
  const controls = store.controls.map((control, i) => {
    if (!asked.has(control.key)) return store.default[i];
    const index = nearest(control.values, asked.get(control.key));
    if (control.values[index] !== asked.get(control.key)) unknown.push(`${control.key}=${asked.get(control.key)}`);
    return index;
  });
  const step = asked.has("step") ? Math.max(0, Number.parseInt(asked.get("step"), 10) || 0) : store.start;
  return { state: { controls, step }, unknown };
}

/** The index of `value` in `values`; for numbers off the list, of the nearest; else the first. */
function nearest(values, value) {
  const exact = values.indexOf(value);
  if (exact >= 0) return exact;
  const number = Number(value);
  const distances = values.map((other) => Math.abs(Number(other) - number));
  const least = Math.min(...distances.filter((d) => !Number.isNaN(d)));
  return Math.max(0, distances.indexOf(least));
}

/** The address of a state. */
export function writeAddress(store, state) {
  const query = new URLSearchParams(store.controls.map((control, i) => [control.key, control.values[state.controls[i]]]));
  if (store.kind === "stepper") query.set("step", state.step);
  return `#${store.name}?${query}`;
}

/** Wire the markup in `el` to `model`. Returns the function that undoes it. */
function wire(model, el, { addresses }) {
  const store = model.get("store");
  const find = (selector) => el.querySelector(selector);
  const inputs = store.controls.map((control) => find(`[data-control="${control.key}"]`));
  const jump = find("[data-jump]");
  const note = find(".explorer-note");
  let timer = null;
  let settle = null;

  function put(state, { remember = true } = {}) {
    model.set("state", state);
    model.save_changes();
    if (addresses && remember) {
      clearTimeout(settle);
      settle = setTimeout(() => history.pushState(null, "", writeAddress(store, model.get("state"))), SETTLE);
    }
  }

  function readControls() {
    return inputs.map((input) => (input.type === "checkbox" ? Number(input.checked) : Number(input.value)));
  }

  function showControls({ controls, step }, steps, transcript) {
    inputs.forEach((input, i) => {
      const label = store.controls[i].labels[controls[i]];
      if (input.type === "checkbox") input.checked = Boolean(controls[i]);
      else input.value = controls[i];
      if (input.type === "range") {
        input.setAttribute("aria-valuetext", label);
        find(`output[for="${input.id}"]`).textContent = label;
      }
    });
    if (!jump) return;
    const last = steps - 1;
    jump.max = last;
    jump.value = step;
    jump.setAttribute("aria-valuetext", `${step} of ${last}`);
    find(`output[for="${jump.id}"]`).textContent = `${step} of ${last}`;
    const disable = (what, off) => find(`[data-step="${what}"]`).setAttribute("aria-disabled", String(off));
    for (const what of ["first", "back"]) disable(what, step === 0);
    for (const what of ["play", "forward", "last"]) disable(what, step === last);
    const list = find(".explorer-transcript ol");
    if (list.dataset.run !== String(controls)) {
      list.replaceChildren(...transcript.map((says) => Object.assign(document.createElement("li"), { textContent: says })));
      list.dataset.run = String(controls);
    }
    [...list.children].forEach((item, i) =>
      i === step ? item.setAttribute("aria-current", "step") : item.removeAttribute("aria-current"),
    );
  }

  function showFrame() {
    const frame = model.get("frame");
    if (!frame) return;
    find(".explorer-figure").innerHTML = frame.figure;
    const says = find(".explorer-says");
    if (says.textContent !== frame.says) says.textContent = frame.says;
    const table = find(".explorer-table > :not(summary)");
    if (table && frame.table) table.outerHTML = frame.table;
    showControls({ ...model.get("state"), step: frame.step }, frame.steps, frame.transcript);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    const play = find('[data-step="play"]');
    if (play) Object.assign(play, { textContent: "▶", ariaLabel: "Play" });
  }

  function step(what) {
    const { controls, step: at } = model.get("state");
    const last = Number(jump.max);
    const to = { first: 0, back: at - 1, forward: at + 1, last }[what];
    if (to >= 0 && to <= last && to !== at) put({ controls, step: to });
    if (timer && model.get("state").step >= last) stop();
  }

  function play() {
    if (timer) return stop();
    if (model.get("state").step >= Number(jump.max)) return;
    timer = setInterval(() => step("forward"), Number(find("[data-speed]").value));
    Object.assign(find('[data-step="play"]'), { textContent: "❚❚", ariaLabel: "Pause" });
  }

  function onInput(event) {
    if (event.target.matches("[data-control]")) {
      stop();
      put({ controls: readControls(), step: store.start });
    } else if (event.target === jump) {
      stop();
      put({ controls: model.get("state").controls, step: Number(jump.value) });
    } else if (event.target.matches("[data-speed]") && timer) {
      stop();
      play();
    }
  }

  function onClick(event) {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.step === "play") play();
    else if (button.dataset.step) {
      stop();
      step(button.dataset.step);
    } else if ("copyLink" in button.dataset) copyLink();
  }

  async function copyLink() {
    const address = new URL(writeAddress(store, model.get("state")), location.href).href;
    try {
      await navigator.clipboard.writeText(address);
      note.textContent = "Copied.";
    } catch {
      note.textContent = address;
    }
  }

  function onAddress() {
    const read = readAddress(location.hash, store);
    if (!read) return;
    stop();
    put(read.state, { remember: false });
    note.textContent = read.unknown.length ? `No frame is stored for ${read.unknown.join(", ")}; this is the nearest.` : "";
    if (el.getBoundingClientRect().top > innerHeight || el.getBoundingClientRect().bottom < 0) el.scrollIntoView();
  }

  model.on("change:frame", showFrame);
  el.addEventListener("input", onInput);
  el.addEventListener("click", onClick);
  if (addresses) {
    addEventListener("hashchange", onAddress);
    addEventListener("popstate", onAddress);
    onAddress();
  }
  if (!model.get("frame")) model.save_changes();
  else showFrame();
  el.dataset.live = "";
  return () => {
    stop();
    model.off("change:frame", showFrame);
    el.removeEventListener("input", onInput);
    el.removeEventListener("click", onClick);
    removeEventListener("hashchange", onAddress);
    removeEventListener("popstate", onAddress);
  };
}

/** The anywidget entry point: a view of a live model. */
function render({ model, el }) {
  const root = document.createElement("section");
  root.className = "explorer";
  root.dataset.explorer = model.get("store").kind;
  root.innerHTML = model.get("shell");
  el.replaceChildren(root);
  return wire(model, root, { addresses: false });
}

/** The built page: every explorer under `root` gets a model over its stored frames. */
export function host(root = document) {
  for (const el of root.querySelectorAll(".explorer[data-explorer]:not([data-live])")) {
    const store = JSON.parse(el.querySelector(".explorer-store").textContent);
    wire(new StoredModel(store), el, { addresses: true });
  }
}

export default { render };
