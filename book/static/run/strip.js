// What the page says of its Python, on one line at the foot of the window: how much of it has come, what runs, and the
// way back. It is there once Run has been pressed. A hidden line says the same to a screen reader, without the bytes.

const MEGA = 1e6;

function button(text, action) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  made.addEventListener("click", action);
  return made;
}

/** The strip under `article`; `actions` are stop, reset and resetAll. */
export function strip(article, actions) {
  const box = Object.assign(document.createElement("section"), { className: "python-strip", hidden: true });
  box.setAttribute("aria-label", "Python in this page");
  const said = document.createElement("p");
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", "Bytes of Python that have come");
  const bytes = Object.assign(document.createElement("span"), { className: "python-bytes" });
  const live = Object.assign(document.createElement("p"), { className: "visually-hidden", role: "status" });
  const stop = button("Stop", actions.stop);
  const reset = button("Reset the page", actions.reset);
  const resetAll = button("Reset and discard edits", actions.resetAll);
  box.append(said, bar, bytes, stop, reset, resetAll);
  article.append(box, live);

  return {
    say(text) {
      box.hidden = false;
      said.textContent = live.textContent = text;
    },
    /** Show what has come; true when that is all. */
    progress({ loaded, total }) {
      bar.max = total || 1;
      bar.value = Math.min(loaded, bar.max);
      bytes.textContent = total ? `${(loaded / MEGA).toFixed(1)} of ${(total / MEGA).toFixed(1)} MB` : "";
      return total > 0 && loaded >= total;
    },
    show({ loading, busy, used, edited }) {
      bar.hidden = bytes.hidden = !loading;
      stop.hidden = !busy;
      reset.hidden = !used;
      resetAll.hidden = !edited;
    },
    hide(text) {
      box.hidden = true;
      live.textContent = text;
    },
  };
}
