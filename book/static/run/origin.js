// Whose output stands under a cell's code, when it is not the whole output of that very code.

/** What is said of an output that came from `code`, was `recorded` in the book or not, and came `whole` or not. */
export function originWords({ code, recorded, whole }, now) {
  const parts = [];
  if (!whole) parts.push("stopped: this had come by then");
  if (code !== now) parts.push(recorded ? "recorded, of the original code" : "of the code as it was when it ran");
  const words = parts.join("; ");
  return words && `${words[0].toUpperCase()}${words.slice(1)}.`;
}
