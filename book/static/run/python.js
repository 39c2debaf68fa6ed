// The worker that runs Python, seen from the page: started on demand, spoken to by messages, ended to stop it.
//
// Left out: stopping a cell and keeping its variables, which needs memory shared with the worker and so a host that
// isolates the book from other sites.

const SERVE = "Run “make serve” in the book’s folder, or read the book on its host.";

/** What waits for an answer when the worker is ended. */
export class Stopped extends Error {}

/** Why a page cannot run Python here, as a sentence; nothing where it can. */
export function whyNot() {
  if (location.protocol === "file:") {
    return `A page opened as a file cannot run or edit code. ${SERVE}`;
  }
  return globalThis.WebAssembly ? "" : "This browser has no WebAssembly, which Python in the page needs.";
}

/** `address` is the worker's; `heard(state, progress)` is called when the state changes: off, loading, ready. */
export function worker(address, heard) {
  let running = null; // the Worker
  let starting = null; // the promise of its being ready
  let jobs = new Map(); // what it has been asked: id to { resolve, reject, out }
  let count = 0;

  function begin() {
    running = new Worker(address, { type: "module" });
    running.onmessage = ({ data }) => receive(data);
    running.onerror = (event) => end(new Error(event.message || "the worker could not be loaded"));
    heard("loading", { loaded: 0, total: 0 });
    return asked({ type: "start", id: "start" });
  }

  function asked(message, out) {
    return new Promise((resolve, reject) => {
      jobs.set(message.id, { resolve, reject, out });
      running.postMessage(message);
    });
  }

  function receive({ type, id, ...rest }) {
    const job = jobs.get(type === "ready" ? "start" : id);
    if (type === "progress") return heard("loading", rest);
    if (type === "out") return job?.out(rest.kind, rest.data);
    if (type === "ready") heard("ready");
    if (type === "failed" && id === "start") return end(new Error(rest.message));
    jobs.delete(type === "ready" ? "start" : id);
    if (type === "failed") job?.reject(new Error(rest.message));
    else job?.resolve(rest.error ?? rest.answer ?? null);
  }

  /** End the worker; everything that waits for it hears why. */
  function end(reason = new Stopped()) {
    running?.terminate();
    const waiting = jobs;
    [running, starting, jobs] = [null, null, new Map()];
    heard("off");
    for (const job of waiting.values()) job.reject(reason);
  }

  const start = () => (starting ??= begin());
  return {
    start,
    end,
    running: () => running !== null,
    run: async (code, out) => (await start(), asked({ type: "run", id: ++count, code }, out)),
    ask: async (name, question) => (await start(), asked({ type: "ask", id: ++count, name, question })),
  };
}
