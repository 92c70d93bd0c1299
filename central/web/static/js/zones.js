// Where each card stands: Unanswered, In hand, Closed. A list under the pointer is held still: new cards come at its end
// and are named above it, and move into place when the pointer leaves.

import { CardView } from "./cards.js";
import { arrange, byId, element, name, prune, setHidden, setText, shape, spare } from "./dom.js";
import { entries } from "./model.js";
import * as words from "./words.js";

export class Zones {
  #views = new Map();
  #groups = new Map();
  #steady;
  #isPending = false;

  constructor(steady) {
    this.#steady = steady;
  }

  get isPending() {
    return this.#isPending;
  }

  view(key) {
    return this.#views.get(key);
  }

  // Open cards in the order in which they stand on the page (those in a folded group too).
  standing() {
    return [...document.querySelectorAll("#unanswered .card, #in-hand .card, #closed .card")].filter((card) => card.checkVisibility?.() ?? card.offsetParent);
  }

  // look(key) → { me, sending, error, nowMs, nextShifts }
  draw(model, nowMs, look) {
    this.#steady.watch(() => this.#draw(model, nowMs, look));
  }

  tick(look) {
    for (const [key, view] of this.#views) if (this.#steady.isVisible(view.node)) spare(() => view.tick(look(key)));
  }

  #add(key) {
    const view = new CardView(key);
    this.#views.set(key, view);
    this.#steady.observe(view.node);
  }

  #draw(model, nowMs, look) {
    const lists = { unanswered: model.unanswered(), "in-hand": model.inHand(), closed: model.closed(nowMs) };
    const known = new Set();
    for (const card of Object.values(lists).flat()) {
      known.add(card.key);
      if (!this.#views.has(card.key)) this.#add(card.key);
      const view = this.#views.get(card.key);
      spare(() => view.update(card, look(card.key), model.places.get(card.node) ?? null), () => view.fail(card));
    }
    for (const [key, view] of this.#views) {
      if (known.has(key)) continue;
      view.node.remove();
      this.#steady.forget(view.node);
      this.#views.delete(key);
    }
    const isHeld = this.#steady.isHeld;
    const placed = {
      unanswered: this.#entryNodes(lists.unanswered, model.isFlood(nowMs), nowMs),
      "in-hand": lists["in-hand"].map((card) => this.#views.get(card.key).node),
      closed: lists.closed.map((card) => this.#views.get(card.key).node),
    };
    if (isHeld) this.#hold(placed);
    else this.#settle(placed);
    this.#isPending = isHeld && Object.entries(placed).some(([id, nodes]) => !stand(byId(id), nodes));
    this.#nameHidden(isHeld ? lists.unanswered : []);
    for (const [id, cards] of Object.entries(lists)) {
      const tests = cards.filter(words.isTest).length;
      const real = cards.length - tests;
      setText(byId(`${id}-count`), tests ? `${real} + ${tests} test${tests === 1 ? "" : "s"}` : String(real));
      const empty = byId(`${id}-empty`);
      if (empty) setHidden(empty, byId(id).childElementCount > 0);
    }
  }

  #settle(placed) {
    // New groups first, empty: a card keeps its focus only when moved into a part of the page.
    for (const [id, nodes] of Object.entries(placed)) arrange(byId(id), nodes);
    for (const group of this.#groups.values()) arrange(group.list, group.nodes);
    for (const group of this.#groups.values()) prune(group.list, group.nodes);
    for (const [id, nodes] of Object.entries(placed)) prune(byId(id), nodes);
  }

  // Only cards that are nowhere yet are added, at the end; all others stay in place. A folded-away card (a closed alert
  // that was pressed again, one of a group that has become an attack) counts as nowhere.
  #hold(placed) {
    for (const node of placed.unanswered) if (node.checkVisibility?.() === false) byId("unanswered").append(node);
    for (const [id, nodes] of Object.entries(placed)) {
      for (const node of nodes) if (!node.isConnected) byId(id).append(node);
    }
    for (const group of this.#groups.values()) {
      for (const node of group.nodes) if (!node.isConnected) group.list.append(node);
    }
    // Drawn by the server, before the script took over: never kept.
    for (const card of document.querySelectorAll(".list .card:not([data-incident])")) card.remove();
  }

  #entryNodes(cards, isFlood, nowMs) {
    const made = entries(cards, isFlood);
    const kinds = new Set(made.map((entry) => entry.kind));
    for (const [kind, group] of this.#groups) {
      if (kinds.has(kind)) continue;
      group.nodes = [];
      if (group.list.childElementCount === 0 || !this.#steady.isHeld) this.#groups.delete(kind);
    }
    return made.map((entry) => {
      if (entry.card) return this.#views.get(entry.card.key).node;
      if (!this.#groups.has(entry.kind)) this.#groups.set(entry.kind, new Group(entry.kind));
      const group = this.#groups.get(entry.kind);
      group.update(entry.cards, entry.cards.map((card) => this.#views.get(card.key).node), nowMs);
      return group.node;
    });
  }

  // While the list is held, the most urgent alert may be out of sight: name it above the list.
  #nameHidden(unanswered) {
    const arrival = byId("arrival");
    const top = unanswered[0];
    const first = byId("unanswered").querySelector(".card");
    const isHidden = Boolean(top) && top.priority <= 2 && first?.dataset.incident !== top.key;
    setHidden(arrival, !isHidden);
    if (!isHidden || arrival.dataset.incident === top.key) return;
    arrival.dataset.incident = top.key;
    arrival.dataset.level = words.level(top).toLowerCase();
    arrival.replaceChildren(
      shape(`shape-${words.level(top).toLowerCase()}`),
      element("strong", "", words.kindWord(top.kind)), " ", name(top.premises),
      element("span", "", " – at the end of the list; moves up when the pointer leaves"),
    );
  }
}

function stand(list, nodes) {
  return list.childElementCount === nodes.length && nodes.every((node, i) => list.children[i] === node);
}

class Group {
  nodes = [];

  constructor(kind) {
    this.count = element("span", "num");
    this.oldest = element("span", "group-oldest num");
    this.list = element("div", "list");
    const level = element("span", "badge-level", shape("shape-p3"), "P3");
    const badge = element("div", "badge", level, element("span", "badge-kind", words.kindWord(kind)));
    this.node = element("details", "group", element("summary", "", badge, element("span", "group-word", words.kindMeans(kind), " ", this.count), this.oldest), this.list);
    this.node.dataset.level = "p3";
  }

  update(cards, nodes, nowMs) {
    this.nodes = nodes;
    setText(this.count, `×${cards.length}`);
    setText(this.oldest, `oldest ${words.age(nowMs - Date.parse(cards[0].arrived_at))}`);
  }
}
