// What of a change must be heard, spoken or notified. Sound follows what is unanswered, not what is new: a page that
// is opened in the middle of an attack sounds at once.

import { rank } from "./model.js";
import { blockedMs } from "./paths.js";
import { isAutomatic, isTest, kindWord, stateWord } from "./words.js";

export class News {
  #model;
  #sound;
  #announcer;
  #watch;
  #known = new Map(); // incident → { rank, state }
  #nodes = new Map(); // node → { state, isBlocked }
  #isFirst = true;

  constructor(model, { sound, announcer, watch }) {
    this.#model = model;
    this.#sound = sound;
    this.#announcer = announcer;
    this.#watch = watch;
  }

  kindOf(card) {
    return isTest(card) ? `TEST ${kindWord(card.kind)}` : kindWord(card.kind);
  }

  board() {
    for (const node of this.#model.nodes.values()) this.#nodes.set(node.node, { state: node.state, isBlocked: blockedMs(node) !== null });
    const cards = [...this.#model.cards.values()];
    if (this.#isFirst) {
      this.#isFirst = false;
      const unanswered = this.#model.unanswered();
      if (unanswered.length) this.#announcer.status(`${unanswered.length} unanswered: ${unanswered.slice(0, 3).map((card) => this.#name(card)).join(", ")}`);
      for (const card of cards) this.#remember(card);
    } else {
      const open = new Set(cards.map((card) => card.incident));
      for (const incident of this.#known.keys()) if (!open.has(incident)) this.#known.delete(incident);
      for (const card of cards) this.#take(card);
    }
    this.#loop();
  }

  change(change) {
    for (const card of change.cards) this.#take(card);
    for (const node of change.nodes) this.#takeNode(node);
    if (change.is_broker_linked === false) this.#announcer.urgent("Central is cut off from the broker. Alerts cannot arrive.");
    if (change.is_disk_ok === false) this.#announcer.urgent("Central cannot write to its disk. Alerts cannot be stored.");
    if (change.on_watch?.length === 0) this.#announcer.urgent("Nobody on duty.");
    this.#loop();
  }

  // A line changes for many reasons; only what is new about its state is said.
  #takeNode(node) {
    const before = this.#nodes.get(node.node);
    const now = { state: node.state, isBlocked: blockedMs(node) !== null };
    this.#nodes.set(node.node, now);
    if (node.state !== before?.state && node.state !== "ok") this.#announcer.status(`${node.premises}: ${node.state.replace("-", " ")}`);
    if (now.isBlocked && !before?.isBlocked) this.#announcer.urgent(`Radio channel blocked at ${node.premises}. An alert waits there.`);
  }

  live() {
    this.#announcer.status("Live");
  }

  notLive() {
    this.#announcer.urgent("Not live. What is shown is old.");
  }

  #take(card) {
    const before = this.#known.get(card.incident);
    const now = this.#remember(card);
    const isCalling = card.state === "unanswered";
    const isNew = isCalling && (!before || before.state !== "unanswered" || now.rank < before.rank);
    if (isNew && now.rank <= 2) {
      if (now.rank === 1) this.#sound.endQuiet();
      this.#announcer.urgent(`${this.#name(card)}, unanswered`);
      this.#watch.notify(card);
    } else if (isNew) {
      if (now.rank === 3) this.#sound.once("p3");
      this.#announcer.status(`${this.#name(card)}, unanswered`);
    } else if (before && before.state !== card.state) {
      const by = card.answered_by && card.state !== "unanswered" ? (isAutomatic(card.answered_by) ? " automatically" : ` by ${card.answered_by.name}`) : "";
      this.#announcer.status(`${this.#name(card)}: ${stateWord(card.state).toLowerCase()}${card.state === "closed" ? "" : by}`);
    } else if (before && !before.cancelled && card.cancelled) {
      this.#announcer.status(`${this.#name(card)}: cancelled by shop, still open`);
    }
  }

  #remember(card) {
    const kept = { rank: rank(card), state: card.state, cancelled: card.cancelled };
    this.#known.set(card.incident, kept);
    return kept;
  }

  #loop() {
    const urgency = this.#model.mostUrgent();
    this.#sound.loop(urgency === 1 ? "p1" : urgency === 2 ? "p2" : null);
  }

  #name(card) {
    return `${this.kindOf(card)}, ${card.premises}, ${card.place}`;
  }
}
