// The state of a page's explorers in its address, and in the browser's history: #name?key=value&step=n names the state of
// one, the history entry holds the states of all, so that going back undoes one move and leaves the others alone.

const SETTLE = 150; // ms after the last move before the address changes: one entry a move, not one a pixel

const enrolled = new Map(); // name → { store, read, put }
const restoring = []; // promises of the states that the address or the history asked for
let settle = null;

const snapshot = () => Object.fromEntries([...enrolled].map(([name, { read }]) => [name, read()]));

/** The state that an address speaks of for `store`, or null. */
export function readAddress(hash, store) {
  const [name, ...query] = hash.slice(1).split("?");
  if (name !== store.name || !query.length) return null;
  const asked = new URLSearchParams(query.join("?"));
  const values = store.controls.map((control, i) => asked.get(control.key) ?? store.default[i]);
  const step = asked.has("step") ? Number.parseInt(asked.get("step"), 10) || 0 : store.start;
  return { values, step };
}

/** The address of a state. */
export function writeAddress(store, state) {
  const query = new URLSearchParams(store.controls.map((control, i) => [control.key, state.values[i]]));
  if (store.kind === "stepper") query.set("step", state.step);
  return `#${store.name}?${query}`;
}

/**
 * What one part needs to be addressed: it enrols, tells of changes, and leaves when it is taken from the page. Enrolling
 * returns whether a state is being restored.
 */
export function placeOf(name) {
  return {
    enrol(store, read, put) {
      enrolled.set(name, { store, read, put });
      const kept = history.state?.explorers?.[name];
      const asked = readAddress(location.hash, store);
      if (!kept && !asked) return false;
      restoring.push(put(kept ?? asked));
      if (!kept) restoring.at(-1).then(() => document.getElementById(name)?.scrollIntoView());
      return true;
    },
    changed() {
      clearTimeout(settle);
      settle = setTimeout(() => history.pushState({ explorers: snapshot() }, "", this.address()), SETTLE);
    },
    address: () => writeAddress(enrolled.get(name).store, enrolled.get(name).read()),
    leave: () => enrolled.delete(name),
  };
}

/** Keep this entry's states with it, so that a return finds them. */
function stamp() {
  if (enrolled.size) history.replaceState({ ...history.state, explorers: snapshot() }, "");
}

function returned({ state }) {
  clearTimeout(settle);
  if (state?.explorers) {
    for (const [name, { put }] of enrolled) if (state.explorers[name]) put(state.explorers[name]);
    return;
  }
  const asked = [...enrolled.values()].map(({ store, put }) => [readAddress(location.hash, store), put, store.name]);
  const named = asked.filter(([there]) => there);
  Promise.all(named.map(([there, put]) => put(there))).then(stamp);
  if (named.length) document.getElementById(named[0][2]).scrollIntoView();
}

/** Follow the browser's back and forward, and links to states in the text. */
export async function followAddresses() {
  addEventListener("popstate", returned);
  await Promise.all(restoring);
  stamp();
}
