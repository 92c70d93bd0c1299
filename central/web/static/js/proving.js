// The window "Start duty": nobody goes on duty whom nothing reaches. The tone of an attack plays as the window opens, for a
// press has opened it, and is answered here; or a test is sent to the person's phone, and its tap begins the duty.

import { me } from "./account.js";
import { byId, setHidden, setText } from "./dom.js";
import { post } from "./post.js";

const HEARD_FROM_MS = 500; // three pulses; a press that opened the window must not answer it too
const HINTS = [
  "This is how an attack sounds.",
  "Turn the volume up. Is the loudspeaker on, and nothing plugged in for headphones?",
  "Still nothing? Use another computer, or ask your phone instead.",
];
const BLOCKED =
  "SOUND IS BLOCKED: the browser does not let this page play the tone. Press Play it again. If that does not help, allow sound for this page beside its address in the browser, or ask your phone instead.";
const EARLY = "The tone has only just begun. Listen, then answer.";
const SENT = "A test is on its way to your phone; it may take a minute. Tap it: then you are on duty.";

export class Proving {
  #sound;
  #duty;
  #dialogs;
  #soundsMs = null; // since when the tone has sounded here; null = it does not
  #plays = 0;
  #tone = 0; // the number of the last one that was to play: an older one says nothing any more
  #phone = 0; // and of the last time that a phone was asked, or the window opened
  #isAsked = false; // a phone was
  #then = null;
  #opening = 0; // the number of this one

  constructor({ sound, duty, dialogs }) {
    this.#sound = sound;
    this.#duty = duty;
    this.#dialogs = dialogs;
    byId("tone-again").addEventListener("click", () => this.#play());
    byId("by-phone").addEventListener("click", () => this.#askPhone());
    byId("without-duty").addEventListener("click", () => this.#chosen() && this.#end());
    byId("dialog-duty").addEventListener("close", () => sound.hush());
  }

  // Call from a press. start(role): a sentence, or null when done. then: what the person wanted to do, and its name.
  ask(start, label = "", then = null) {
    if (this.#dialogs.isOpen) return;
    const opening = ++this.#opening;
    this.#then = then;
    this.#isAsked = false;
    this.#phone += 1;
    this.#plays = 0;
    setText(byId("tone-said"), "");
    setHidden(byId("without-duty"), !then);
    setText(byId("without-duty"), `Only ${label}, without duty`);
    this.#dialogs.ask("duty", {
      label: then ? `I heard it: start duty, then ${label}` : "I heard it: start duty",
      values: me.roles.length > 1 ? { role: this.#duty.me?.role ?? "" } : {},
      submit: async ({ role }) => {
        const unheard = this.#unheard();
        const reason = unheard || (await start(role ?? me.roles[0]));
        // Who has left the window meanwhile is on duty, and does no more.
        const isStillOpen = opening === this.#opening && byId("dialog-duty").open;
        if (!reason && then && isStillOpen) setTimeout(then);
        return reason;
      },
    });
    this.#play();
  }

  // Call when the page has changed: the phone was tapped.
  follow(isOnDuty) {
    if (!this.#isAsked || !isOnDuty) return;
    this.#isAsked = false;
    if (byId("dialog-duty").open) this.#end();
  }

  #end() {
    byId("dialog-duty").close();
    if (this.#then) setTimeout(this.#then);
  }

  async #play() {
    const [tone, phone] = [++this.#tone, this.#phone];
    this.#soundsMs = null;
    const isSounding = await this.#sound.prove();
    if (tone !== this.#tone) return;
    this.#soundsMs = isSounding ? performance.now() : null;
    if (phone === this.#phone) setText(byId("tone-said"), isSounding ? HINTS[Math.min(this.#plays, HINTS.length - 1)] : BLOCKED);
    this.#plays += 1;
  }

  #unheard() {
    if (this.#soundsMs === null || !this.#sound.isRunning) return BLOCKED;
    return performance.now() - this.#soundsMs < HEARD_FROM_MS ? EARLY : "";
  }

  // The role in which this browser's person acts from now on; null and a word beside the field if none is chosen.
  #chosen() {
    const form = byId("dialog-duty").querySelector("form");
    if (!form.reportValidity()) return null;
    const role = new FormData(form).get("role") ?? me.roles[0];
    this.#duty.become(role);
    return role;
  }

  async #askPhone() {
    const role = this.#chosen();
    if (!role) return;
    const phone = ++this.#phone;
    const reason = await post("/phones/duty", { role });
    if (phone !== this.#phone) return;
    this.#isAsked = !reason;
    setText(byId("tone-said"), reason || SENT);
  }
}
