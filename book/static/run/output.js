// The output of one cell, in the same markup as the recorded one, which stays until there is something new and can be
// had back. What stands there and did not come from the code above it, whole, says so.

import { originWords } from "./origin.js";

const TEXT = "highlight-myst-ansi notranslate";
const KINDS = {
  stdout: `output stream ${TEXT}`,
  stderr: `output stderr ${TEXT}`,
  text: `output text_plain ${TEXT}`,
  html: "output text_html",
  svg: "output image_svg",
};

function element(name, className, ...children) {
  const made = Object.assign(document.createElement(name), { className });
  made.append(...children);
  return made;
}

function trimmed(text) {
  return text.replace(/^\n+|\n+$/g, "");
}

/** A piece of text as MyST-NB writes it; returns [the block, its text node]. */
function textBlock(kind) {
  const text = document.createTextNode("");
  const pre = element("pre", "", text);
  return [element("div", KINDS[kind], element("div", "highlight", pre)), text];
}

/** What is said of an error: its last line, where it was, a way on if there is one, and the traceback folded. */
function errorBlock({ last, line, code, trace }, way) {
  const block = element("div", "output cell-error", element("p", "cell-error-last", last));
  if (line) block.append(element("p", "cell-error-line", `In line ${line} of this cell: `, element("code", "", code)));
  if (way) block.append(way);
  const whole = element("pre", "", trimmed(trace));
  whole.tabIndex = 0;
  block.append(element("details", "data", element("summary", "", "The whole traceback"), whole));
  return block;
}

/** A landmark's name that the page has already gets a number, as the book's build gives it. */
function tellApart(block) {
  const names = (root) => [...root.querySelectorAll("[role=region][aria-label]")];
  const others = new Set(names(document).filter((el) => !block.contains(el)).map((el) => el.ariaLabel));
  for (const region of names(block)) {
    const name = region.ariaLabel;
    for (let n = 2; others.has(region.ariaLabel); n++) region.ariaLabel = `${name} (${n})`;
    others.add(region.ariaLabel);
  }
}

/** The parts in an output no longer answer to their controls and addresses. */
function unhost(place) {
  for (const part of place?.querySelectorAll("[data-part]") ?? []) part.unwire?.();
}

/**
 * The outlet of the cell in `box`, whose recorded output is that of `source`. `enliven(el)` makes new output work as the
 * page's own does, `hostParts(el)` old.
 */
export function outlet(box, source, enliven, hostParts) {
  let place = box.querySelector(".cell_output");
  const recorded = place ? [...place.childNodes] : [];
  const folded = place?.closest("details");
  const had = { place, open: folded?.open };
  const AT_FIRST = { code: source, recorded: true, whole: true };
  const said = element("p", "cell-origin");
  let origin = AT_FIRST; // of what stands there
  let coming = source; // the code whose output is awaited
  let fresh = true; // whether what stands there came from this run
  let streams = {};
  let pending = []; // what is printed and not yet drawn
  let printed = []; // blocks that may still grow

  function clear() {
    printed = [];
    if (!place) box.append((place = element("div", "cell_output docutils container")));
    if (folded) folded.open = true;
    unhost(place);
    place.replaceChildren();
    [fresh, streams] = [true, {}];
    origin = { code: coming, recorded: false, whole: true };
  }

  function add(block) {
    if (!fresh) clear();
    place.append(block);
    return block;
  }

  function write(kind, data) {
    if (!fresh || !streams[kind]) {
      const [block, text] = textBlock(kind);
      add(block);
      streams[kind] = text;
      printed.push(block);
    }
    streams[kind].appendData(data);
  }

  function flush() {
    const texts = pending;
    pending = [];
    for (const kind of ["stdout", "stderr"]) {
      const text = texts.filter((piece) => piece[0] === kind).map((piece) => piece[1]);
      if (text.length) write(kind, text.join(""));
    }
  }

  /** A printed block as the book's build leaves it: without blank lines around it. */
  function finish(block) {
    const pre = block.querySelector("pre");
    pre.textContent = trimmed(pre.textContent);
    enliven(block);
  }

  /** What is printed comes in many small pieces, and is drawn once a frame. */
  function print(kind, data) {
    if (!pending.length) requestAnimationFrame(flush);
    pending.push([kind, data]);
  }

  function show(kind, data) {
    flush();
    if (kind === "text") {
      const [block, text] = textBlock(kind);
      text.data = data;
      enliven(add(block));
      return;
    }
    const block = add(element("div", KINDS[kind]));
    block.innerHTML = data;
    tellApart(block);
    enliven(block);
  }

  return {
    /** Say where the output comes from, when that is not, or not only, the code `now` above it. */
    compare(now) {
      const words = place?.hasChildNodes() ? originWords(origin, now) : "";
      if (said.textContent !== words) said.textContent = words;
      if (words) place.before(said);
      else said.remove();
      place?.classList.toggle("stale", Boolean(words) && origin.code !== now);
    },
    begin(code) {
      coming = code;
      fresh = false;
      place?.setAttribute("aria-busy", "true");
    },
    put: (kind, data) => (kind in { stdout: 0, stderr: 0 } ? print(kind, data) : show(kind, data)),
    fail(error, way) {
      flush();
      add(errorBlock(error, way));
    },
    /** The run is over; with `whole`, an output that did not come is none. */
    end(whole) {
      flush();
      if (whole && !fresh && place) clear();
      if (!whole && fresh) origin = { ...origin, whole: false };
      printed.forEach(finish);
      printed = [];
      place?.removeAttribute("aria-busy");
    },
    restore() {
      pending = [];
      printed = [];
      unhost(place);
      if (place && !had.place) place.remove();
      place = had.place;
      origin = AT_FIRST;
      place?.replaceChildren(...recorded);
      if (place) hostParts(place);
      place?.removeAttribute("aria-busy");
      if (folded) folded.open = had.open;
    },
  };
}
