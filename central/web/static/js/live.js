// One stream for all tabs of a browser: the tab that holds the Web Lock listens and relays to the others over a
// BroadcastChannel. When it closes, the lock goes to the next tab, which carries on from there. Holding or
// waiting for a lock also keeps a background tab from being frozen.

const LOCK = "watchlink.feed";
const RETRY_MS = 1000;

export class Live {
  #channel = "BroadcastChannel" in window ? new BroadcastChannel(LOCK) : null;
  #source = null;
  #stepDown = null;
  #retry = 0;
  #liveMs = performance.now(); // when this tab's copy was last known to be complete
  #wallAheadMs = Date.now() - performance.now();
  #leaderMs = performance.now();
  #handlers;
  #model;
  #notLiveMs;
  #isFetching = false;
  #waiting = [];
  #pending = null;

  // handlers: board(board), change(change), beat(beat); called in order, on this tab's own copy. failed(): the stream has
  // broken; bye(): central has ended it.
  constructor(model, notLiveMs, handlers) {
    this.#model = model;
    this.#notLiveMs = notLiveMs;
    this.#handlers = handlers;
    this.#channel?.addEventListener("message", (event) => this.#relayed(event.data));
  }

  start() {
    if (!navigator.locks || !this.#channel) {
      this.#lead(); // an old browser: every tab its own stream
      return;
    }
    this.#queue();
    this.#resyncIfLed();
  }

  // Another tab leads already: its next event must find this tab with a board.
  async #resyncIfLed() {
    const { held } = await navigator.locks.query();
    if (!this.isLeader && held.some((lock) => lock.name === LOCK)) this.resync();
  }

  get isLeader() {
    return this.#stepDown !== null || this.#source !== null;
  }

  get silentMs() {
    return performance.now() - this.#liveMs;
  }

  // Call regularly: replaces a hanging stream or a hanging leading tab.
  check() {
    const nowMs = performance.now();
    // The monotonic clock stands still while a machine sleeps; the wall clock reveals it.
    const wallAheadMs = Date.now() - nowMs;
    if (wallAheadMs - this.#wallAheadMs > this.#notLiveMs) this.#liveMs = nowMs - this.#notLiveMs - 1;
    this.#wallAheadMs = wallAheadMs;
    if (this.isLeader) {
      if (nowMs - this.#leaderMs > this.#notLiveMs) this.#reopen(0);
    } else if (nowMs - this.#leaderMs > 2 * this.#notLiveMs && navigator.locks) {
      this.#leaderMs = nowMs;
      this.#pending?.abort();
      this.#queue({ steal: true });
    }
  }

  // Fetches the whole board; what arrives meanwhile and does not follow on from this tab's copy is kept and applied after
  // it. Resolves to whether it came: false, too, while an earlier one is on its way.
  async resync() {
    if (this.#isFetching) return false;
    this.#isFetching = true;
    let board = null;
    try {
      const answer = await fetch("/board.json", { cache: "no-store", signal: AbortSignal.timeout(10_000) });
      if (answer.ok) board = await answer.json();
    } catch {
      // Not reachable: the stream will bring the board when it is back.
    }
    this.#isFetching = false;
    const kept = this.#waiting;
    this.#waiting = [];
    const messages = board ? [{ event: "board", data: board }, ...kept] : kept;
    for (const message of messages) if (message.event !== "board" || this.#isNewer(message.data)) this.#handle(message);
    return board !== null;
  }

  #queue(options = null) {
    const pending = options ? null : new AbortController();
    this.#pending = pending;
    navigator.locks
      .request(LOCK, options ?? { signal: pending.signal }, () => new Promise((resolve) => {
        this.#stepDown = resolve;
        this.#lead();
      }))
      .catch(() => {
        // Taken by another tab because this one seemed to hang; or given up in order to take it.
        if (!pending?.signal.aborted) this.#resign();
      });
  }

  #resign() {
    this.#close();
    this.#stepDown = null;
    this.#leaderMs = performance.now();
    this.#queue();
  }

  #lead() {
    this.#leaderMs = performance.now();
    this.#open();
  }

  #open() {
    this.#close();
    const after = this.#model.isEmpty ? "" : `?after=${encodeURIComponent(`${this.#model.bootId}/${this.#model.sequence}`)}`;
    const source = new EventSource(`/feed${after}`);
    this.#source = source;
    for (const name of ["board", "change", "beat"]) {
      source.addEventListener(name, (event) => {
        if (source !== this.#source) return;
        this.#leaderMs = performance.now();
        const message = { event: name, id: event.lastEventId, data: JSON.parse(event.data) };
        this.#channel?.postMessage(message);
        this.#handle(message);
      });
    }
    source.addEventListener("bye", () => {
      if (source !== this.#source) return;
      this.#channel?.postMessage({ event: "bye" });
      this.#handlers.bye();
    });
    source.onerror = () => {
      if (source !== this.#source) return;
      this.#handlers.failed();
      this.#channel?.postMessage({ event: "trying" });
      // Our own retry: the browser's gives up for good on some errors.
      this.#reopen(RETRY_MS + Math.random() * RETRY_MS);
    };
  }

  #close() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
  }

  #reopen(delayMs) {
    this.#source?.close();
    clearTimeout(this.#retry);
    this.#leaderMs = performance.now();
    this.#retry = setTimeout(() => this.#open(), delayMs);
  }

  #relayed(message) {
    if (this.isLeader) return; // two leaders for a moment, after a lock was taken: keep to our own stream
    this.#leaderMs = performance.now();
    if (message.event === "bye") this.#handlers.bye();
    else if (message.event !== "trying") this.#handle(message);
  }

  // A board may take long, and an attack must not wait for it. (The older board is not taken then.)
  #followsOn({ event, id, data }) {
    return event === "change" && bootOf(id) === this.#model.bootId && data.sequence === this.#model.sequence + 1;
  }

  #isNewer(board) {
    return board.boot_id !== this.#model.bootId || board.sequence >= this.#model.sequence;
  }

  #handle(message) {
    if (this.#isFetching && !this.#followsOn(message)) {
      this.#waiting.push(message);
      return;
    }
    const { event, data } = message;
    if (event === "board") {
      this.#liveMs = performance.now();
      this.#handlers.board(data);
    } else if (event === "change") {
      const outcome = this.#model.apply(data, bootOf(message.id));
      if (outcome === "gap") this.resync();
      if (outcome !== "applied") return;
      this.#liveMs = performance.now();
      this.#handlers.change(data);
    } else if (data.boot_id !== this.#model.bootId || data.sequence > this.#model.sequence) {
      this.resync(); // something was missed: not live until the board is here and the next beat agrees
    } else {
      this.#liveMs = performance.now();
      this.#handlers.beat(data);
    }
  }
}

const bootOf = (id) => id.slice(0, id.lastIndexOf("/"));
