// The front end of practice: a seed chooses the problem, and Python or the page's store checks what is answered.
//
//   store  { name, kind, controls: [{ key: "seed" }], default: [text], problems?: { seed: problem } }
//   ask({ seed, compute })  →  a promise of { text, figure, field, solution }, or of { error, offer? } when the page does
//          not store the problem; `compute` has it made all the same
//   ask({ seed, answer })   →  a promise of { right, says } or { error }; `right` is null for what cannot be read
//   place  what remembers states in the address (address.js), or null
import { submitOnEnter, unhide, verdictHtml } from "./predict.js";

/** The seed after `seed` among those stored, round to the first; where nothing is stored, simply the next. */
function seedAfter(store, seed) {
  if (!store.problems) return String(Number(seed) + 1);
  const seeds = Object.keys(store.problems);
  return seeds[(seeds.indexOf(seed) + 1) % seeds.length];
}

/** Bring a practice to life; returns a function that undoes it. */
export function wirePractice(el, store, ask, place) {
  const find = (selector) => el.querySelector(selector);
  const [field, form, verdict, note] = ["[data-seed]", "form", ".verdict", ".explorer-note"].map(find);
  let seed = field.value;
  let wanted = seed; // the seed being asked for
  let ticket = 0; // the newest question; older answers come too late

  function clear() {
    ticket += 1;
    verdict.replaceChildren();
  }

  function show(problem) {
    for (const part of ["text", "figure", "field"]) find(`.practice-${part}`).innerHTML = problem[part];
    find(".practice-solution > div").innerHTML = problem.solution;
    find(".practice-solution").open = false;
  }

  /** Say why a problem cannot be had, and offer to have it made where that can be. */
  function tell({ error = "", offer }, to) {
    note.textContent = error;
    if (!offer) return;
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: offer });
    button.addEventListener("click", () => put(to, { compute: true }));
    note.append(" ", button);
  }

  /** Put another problem; one that cannot be had leaves the present one. */
  async function put(to, { remember = true, compute = false } = {}) {
    if (to === wanted) return;
    wanted = to;
    clear();
    const mine = ticket;
    el.ariaBusy = "true";
    const problem = await ask({ seed: to, compute });
    if (mine !== ticket) return;
    el.ariaBusy = "false";
    tell(problem, to);
    if (!problem.error) {
      seed = to;
      show(problem);
      if (remember) place?.changed();
    }
    field.value = wanted = seed;
  }

  async function check(event) {
    event.preventDefault();
    const mine = ++ticket;
    const found = await ask({ seed, answer: new FormData(form).get("answer") ?? "" });
    if (mine !== ticket) return;
    if (found.error) verdict.textContent = found.error;
    else verdict.innerHTML = verdictHtml(found);
  }

  const onSeed = () => put(field.value);
  const onKey = ({ key }) => key === "Enter" && onSeed();
  const onAnother = () => put(seedAfter(store, seed));

  field.addEventListener("change", onSeed);
  field.addEventListener("keydown", onKey);
  find("[data-another]").addEventListener("click", onAnother);
  form.addEventListener("submit", check);
  form.addEventListener("input", clear);
  form.addEventListener("keydown", submitOnEnter);
  unhide(el);
  place?.enrol(store, () => ({ values: [seed], step: 0 }), (to) => put(to.values[0], { remember: false }));
  el.dataset.live = "";
  return () => {
    ticket += 1;
    place?.leave();
    field.removeEventListener("change", onSeed);
    field.removeEventListener("keydown", onKey);
    find("[data-another]").removeEventListener("click", onAnother);
    form.removeEventListener("submit", check);
    form.removeEventListener("input", clear);
    form.removeEventListener("keydown", submitOnEnter);
    delete el.dataset.live;
  };
}
