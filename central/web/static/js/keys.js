// Single keys for the list. They work while no field is being typed in and no dialog is open, and can be switched off
// (WCAG 2.1.4). A key acts on the marked card, the one with the focus, never on one that merely comes first.

export class Keys {
  #next = null; // after an answer by key: where J goes, since the card itself moves to "In hand"

  // desk: cards(), act(verb, incident), toggle(incident), undo(), quiet(), side(noteMap), search(), help(), say(text)
  constructor(desk, isOn) {
    this.desk = desk;
    this.isOn = isOn;
    document.addEventListener("keydown", (event) => this.#pressed(event));
  }

  marked() {
    return document.activeElement?.closest?.(".card[data-incident]") ?? null;
  }

  #pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") || isTyping(event.target)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!this.#do(key, event)) return;
    event.preventDefault();
  }

  // Whether the key was one of ours.
  #do(key, event) {
    const card = this.marked();
    const onCardItself = card !== null && document.activeElement === card;
    if (key === "Enter" && onCardItself) return this.desk.toggle(card.dataset.incident), true;
    if ((key === "ArrowDown" || key === "ArrowUp") && (onCardItself || event.target === document.body)) return this.#step(key === "ArrowDown" ? 1 : -1), true;
    if (!this.isOn() || event.repeat) return false;
    switch (key) {
      case "j":
        return this.#step(1), true;
      case "k":
        return this.#step(-1), true;
      case "a":
      case "w":
      case "s":
      case "n":
      case "c":
        return this.#act({ a: "acknowledge", w: "on-the-way", s: "assign", n: "note", c: "close" }[key], card), true;
      case "u":
        return this.desk.undo(), true;
      case "m":
        return this.desk.quiet(), true;
      case "g":
        return this.desk.side(true), true;
      case "h":
        return this.desk.side(false), true;
      case "/":
        return this.desk.search(), true;
      case "?":
        return this.desk.help(), true;
      default:
        return false;
    }
  }

  #act(verb, card) {
    if (!card) {
      this.#step(1);
      return;
    }
    if (verb === "acknowledge") this.#next = { from: card.dataset.incident, to: unansweredAfter(card) };
    this.desk.act(verb, card.dataset.incident);
  }

  #step(by) {
    const cards = this.desk.cards();
    if (!cards.length) return;
    const card = this.marked();
    const jump = this.#next && card?.dataset.incident === this.#next.from && by > 0 ? this.#next.to : null;
    this.#next = null;
    const target = cards.find((one) => jump && one.dataset.incident === jump && one.dataset.state === "unanswered");
    const index = card ? cards.indexOf(card) + by : 0;
    mark(target ?? cards[Math.min(cards.length - 1, Math.max(0, index))]);
  }
}

export function mark(card) {
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

function unansweredAfter(card) {
  const cards = [...document.querySelectorAll("#unanswered .card")].filter((one) => one.checkVisibility?.() ?? true);
  return (cards[cards.indexOf(card) + 1] ?? cards[0])?.dataset.incident ?? null;
}

function isTyping(target) {
  return target.closest?.("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])") !== null;
}
