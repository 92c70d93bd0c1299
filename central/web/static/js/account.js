// Who is signed in, as central says; nothing here is remembered by the browser. A page whose session has ended leaves for
// the sign-in page, which says why.

import { byId, setHidden, setText } from "./dom.js";
import { clockMinute } from "./words.js";

export const SIGNED_OUT = 401;
const ASK_EVERY_MS = 30_000;
const TIMEOUT_MS = 10_000;

export const me = JSON.parse(byId("me").textContent);

export function leave() {
  location.replace("/");
}

export class Account {
  #askedMs = performance.now();
  #isAsking = false;
  #expiresMs = Date.parse(me.expires_at);
  #warnFromMs = Date.parse(me.warn_from);

  // Call regularly with central's time.
  tick(nowMs) {
    if (performance.now() - this.#askedMs > ASK_EVERY_MS) this.ask();
    const isNear = nowMs >= this.#warnFromMs;
    setHidden(byId("banner-shift"), !isNear);
    if (isNear) setText(byId("shift-word"), `YOUR SIGN-IN ENDS AT ${clockMinute(this.#expiresMs)}.`);
  }

  // Central has ended the stream: the session is over, or the person's roles have changed.
  async ended() {
    if (await this.ask()) location.reload();
  }

  // Asks central who is here; leaves if nobody is. False: not known.
  async ask() {
    if (this.#isAsking) return false;
    this.#isAsking = true;
    this.#askedMs = performance.now();
    try {
      const answer = await fetch("/me.json", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (answer.status === SIGNED_OUT) leave();
      if (!answer.ok) return false;
      this.#take(await answer.json());
      return true;
    } catch {
      return false; // central is away: the page says so in its own way
    } finally {
      this.#isAsking = false;
    }
  }

  #take(now) {
    if (now.account !== me.account) location.reload(); // somebody else has signed in, in another tab
    this.#expiresMs = Date.parse(now.expires_at);
    this.#warnFromMs = Date.parse(now.warn_from);
    setHidden(byId("banner-office"), !now.warnings.length);
    setText(byId("office-word"), now.warnings.join(" "));
  }
}
