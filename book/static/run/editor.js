// A small editor for one cell: CodeMirror with Python's colours, indentation and undo. It stands in a shadow root, so
// that its styles are constructed sheets, which a strict Content-Security-Policy lets pass.
//
// Left out: completion, folding, search and line numbers. Tab leaves the editor; Enter keeps the indentation.

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import { HighlightStyle, bracketMatching, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const COLOURS = HighlightStyle.define([
  { tag: tags.comment, color: "var(--ink-2)", fontStyle: "italic" },
  { tag: tags.keyword, color: "var(--accent)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--zones-ink)" },
  { tag: tags.number, color: "var(--dtrace-ink)" },
]);

const LOOK = EditorView.theme({
  "&": { color: "var(--ink)", background: "var(--paper-2)", borderRadius: "3px" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-scroller": { font: "inherit", lineHeight: "inherit", overflowX: "auto" },
  ".cm-content": { padding: "0.8rem 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 1rem" },
  ".cm-cursor": { borderInlineStart: "1.5px solid var(--ink)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { background: "var(--mark) !important" },
  "&.cm-focused .cm-matchingBracket": { background: "none", outline: "1px solid var(--edge)" },
});

/** An editor in `host` over `code`; `changed` hears every text, `run` Shift-Enter, `leave` Escape. */
export function edit(host, { code, label, changed, run, leave }) {
  const root = host.attachShadow({ mode: "open" });
  const keys = [
    { key: "Shift-Enter", run: () => (run(), true) },
    { key: "Escape", run: () => (leave(), true) },
  ];
  const extensions = [
    keymap.of([...keys, ...defaultKeymap, ...historyKeymap]),
    history(),
    drawSelection(),
    bracketMatching(),
    pythonLanguage,
    indentUnit.of("    "),
    syntaxHighlighting(COLOURS),
    LOOK,
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off", tabindex: "0" }),
    EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
  ];
  const view = new EditorView({ state: EditorState.create({ doc: code, extensions }), parent: root, root });
  return {
    focus: () => view.focus(),
    put: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    close: () => view.destroy(),
  };
}
