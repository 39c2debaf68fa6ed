try { const t = localStorage.getItem("theme"); if (t === "dark" || t === "light") document.documentElement.dataset.theme = t } catch {}
if (location.protocol !== "file:") for (const face of ["source-serif-4-400", "source-sans-3-400", "source-sans-3-600"])
  document.head.append(Object.assign(document.createElement("link"), { rel: "preload", as: "font", type: "font/woff2", crossOrigin: "", href: `${document.documentElement.dataset.content_root}_static/fonts/${face}.woff2` }));
