// Keeps cards from moving under a pointer, and clicks from landing on a card that has just moved there.

const IDLE_MS = 3000; // a pointer left on the list holds it no longer than this
const GUARD_MS = 500; // since a card has moved, or has come: what is pressed was meant for what was there before
const CHANGED_GUARD_MS = 1000; // a double click on "Acknowledge" must not press what the button becomes

export class Steady {
  #isOver = false;
  #isDown = false;
  #movedMs = -Infinity;
  #pointer = { x: NaN, y: NaN };
  #layoutMs = -Infinity;
  #cameMs = new WeakMap(); // by card
  #visible = new Set();
  #watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#visible.add(target);
      else this.#visible.delete(target);
    }
  });

  // onRelease is called when a held list may settle.
  constructor(area, onRelease) {
    area.addEventListener("pointermove", (event) => this.#moved(event), { passive: true });
    area.addEventListener("pointerdown", (event) => {
      this.#isDown = true;
      this.#moved(event);
    }, { passive: true });
    const up = (event) => {
      this.#isDown = false;
      if (event.pointerType === "touch") this.#isOver = false; // a finger that is lifted hovers over nothing
      onRelease();
    };
    // Wherever it is let go: a press that was dragged out of the list must not hold it for ever.
    window.addEventListener("pointerup", up);
    window.addEventListener("pointercancel", up);
    area.addEventListener("pointerleave", () => {
      this.#isOver = false;
      onRelease();
    });
    // Turning a phone or loading the font moves cards as well.
    window.addEventListener("resize", () => this.noteMove());
    document.fonts?.addEventListener("loadingdone", () => this.noteMove());
  }

  get isHeld() {
    return this.#isDown || (this.#isOver && performance.now() - this.#movedMs < IDLE_MS);
  }

  noteMove() {
    this.#layoutMs = performance.now();
  }

  // A card whose place matters while it can be seen.
  observe(card) {
    this.#cameMs.set(card, performance.now());
    this.#watcher.observe(card);
  }

  forget(card) {
    this.#watcher.unobserve(card);
    this.#visible.delete(card);
  }

  isVisible(card) {
    return this.#visible.has(card);
  }

  // Runs `change` and notes whether it moved any card in sight. (Of thousands few are in sight.)
  watch(change) {
    const before = [...this.#visible].filter((card) => card.isConnected).map((card) => [card, place(card)]);
    change();
    if (before.some(([card, was]) => !card.isConnected || Math.abs(place(card) - was) > 1)) this.noteMove();
  }

  // event.detail is 0 for keys, screen readers and voice control, which name their card and cannot miss.
  allows(event, primaryChangedMs = -Infinity) {
    if (event.detail === 0) return true;
    const movedMs = Math.max(this.#layoutMs, this.#cameMs.get(event.target.closest(".card")) ?? -Infinity);
    return event.timeStamp - movedMs >= GUARD_MS && event.timeStamp - primaryChangedMs >= CHANGED_GUARD_MS;
  }

  #moved(event) {
    if (event.clientX === this.#pointer.x && event.clientY === this.#pointer.y && event.type === "pointermove") return;
    this.#pointer = { x: event.clientX, y: event.clientY };
    this.#movedMs = performance.now();
    this.#isOver = Boolean(event.target.closest?.(".card, .group"));
  }
}

function place(card) {
  return card.getBoundingClientRect().top;
}
