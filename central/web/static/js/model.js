// The board as this browser knows it: replaced whole or changed change by change. Knows neither page nor network.

import { needsLook } from "./paths.js";
import { goesOut, healthOrder, isTest, roleTitle } from "./words.js";

const FLOOD_COUNT = 10; // EEMUA 191: ten new in ten minutes is more than one operator can read
const FLOOD_WINDOW_MS = 600_000;
const GROUP_FROM = 2;
const CLOSED_SHOWN_MS = 3_600_000;
const FAULT_SHOWN_MS = 3_600_000;
const OWN_FAULT = "internal error"; // as central/core/set_aside.py counts it

const at = (text) => Date.parse(text);
// Kept on the card: lists of thousands are sorted by it again and again.
export const arrivedMs = (card) => (card.arrivedMs ??= at(card.arrived_at));
export const pressedMs = (card) => (card.pressedMs ??= card.pressed_at && !card.is_clock_ahead ? at(card.pressed_at) : arrivedMs(card));
const byUrgency = (a, b) => rank(a) - rank(b) || arrivedMs(a) - arrivedMs(b) || (a.incident < b.incident ? -1 : 1);
// Answered, but the shop has pressed since: that press is unanswered.
export const isPressedAgain = (card) => Boolean(card.pressed_again_at) && (card.state === "answered" || card.state === "on-the-way");
// Of a card that stands for many: something more urgent than what it shows was answered and pressed again.
export const pressedBehind = (card) => card.again_kind ? { ...card, kind: card.again_kind, priority: card.again_priority, is_drill: false, state: "answered" } : null;
export const lastMs = (line) => at(line.last_at);
export const rank = (card) => (isTest(card) ? 5 : card.priority);

export class Model {
  bootId = null;
  sequence = -1;
  isBrokerLinked = true;
  isDiskOk = true;
  hasAlertsLane = false;
  hasReserve = true;
  clockFault = "";
  onDuty = [];
  wentOff = []; // in the last week, the latest last
  nextShifts = []; // by the rota, of each role in each scheme, the earliest first
  missing = []; // shifts that have begun and whose person is not on duty, the earliest first
  cards = new Map();
  nodes = new Map();
  places = new Map(); // node → what the office knows of its premises
  rejected = [];
  #sorted = new Map(); // state → its cards in order, until the next change

  get isEmpty() {
    return this.bootId === null;
  }

  replace(board) {
    this.#sorted.clear();
    this.bootId = board.boot_id;
    this.sequence = board.sequence;
    this.isBrokerLinked = board.is_broker_linked;
    this.isDiskOk = board.is_disk_ok;
    this.hasAlertsLane = board.has_alerts_lane;
    this.hasReserve = board.has_reserve;
    this.clockFault = board.clock_fault;
    this.onDuty = board.on_watch;
    this.wentOff = board.went_off;
    this.nextShifts = board.next_shifts;
    this.missing = board.missing;
    this.rejected = board.rejected;
    this.cards = new Map(board.cards.map((card) => [card.key, card]));
    this.nodes = new Map(board.nodes.map((node) => [node.node, node]));
    this.places = new Map(board.premises.map((place) => [place.node, place]));
  }

  // "applied", "old" (already contained) or "gap" (something was missed: get the board).
  apply(change, bootId) {
    if (bootId !== this.bootId) return "gap";
    if (change.sequence <= this.sequence) return "old";
    if (change.sequence !== this.sequence + 1) return "gap";
    this.sequence = change.sequence;
    if (change.cards.length || change.gone_cards.length) this.#sorted.clear();
    for (const key of change.gone_cards) this.cards.delete(key);
    for (const card of change.cards) this.cards.set(card.key, card);
    for (const node of change.nodes) this.nodes.set(node.node, node);
    for (const node of change.gone_nodes) this.nodes.delete(node);
    for (const node of change.gone_premises) this.places.delete(node);
    for (const place of change.premises) this.places.set(place.node, place);
    if (change.went_off !== null) this.wentOff = change.went_off;
    if (change.on_watch !== null) this.onDuty = change.on_watch;
    if (change.next_shifts !== null) this.nextShifts = change.next_shifts;
    if (change.missing !== null) this.missing = change.missing;
    if (change.rejected !== null) this.rejected = change.rejected;
    if (change.is_broker_linked !== null) this.isBrokerLinked = change.is_broker_linked;
    if (change.is_disk_ok !== null) this.isDiskOk = change.is_disk_ok;
    if (change.has_alerts_lane !== null) this.hasAlertsLane = change.has_alerts_lane;
    if (change.has_reserve !== null) this.hasReserve = change.has_reserve;
    if (change.clock_fault !== null) this.clockFault = change.clock_fault;
    return "applied";
  }

