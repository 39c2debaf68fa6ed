// How a reply is read before it is compared: the rule of smartos.explore.kit.reply, for pages without Python.

const LONGEST = 40;
const WHOLE = /^(-?)(?:0x([0-9a-f]+)|([0-9]+|[0-9]{1,3}(?:[,_'’ ][0-9]{3})+))$/;
const HEX = /^(?:0x|\$)?([0-9a-f]+)h?$/;
const QUOTED = /^(?:"(.*)"|'(.*)'|“(.*)”|‘(.*)’|`(.*)`)$/s;

function plain(text) {
  const folded = [...text].slice(0, LONGEST).join("").normalize("NFKC").replaceAll("−", "-");
  return folded.replace(/[ \t\n]+/g, " ").replace(/^ | $/g, "");
}

function number(text, unit) {
  let bare = plain(text).toLowerCase();
  if (unit && bare.endsWith(unit.toLowerCase())) bare = bare.slice(0, -unit.length).replace(/ +$/, "");
  const [, sign, hex, digits] = WHOLE.exec(bare) ?? [];
  if (sign === undefined) return null;
  const value = BigInt(hex ? `0x${hex}` : digits.replace(/[^0-9]/g, ""));
  return String(sign ? -value : value);
}

function hex(text) {
  const [, digits] = HEX.exec(plain(text).toLowerCase()) ?? [];
  return digits ? BigInt(`0x${digits}`).toString(16) : null;
}

function characters(text) {
  const bare = plain(text);
  const [, ...inside] = QUOTED.exec(bare) ?? [];
  return (inside.find((part) => part !== undefined) ?? bare) || null;
}

/** A reply in the one form that keys have too; null when it cannot be read. `reply` is Python's `data()` of the kind. */
export function normal(reply, text) {
  if (reply.kind === "number") return number(text, reply.unit);
  if (reply.kind === "hex") return hex(text);
  if (reply.kind === "pick") return reply.labels.includes(text) ? text : null;
  return characters(text);
}

/** The verdict on an answer to a stored problem, as Problem.check gives it. */
export function checked(problem, text) {
  const given = normal(problem.reply, text);
  if (given === null) return { right: null, says: `This takes ${problem.reply.takes}.` };
  if (given === problem.key) return { right: true, says: problem.right };
  return { right: false, says: Object.hasOwn(problem.slips, given) ? problem.slips[given] : problem.wrong };
}
