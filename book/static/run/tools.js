// The buttons under one cell's code. Their place is kept by the page, so nothing moves when they appear.

function button(className, action) {
  const made = Object.assign(document.createElement("button"), { type: "button", className });
  made.addEventListener("click", action);
  return made;
}

function label(made, text, name) {
  if (made.textContent === text) return;
  made.textContent = text;
  made.ariaLabel = `${text}, ${name.toLowerCase()}`;
}

/** The buttons in `place` for the cell called `name`; `actions` are run, stop, above, edit and discard. */
export function tools(place, name, actions) {
  let busy = false;
  const run = button("cell-run", () => (busy ? actions.stop() : actions.run()));
  const above = button("cell-above", actions.above);
  const edit = button("cell-edit", actions.edit);
  const discard = button("cell-discard", () => (actions.discard(), edit.focus()));
  const note = Object.assign(document.createElement("span"), { className: "cell-note" });
  place.setAttribute("role", "group");
  place.ariaLabel = name;
  place.append(run, above, edit, discard, note);
  label(above, "Run all above", name);
  label(discard, "Discard edits", name);

  return {
    show({ state, seconds, first, edited, open }) {
      busy = state === "waiting" || state === "running";
      run.classList.toggle("busy", busy);
      label(run, busy ? "Stop" : "Run", name);
      label(edit, open ? "Close the editor" : "Edit", name);
      above.hidden = first;
      discard.hidden = !edited;
      const ran = { ran: `ran here in ${seconds} s`, known: "ran for a figure", failed: "failed here", stopped: "stopped" };
      const words = { waiting: "waits", running: "runs", ...ran }[state];
      place.dataset.state = state;
      note.textContent = [name, edited && "edited", words].filter(Boolean).join(" · ");
    },
    offer(text, action) {
      const way = button("cell-way", action);
      way.textContent = text;
      return way;
    },
    focusEdit: () => edit.focus(),
    focusRun: () => run.focus({ preventScroll: true }),
  };
}