  // Central's own failures of the last hour, by sender.
  faults(nowMs) {
    return this.rejected.filter((line) => line.reason === OWN_FAULT && nowMs - lastMs(line) < FAULT_SHOWN_MS);
  }

  unanswered() {
    return this.#inOrder("unanswered", (card) => card.state === "unanswered", byUrgency);
  }

  inHand() {
    return this.#inOrder("in-hand", (card) => card.state === "answered" || card.state === "on-the-way", byUrgency);
  }

  // How urgent the most urgent unanswered alert is; tests are 5, none is Infinity.
  mostUrgent() {
    let least = Infinity;
    for (const card of this.cards.values()) if (card.state === "unanswered") least = Math.min(least, rank(card));
    return least;
  }

  // Newest first. Only closed alerts ever leave by themselves.
  closed(nowMs) {
    return this.#inOrder("closed", (card) => card.state === "closed", (a, b) => closedMs(b) - closedMs(a))
      .filter((card) => nowMs - closedMs(card) < CLOSED_SHOWN_MS);
  }

  #inOrder(name, isWanted, order) {
    if (!this.#sorted.has(name)) this.#sorted.set(name, [...this.cards.values()].filter(isWanted).sort(order));
    return this.#sorted.get(name);
  }

  premises() {
    // A warning ranks with the faults, even if all else is well.
    const order = (node) => Math.min(healthOrder.indexOf(node.state), needsLook(node) ? healthOrder.indexOf("fault") + 0.5 : Infinity);
    return [...this.nodes.values()].sort((a, b) => order(a) - order(b) || a.premises.localeCompare(b.premises));
  }

  newCount(nowMs) {
    return [...this.cards.values()].filter((card) => !isTest(card) && nowMs - arrivedMs(card) < FLOOD_WINDOW_MS).length;
  }

  isFlood(nowMs) {
    return this.newCount(nowMs) >= FLOOD_COUNT;
  }
}

// Cards in order; during a flood, P3 of one kind become one entry. P1 and P2 are never grouped.
export function entries(cards, isFlood) {
  const single = (card) => ({ card });
  if (!isFlood) return cards.map(single);
  const isGrouped = (card) => rank(card) === 3;
  const kinds = groupBy(cards.filter(isGrouped));
  const made = [];
  for (const card of cards) {
    const same = isGrouped(card) ? kinds.get(card.kind) : undefined;
    if (!same || same.length < GROUP_FROM) made.push(single(card));
    else if (same[0] === card) made.push({ kind: card.kind, cards: same });
  }
  return made;
}

function groupBy(cards) {
  const kinds = new Map();
  for (const card of cards) kinds.set(card.kind, [...(kinds.get(card.kind) ?? []), card]);
  return kinds;
}

export const closedMs = (card) => (card.closedMs ??= card.closed_at ? at(card.closed_at) : arrivedMs(card));

// Who may be on the way: people on duty who go out, the assignee first, then this person.
export function goingFirst(people, assignedTo, me) {
  const assigned = assignedTo.toLocaleLowerCase();
  const isAssigned = (one) => Boolean(assigned) && (assigned.includes(one.name.toLocaleLowerCase()) || assigned === roleTitle(one.role).toLocaleLowerCase());
  const order = (one) => (isAssigned(one) ? 0 : isSame(one, me) ? 1 : 2);
  const going = people.filter(goesOut).sort((a, b) => order(a) - order(b));
  return { people: going, isAssigned: going.length > 0 && isAssigned(going[0]) };
}

// By account, whatever they are called; by role and name where there is none.
export const isSame = (a, b) => Boolean(a && b) && (a.account && b.account ? a.account === b.account : a.role === b.role && a.name === b.name);
