// The words of the page (the server's own table), and how times are written.

const table = JSON.parse(document.getElementById("words").textContent);
const clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const dayFormat = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });

export const kindWord = (kind) => table.kinds[kind]?.word ?? kind.toUpperCase();
export const kindMeans = (kind) => table.kinds[kind]?.means ?? "";
export const roleTitle = (role) => table.roles[role] ?? role;
// Central's own acts have no person's name.
export const isAutomatic = (by) => by.role === table.automatic.role && by.name === table.automatic.name;
export const byWhom = (by) => (isAutomatic(by) ? "automatically" : `by ${personWords(by)}`);
export const roles = table.roles;
export const goesOut = (person) => table.going.includes(person.role);
export const personWords = (person) => `${roleTitle(person.role)} ${person.name}`;
export const stateWord = (state) => table.states[state] ?? state;
export const cancelWord = (reason) => table.cancels[reason] ?? reason;
export const pathWord = (path) => table.paths[path] ?? path;
export const healthWord = (state) => table.health[state] ?? state;
export const netWord = (state) => table.nets[state] ?? state;
export const netShape = (state) => table.net_shapes[state] ?? "state-never-seen";
export const radioWord = (state) => table.radios[state] ?? state;
export const radioShape = (state) => table.radio_shapes[state] ?? "state-never-seen";
// As on the shop's own panel, for a premises that is well.
// Without a broker no premises' network state is known.
export const briefPaths = (radio, isLinked) => `Net${isLinked ? "✓" : "?"}${radio ? ` Radio${table.radio_marks[radio.state] ?? ""}` : ""}`;
export const historyWord = (what) => table.history[what] ?? what;
export const responseWord = (response) => table.responses[response] ?? response;
export const healthOrder = Object.keys(table.health);
export const silentWarning = table.silent;
export const untoldWarning = table.untold;
export const officeUrl = table.office;
export const standsFor = (card) => `${card.stands_for} ${card.state === "closed" ? "closed" : "open"} alerts here${amongThem(card)}`;
// What an act for all of them is for, too: ", among them 2 × ATTACK".
export const amongThem = (card) => (card.urgent_kind ? `, among them ${card.urgent_count}\u00a0×\u00a0${kindWord(card.urgent_kind)}` : "");
export const isTest = (card) => card.is_drill || card.priority === 5;
export const level = (card) => (isTest(card) ? "T" : `P${card.priority}`);

export const clock = (ms) => clockFormat.format(ms);
export const clockMinute = (ms) => clock(ms).slice(0, 5);
export const clockAndDay = (ms, nowMs) => (sameDay(ms, nowMs) ? clock(ms) : `${dayFormat.format(ms)} ${clock(ms)}`);
export const minuteAndDay = (ms, nowMs) => (sameDay(ms, nowMs) ? clockMinute(ms) : `${dayFormat.format(ms)} ${clockMinute(ms)}`);

function sameDay(a, b) {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

// "02:14", from an hour on "1:02:14", from two days on "3 days".
export function age(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s >= 172_800) return `${Math.floor(s / 86_400)} days`;
  const two = (n) => String(n).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${two(m)}:${two(s % 60)}`;
}

// "14 s", "3 min 10 s", "1 h 8 min": for sentences.
export function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86_400)} days`;
}
