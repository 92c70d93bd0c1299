// A box just touched is not redrawn until the town has carried out the order: an older state would put it back under the
// finger. Each state says how many orders were done before it, and each answer to an order says its number.

const waiting = new Map(); // control → { turn, done }: its newest order, and from which state on that one shows

let turns = 0;
let redraw = () => {};

// Called when a control is free again without a new state: its order was refused.
export const bindTouched = (callback) => { redraw = callback; };

// Sends one order of a control, after earlier ones: the last touch stands.
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

// A state came: controls that waited for it, or an earlier one, are free.
export function settle(done) {
  for (const [control, own] of waiting) if (own.done <= done) waiting.delete(control);
}

// Another run of the demo has other numbers.
export const forget = () => waiting.clear();
