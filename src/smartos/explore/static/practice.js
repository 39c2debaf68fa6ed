// The front end of practice: a seed chooses the problem, and Python or the page's store checks what is answered.
//
//   store  { name, kind, controls: [{ key: "seed" }], default: [text], problems?: { seed: problem } }
//   ask({ seed, compute })  →  a promise of { text, figure, field, solution }, or of { error, offer? } when the page does
//          not store the problem; `compute` has it made all the same
//   ask({ seed, answer })   →  a promise of { right, says } or { error }; `right` is null for what cannot be read
//   place  what remembers states in the address (address.js), or null
import { tell } from "./explorer.js";
import { showVerdict, submitOnEnter, unhide } from "./predict.js";

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
  let wanted = seed; // the seed being asked for; problems of others come too late
  let ticket = 0; // the newest answer to be checked; older verdicts come too late

  function clear() {
    ticket += 1;
    verdict.replaceChildren();
  }

  function show(problem) {
    for (const part of ["text", "figure", "field"]) find(`.practice-${part}`).innerHTML = problem[part];
    find(".practice-solution > div").innerHTML = problem.solution;
    find(".practice-solution").open = false;
  }

  /** Put another problem; one that cannot be had leaves the present one. */
  async function put(to, { remember = true, compute = false } = {}) {
    if (to === wanted) return;
    wanted = to;
    clear();
    el.ariaBusy = "true";
    const problem = await ask({ seed: to, compute });
    if (to !== wanted) return;
    el.ariaBusy = "false";
    tell(note, problem.error, problem.offer, () => put(to, { compute: true }));
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
    if (mine === ticket) showVerdict(verdict, found);
  }

  const onSeed = () => put(field.value);
  const onKey = ({ key }) => key === "Enter" && onSeed();
  const onAnother = () => put(seedAfter(store, seed));

  const over = new AbortController();
  const { signal } = over;
  field.addEventListener("change", onSeed, { signal });
  field.addEventListener("keydown", onKey, { signal });
  find("[data-another]").addEventListener("click", onAnother, { signal });
  form.addEventListener("submit", check, { signal });
  form.addEventListener("input", clear, { signal });
  form.addEventListener("keydown", submitOnEnter, { signal });
  unhide(el);
  place?.enrol(store, () => ({ values: [seed], step: 0 }), (to) => put(to.values[0], { remember: false }));
  el.dataset.live = "";
  return () => {
    ticket += 1;
    wanted = null;
    place?.leave();
    over.abort();
    delete el.dataset.live;
  };
}
