// Python for the page, in a module worker: Pyodide, the book's own package and what it needs, all from the book's host.
//
// In:  { type: "start" }  ·  { type: "run", id, code }  ·  { type: "ask", id, name, question }
// Out: { type: "progress", loaded, total }  ·  { type: "ready" }  ·  { type: "failed", message }
//      { type: "out", id, kind, data }  ·  { type: "done", id, error }  ·  { type: "answer", id, answer }
//
// Left out: packages from anywhere else, and standard input.

const progress = { loaded: 0, total: 0 };
let page = null; // the Python module smartos.page_run
let missing = null; // what did not come, when something did not: Pyodide itself only says that it ended

function count(bytes) {
  progress.loaded += bytes;
  postMessage({ type: "progress", ...progress });
}

/** Pyodide fetches by itself: its bytes are counted on the way. */
function countFetches() {
  const plain = self.fetch;
  self.fetch = async (...request) => {
    const response = await plain(...request).catch(() => ({ ok: false, status: "nothing" }));
    if (!response.ok) throw (missing ??= new Error(`${request[0].url ?? request[0]} answered ${response.status}`));
    const counted = response.body.pipeThrough(
      new TransformStream({
        transform(chunk, controller) {
          count(chunk.length);
          controller.enqueue(chunk);
        },
      }),
    );
    return new Response(counted, { status: response.status, headers: response.headers });
  };
}

/** A module cannot be counted on its way, so it counts once it is here. */
async function module(url, bytes) {
  const loaded = await import(url);
  count(bytes);
  return loaded;
}

const body = async (url) => (await fetch(url)).arrayBuffer();

async function start() {
  const here = self.location.href;
  countFetches();
  const manifest = await (await fetch(new URL("manifest.json", here), { cache: "no-cache" })).json();
  const bytes = Object.fromEntries(manifest.files.map((file) => [file.name, file.bytes]));
  progress.loaded = 0;
  progress.total = [...manifest.files, ...manifest.wheels].reduce((sum, file) => sum + file.bytes, 0);
  const home = new URL(manifest.pyodide, here).href;
  const [{ loadPyodide }, , ...wheels] = await Promise.all([
    module(`${home}pyodide.mjs`, bytes["pyodide.mjs"]),
    module(`${home}pyodide.asm.mjs`, bytes["pyodide.asm.mjs"]),
    ...manifest.wheels.map(({ name, digest }) => body(new URL(`${name}?v=${digest}`, here))),
  ]);
  const catalogue = { info: manifest.info, packages: {} };
  const pyodide = await loadPyodide({ indexURL: home, packageBaseUrl: home, lockFileContents: catalogue });
  for (const wheel of wheels) pyodide.unpackArchive(wheel, "whl");
  page = pyodide.pyimport("smartos.page_run");
  postMessage({ type: "ready" });
}

function run({ id, code }) {
  const show = (kind, data) => postMessage({ type: "out", id, kind, data });
  const error = page.run(code, show)?.toJs({ dict_converter: Object.fromEntries }) ?? null;
  postMessage({ type: "done", id, error });
}

function ask({ id, name, question }) {
  postMessage({ type: "answer", id, answer: JSON.parse(page.ask(name, JSON.stringify(question))) });
}

self.onmessage = async ({ data }) => {
  try {
    await { start, run, ask }[data.type](data);
  } catch (error) {
    postMessage({ type: "failed", id: data.id, message: String((missing ?? error)?.message ?? error) });
  }
};
