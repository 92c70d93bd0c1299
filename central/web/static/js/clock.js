// Server time, carried on between beats by the browser's monotonic clock; a wrong wall clock here does not matter.

export class ServerClock {
  #atMs = null;
  #heardMs = 0;
  #frozenMs = null;

  sync(serverAt) {
    this.#atMs = Date.parse(serverAt);
    this.#heardMs = performance.now();
    this.#frozenMs = null;
  }

  get isSet() {
    return this.#atMs !== null;
  }

  // The moment that ages count to: now or, while the feed is silent, when it was last heard.
  now() {
    if (this.#frozenMs !== null) return this.#frozenMs;
    return this.#atMs === null ? Date.now() : this.#atMs + performance.now() - this.#heardMs;
  }

  freeze() {
    if (this.#frozenMs === null) this.#frozenMs = this.#atMs ?? Date.now();
    return this.#frozenMs;
  }

  get isFrozen() {
    return this.#frozenMs !== null;
  }
}
