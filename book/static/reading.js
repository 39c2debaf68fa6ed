// What makes reading easier where there is script: the choice of colours, copying code, frames that the keyboard can
// scroll, the place in the contents, and nothing folded that an address or a printer needs.

const THEMES = { "": "as the system", light: "light", dark: "dark" };

/** The button in the header: as the system, then light, then dark. */
export function colours() {
  const button = document.querySelector("[data-theme-switch]");
  if (!button) return;
  const root = document.documentElement;
  const show = (theme) => {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    button.ariaLabel = button.title = `Colours: ${THEMES[theme]}`;
  };
  show(root.dataset.theme ?? "");
  button.addEventListener("click", () => {
    const names = Object.keys(THEMES);
    const theme = names[(names.indexOf(root.dataset.theme ?? "") + 1) % names.length];
    show(theme);
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // A browser that keeps nothing still changes the page.
    }
  });
}

/** A button on each listing that copies it without prompts. */
export function copyButtons(root = document) {
  for (const listing of root.querySelectorAll("main div[class*='highlight-'] > .highlight")) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "copy-code", textContent: "Copy" });
    button.addEventListener("click", async () => {
      const copy = listing.querySelector("pre").cloneNode(true);
      for (const part of copy.querySelectorAll(".gp, .go, .linenos")) part.remove();
      try {
        await navigator.clipboard.writeText(copy.textContent.trimEnd() + "\n");
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    listing.after(button);
  }
}

/** What scrolls sideways takes the focus, and only then. */
export function scrollers(root = document) {
  const check = (box) => {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  const watch = new ResizeObserver((entries) => entries.forEach(({ target }) => check(target)));
  const boxes = [...root.querySelectorAll("main pre, .math-block, .explorer-figure, .table-frame")];
  boxes.forEach((box) => watch.observe(box));
  document.fonts.ready.then(() => boxes.forEach(check));
}

/** The contents stand at the page one is on. */
export function showPlace() {
  const contents = document.getElementById("contents");
  const show = () => {
    const here = contents.querySelector(".toctree-l1.current");
    if (here) contents.scrollTop = Math.max(0, here.offsetTop - contents.clientHeight / 3);
  };
  if (!contents) return;
  contents.addEventListener("toggle", show);
  show();
}

/** An address inside something folded unfolds it. */
export function unfoldTarget() {
  const unfold = () => {
    const name = decodeURIComponent(location.hash.slice(1)).split("?")[0];
    for (let el = name && document.getElementById(name); el; el = el.parentElement) if (el.tagName === "DETAILS") el.open = true;
  };
  addEventListener("hashchange", unfold);
  unfold();
}

/** Paper cannot be unfolded: everything is open while it is printed. */
export function unfoldForPrint() {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("main details:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
}
