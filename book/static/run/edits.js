// A cell's code in the reader's own words: edited in place, kept in this browser alone, given back when asked.
//
// An edit belongs to a page, a cell and the very text that was edited: when the book changes the cell, the edit of the
// older text is not shown for the new one.

function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function store(key, text) {
  try {
    if (text === null) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
  } catch {
    // A browser that keeps nothing still runs what is edited.
  }
}

/** The code of one cell, which `listing` shows. `changed()` hears of another text, `toggled()` of the editor. */
export function code({ source, key, label, listing, editor, changed, toggled, run, leave }) {
  const pre = listing?.querySelector("pre");
  const printed = pre ? [...pre.childNodes] : [];
  let text = stored(key) ?? source;
  let open = null;

  function show() {
    if (!pre) return;
    if (text === source) pre.replaceChildren(...printed);
    else pre.textContent = `${text}\n`;
  }

  function put(now) {
    text = now;
    store(key, text === source ? null : text);
    changed();
  }

  async function edit() {
    const { edit: make } = await editor();
    const host = Object.assign(document.createElement("div"), { className: "cell-editor" });
    const folded = listing.closest("details");
    if (folded) folded.open = true;
    listing.hidden = true;
    listing.after(host);
    open = { host, ...make(host, { code: text, label, changed: put, run, leave }) };
    open.focus();
    toggled();
  }

  function done() {
    open.close();
    open.host.remove();
    open = null;
    listing.hidden = false;
    show();
    toggled();
  }

  show();
  return {
    text: () => text,
    edited: () => text !== source,
    open: () => open !== null,
    toggle: async () => (open ? done() : edit()),
    discard() {
      put(source);
      if (open) open.put(source);
      else show();
    },
  };
}
