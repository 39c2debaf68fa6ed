// The front end of a question before a figure. The browser alone remembers what was answered.
//
//   store  { name, kind }
//   ask({ answer: text })  →  a promise of { right, says } or { error }

const VERDICTS = { true: ["Right.", "M2 8.5l4 4 8-9"], false: ["Not so.", "M3 3l10 10M13 3L3 13"] };

/** A verdict in words, with a mark beside them; without `right` only what it says. */
function verdictHtml({ right = null, says }) {
  if (right === null) return `<p>${says}</p>`;
  const [word, path] = VERDICTS[right];
  const mark = `<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="${path}"/></svg>`;
  return `<p data-right="${right}">${mark}<b>${word}</b> ${says}</p>`;
}

/** Show what `ask` found of an answer. */
export function showVerdict(place, found) {
  if (found.error) place.textContent = found.error;
  else place.innerHTML = verdictHtml(found);
}

/** Enter in a field gives the answer, also where a notebook keeps the key to itself. */
export function submitOnEnter(event) {
  if (event.key !== "Enter" || !event.target.matches("input")) return;
  event.preventDefault();
  event.target.form.requestSubmit();
}

/** What has waited for script is shown. */
export function unhide(el) {
  for (const waiting of el.querySelectorAll("[hidden]:not([data-again])")) waiting.hidden = false;
}

/** The browser's memory of one answer. A browser that keeps nothing reads nothing, and the page works all the same. */
function memoryOf(name) {
  const key = `predict ${location.pathname}#${name}`;
  const attempt = (what) => {
    try {
      return what(localStorage);
    } catch {
      return null;
    }
  };
  return {
    read: () => attempt((kept) => kept.getItem(key)),
    write: (value) => attempt((kept) => kept.setItem(key, value)),
    forget: () => attempt((kept) => kept.removeItem(key)),
  };
}

/** Bring a question to life; returns a function that undoes it. */
export function wirePredict(el, store, ask) {
  const form = el.querySelector("form");
  const verdict = el.querySelector(".verdict");
  const again = el.querySelector("[data-again]");
  const kept = memoryOf(store.name);
  let ticket = 0; // the newest question; older verdicts come too late

  function clear() {
    ticket += 1;
    verdict.replaceChildren();
  }

  /** Show the verdict on an answer; one that is only remembered is not announced. */
  async function show(value, live) {
    const mine = ++ticket;
    const found = await ask({ answer: value });
    if (mine !== ticket) return;
    verdict.ariaLive = live ? "polite" : "off";
    showVerdict(verdict, found);
    again.hidden = false;
  }

  function onSubmit(event) {
    event.preventDefault();
    const { value } = form.elements.answer;
    if (!value) {
      showVerdict(verdict, { says: "Choose an answer first." });
      return;
    }
    kept.write(value);
    show(value, true);
  }

  function onAgain() {
    kept.forget();
    clear();
    form.reset();
    again.hidden = true;
    form.elements.answer[0].focus();
  }

  const over = new AbortController();
  const { signal } = over;
  form.addEventListener("submit", onSubmit, { signal });
  form.addEventListener("change", clear, { signal });
  form.addEventListener("keydown", submitOnEnter, { signal });
  again.addEventListener("click", onAgain, { signal });
  unhide(el);
  form.elements.answer.value = kept.read();
  if (form.elements.answer.value) show(form.elements.answer.value, false);
  el.dataset.live = "";
  return () => {
    ticket += 1;
    over.abort();
    delete el.dataset.live;
  };
}
