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

  // Central has ended the stream: the session is over, was begun anew in another tab, or the person's roles have changed.
  ended() {
    this.ask();
  }

  // Asks central who is here; leaves if nobody is.
  async ask() {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#askedMs = performance.now();
    try {
      const answer = await fetch("/me.json", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (answer.status === SIGNED_OUT) leave();
      if (answer.ok) this.#take(await answer.json());
    } catch {
      // Central is away: the page says so in its own way.
    } finally {
      this.#isAsking = false;
    }
  }

  #take(now) {
    // Somebody else has signed in, in another tab, or may do something else now. A page that stays keeps its sound.
    if (now.account !== me.account || now.name !== me.name || String(now.roles) !== String(me.roles)) location.reload();
    this.#expiresMs = Date.parse(now.expires_at);
    this.#warnFromMs = Date.parse(now.warn_from);
    setHidden(byId("banner-office"), !now.warnings.length);
    setText(byId("office-word"), now.warnings.join(" "));
  }
}
