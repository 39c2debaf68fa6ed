// The anywidget entry point: a view of a part whose questions a running kernel answers.
import { WIRES } from "./wires.js";

/** Questions to the kernel behind `model`, each a promise of its answer. */
function asker(model) {
  const waiting = new Map();
  let last = 0;
  model.on("msg:custom", ({ id, answer }) => {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  });
  return (question) =>
    new Promise((resolve) => {
      const id = `${Date.now()}-${++last}`;
      waiting.set(id, resolve);
      model.send({ id, question });
    });
}

function render({ model, el }) {
  const store = model.get("store");
  const root = document.createElement("section");
  root.className = `part smartos-live ${store.kind}`;
  root.dataset.part = store.kind;
  root.innerHTML = model.get("part_html");
  el.replaceChildren(root);
  return WIRES[store.kind](root, store, asker(model), null);
}

export default { render };
