// A box that a person has just touched is theirs until the town has done what they asked. What was drawn from an
// older state would put it back under their finger: each state says how many orders were done before it, and each
// answer to an order says which number it had.

const waiting = new Map(); // control → { turn, done }: its newest order, and from which state on that one shows

let turns = 0;
let redraw = () => {};

// What is called when a control is free again without a state that says so: its order was refused.
export const bindTouched = (callback) => { redraw = callback; };

// Sends one order of a control, after those before it: the last touch is what stays.
export async function order(control, send) {
  const turn = ++turns;
  const before = waiting.get(control)?.sent ?? Promise.resolve();
  const sent = before.then(send).catch(() => null);
  waiting.set(control, { turn, sent, done: Infinity });
  const done = await sent;
  const own = waiting.get(control);
  if (own?.turn !== turn) return;
  if (done === null) waiting.delete(control);
  else own.done = done;
  redraw();
}

// Whether the page may draw this control as the state has it.
export const isFree = (control) => !waiting.has(control);

// A state came: whoever waited for it, or for one before it, is free.
export function settle(done) {
  for (const [control, own] of waiting) if (own.done <= done) waiting.delete(control);
}

// Another run of the demo: its numbers are not those that are waited for.
export const forget = () => waiting.clear();
