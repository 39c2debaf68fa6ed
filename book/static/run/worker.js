// Python for the page, in a module worker: Pyodide, our own wheel, and Vega for charts, all from the book's own host.
//
// In:  { type: "start", base, wheel, files }  ·  { type: "run", id, code }  ·  { type: "frames", id, name, state }
// Out: { type: "progress", loaded, total }  ·  { type: "ready" }  ·  { type: "failed", message }
//      { type: "out", id, kind, data }  ·  { type: "done", id, error }  ·  { type: "frames", id, frames | error }

let pyodide = null;
let page = null; // the Python module smartos.page_run, as a proxy

/** Fetch `url` whole, adding each chunk to the progress that the page shows. */
async function fetched(url, progress) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const chunks = [];
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    progress.loaded += value.length;
    postMessage({ type: "progress", ...progress });
  }
  return new Blob(chunks).arrayBuffer();
}

async function start({ base, wheel, files }) {
  const progress = { loaded: 0, total: files.reduce((sum, file) => sum + file.bytes, 0) };
  // Everything is fetched once with progress; what Pyodide asks for again comes from the browser's cache.
  const bodies = await Promise.all(files.map((file) => fetched(new URL(file.name, base), progress)));
  const { loadPyodide } = await import(new URL("pyodide.mjs", base));
  pyodide = await loadPyodide({ indexURL: base });
  pyodide.unpackArchive(bodies[files.findIndex((file) => file.name === wheel)], "whl");
  const { default: charts } = await import(new URL("charts.js", base));
  pyodide.registerJsModule("vl_convert", charts);
  page = pyodide.pyimport("smartos.page_run");
  postMessage({ type: "ready" });
}

/** Text that Python prints reaches the page as it is written. */
function stream(id, kind) {
  const decoder = new TextDecoder();
  return {
    write(bytes) {
      postMessage({ type: "out", id, kind, data: decoder.decode(bytes, { stream: true }) });
      return bytes.length;
    },
  };
}

function run({ id, code }) {
  pyodide.setStdout(stream(id, "stdout"));
  pyodide.setStderr(stream(id, "stderr"));
  const show = (html) => postMessage({ type: "out", id, kind: "html", data: html });
  const error = page.run(code, show)?.toJs({ dict_converter: Object.fromEntries });
  postMessage({ type: "done", id, error: error ?? null });
}

function frames({ id, name, state }) {
  const answer = JSON.parse(page.frames(name, JSON.stringify(state)));
  postMessage({ type: "frames", id, ...answer });
}

onmessage = async ({ data }) => {
  try {
    await { start, run, frames }[data.type](data);
  } catch (error) {
    postMessage({ type: "failed", id: data.id, message: String(error?.message ?? error) });
  }
};
