// The front end of explorers and steppers. The markup comes from Python; this file only wires it, and shows nothing that
// `ask` did not answer. A run is the frames of one state of the controls: one for an explorer, one a step for a stepper.
//
//   store  { name, kind, start, controls: [{ key, values, labels, between?, whole? }], default: [text, …] }
//   ask({ state: { key: text }, compute })  →  a promise of { frames: [[figure, says, table], …] } or of { error };
//          with state, note and offer when the frames are those of another state, which `compute` would not accept
//   place  what remembers states in the address (address.js), or null

/** The parts of the markup that the view writes to. */
function partsOf(el, store) {
  const find = (selector) => el.querySelector(selector);
  return {
    find,
    inputs: store.controls.map((control) => find(`[data-control="${control.key}"]`)),
    exact: store.controls.map((control) => find(`[data-exact="${control.key}"]`)),
    jump: find("[data-jump]"),
    note: find(".explorer-note"),
  };
}

/** The position of `text` among a control's values; for a number between them, of the nearest; -1 where there is none. */
export function nearest(control, text) {
  const exact = control.values.indexOf(text);
  const number = Number(text);
  if (exact >= 0 || text === "" || Number.isNaN(number)) return exact;
  const distances = control.values.map((value) => Math.abs(Number(value) - number));
  const least = Math.min(...distances.filter((distance) => !Number.isNaN(distance)));
  return distances.indexOf(least);
}

function showControl(control, input, exact, text) {
  const at = nearest(control, text);
  const listed = control.values[at] === text;
  const label = listed ? control.labels[at] : text;
  if (input.type === "checkbox") input.checked = at === 1;
  else if (input.type === "range") input.value = at;
  else input.value = text;
  if (exact) exact.value = text;
  if (input.type !== "range") return;
  input.setAttribute("aria-valuetext", label);
  const shown = input.parentElement.querySelector("output");
  if (shown) shown.textContent = label;
}

function showSteps({ find, jump }, step, run, key) {
  const last = run.length - 1;
  jump.max = last;
  jump.value = step;
  jump.setAttribute("aria-valuetext", `${step} of ${last}`);
  find(`output[for="${jump.id}"]`).textContent = `${step} of ${last}`;
  const disable = (what, off) => find(`[data-step="${what}"]`).setAttribute("aria-disabled", String(off));
  for (const what of ["first", "back"]) disable(what, step === 0);
  for (const what of ["forward", "last"]) disable(what, step === last);
  disable("play", last === 0);
  const list = find(".explorer-transcript ol");
  if (list.dataset.run !== key) {
    list.replaceChildren(...run.map(([, says]) => Object.assign(document.createElement("li"), { textContent: says })));
    list.dataset.run = key;
  }
  [...list.children].forEach((item, i) =>
    i === step ? item.setAttribute("aria-current", "step") : item.removeAttribute("aria-current"),
  );
}

function showFrame({ find }, [figure, says, table]) {
  find(".explorer-figure").innerHTML = figure;
  const sentence = find(".explorer-says");
  if (sentence.textContent !== says) sentence.textContent = says;
  const values = find(".explorer-table");
  if (!values) return;
  values.hidden = !table;
  const old = values.querySelector(":scope > :not(summary)");
  if (table) old.outerHTML = table;
}

/** Say something in `note`, and beside it offer to do more where there is an `offer`. */
export function tell(note, words = "", offer = "", act = null) {
  note.textContent = words;
  if (!offer) return;
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: offer });
  button.addEventListener("click", act);
  note.append(" ", button);
}

/** Wire the markup in `el`, which with `anew` stands at some other state. Returns the function that undoes it. */
export function wireExplorer(el, store, ask, place, anew = false) {
  const parts = partsOf(el, store);
  const { find, inputs, exact, jump, note } = parts;
  const state = { values: [...store.default], step: store.start };
  let wanted = state.values; // what the controls stand at; the same, but while an answer is awaited
  let run = null; // the frames of state.values
  let ticket = 0; // the newest question; older answers come too late
  let timer = null;
  const over = new AbortController(); // ends what listens to the controls

  const stateOf = (values) => Object.fromEntries(store.controls.map((control, i) => [control.key, values[i]]));

  function show() {
    state.step = Math.max(0, Math.min(state.step, run.length - 1));
    showFrame(parts, run[state.step]);
    store.controls.forEach((control, i) => showControl(control, inputs[i], exact[i], state.values[i]));
    if (jump) showSteps(parts, state.step, run, String(state.values));
  }

  /** Put the view into a state; resolves when its frame is shown. */
  async function put(values, step, { remember = true, compute = false } = {}) {
    const mine = ++ticket;
    wanted = values;
    if (!run || values.join("\n") !== state.values.join("\n")) {
      el.ariaBusy = "true";
      const answer = await ask({ state: stateOf(values), compute });
      if (mine !== ticket) return;
      el.ariaBusy = "false";
      tell(note, answer.error ?? answer.note, answer.offer, () => put(values, step, { compute: true }));
      wanted = state.values;
      if (answer.error) return run && show();
      run = answer.frames;
      wanted = state.values = answer.state ? store.controls.map((control) => answer.state[control.key]) : values;
    } else note.textContent = "";
    state.step = step;
    show();
    if (remember) place?.changed();
  }

  const valueOf = (control, input) =>
    input.type === "checkbox"
      ? control.values[Number(input.checked)]
      : input.type === "range"
        ? control.values[Number(input.value)]
        : input.value;

  function moved(changed) {
    stop();
    const values = [...wanted];
    store.controls.forEach((control, i) => {
      if (changed === inputs[i]) values[i] = valueOf(control, inputs[i]);
      if (changed === exact[i]) values[i] = exact[i].value;
    });
    put(values, state.step);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    const play = find('[data-step="play"]');
    if (play) Object.assign(play, { textContent: "▶", ariaLabel: "Play" });
  }

  function step(what) {
    if (!run) return put(state.values, state.step).then(() => run && step(what));
    const last = run.length - 1;
    const to = { first: 0, back: state.step - 1, forward: state.step + 1, last }[what];
    if (to >= 0 && to <= last && to !== state.step) put(state.values, to);
    if (timer && state.step >= last) stop();
  }

  /** Play from where the view stands; from the end, it begins anew. */
  function play() {
    if (timer) return stop();
    if (run?.length === 1) return;
    if (run && state.step >= run.length - 1) put(state.values, 0);
    timer = setInterval(() => step("forward"), Number(find("[data-speed]").value));
    Object.assign(find('[data-step="play"]'), { textContent: "❚❚", ariaLabel: "Pause" });
  }

  function onInput({ target }) {
    if (target.matches("[data-control]")) moved(target);
    else if (target === jump) {
      stop();
      put(state.values, Number(jump.value));
    } else if (target.matches("[data-speed]") && timer) {
      stop();
      play();
    }
  }

  function onChange({ target }) {
    if (target.matches("[data-exact]") && target.value !== wanted[exact.indexOf(target)]) moved(target);
  }

  /** Enter in a field counts as a change, also where a notebook keeps the key to itself. */
  function onKey({ key, target }) {
    if (key === "Enter") onChange({ target });
  }

  /** What is picked in the figure sets a control: data-set="key=text". The control itself is the way for the keyboard. */
  function pick([key, text]) {
    stop();
    put(wanted.map((value, i) => (store.controls[i].key === key ? text : value)), state.step);
  }

  function onClick({ target }) {
    const picked = target.closest("[data-set]");
    if (picked) return pick(picked.dataset.set.split("="));
    const button = target.closest("button");
    if (button?.dataset.step === "play") play();
    else if (button?.dataset.step) {
      stop();
      step(button.dataset.step);
    } else if (button && "copyLink" in button.dataset) copyLink();
  }

  async function copyLink() {
    const address = new URL(place.address(), location.href).href;
    try {
      await navigator.clipboard.writeText(address);
      note.textContent = "Copied.";
    } catch {
      note.textContent = address;
    }
  }

  const { signal } = over;
  el.addEventListener("input", onInput, { signal });
  el.addEventListener("change", onChange, { signal });
  el.addEventListener("keydown", onKey, { signal });
  el.addEventListener("click", onClick, { signal });
  if (!place) find(".explorer-link button").hidden = true;
  const read = () => ({ values: [...state.values], step: state.step });
  const restored = place?.enrol(store, read, (to) => {
    stop();
    return put(to.values, to.step, { remember: false });
  });
  el.dataset.live = "";
  if ((jump || anew) && !restored) put(state.values, state.step, { remember: false });
  return () => {
    stop();
    ticket += 1;
    place?.leave();
    over.abort();
    delete el.dataset.live;
  };
}
