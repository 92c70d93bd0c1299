// Duty in this browser: in which role, notifications while the page is hidden, and a screen that stays on.

import { me as account } from "./account.js";
import { isSame } from "./model.js";
import { onOtherTab, remember, remembered } from "./settings.js";
import { kindWord } from "./words.js";

const ROLE = "role";

export class Duty {
  #wakeLock = null;
  #isWanted = false;

  constructor(onChange) {
    this.me = inRole(remembered(ROLE, null));
    onOtherTab(ROLE, () => {
      this.me = inRole(remembered(ROLE, null));
      onChange();
    });
    document.addEventListener("visibilitychange", () => this.#keepAwake());
  }

  // The role in which this person acts from now on.
  become(role) {
    this.me = inRole(role);
    remember(ROLE, role);
  }

  get mayAct() {
    return account.roles.length > 0;
  }

  isOn(model) {
    return model.onDuty.some((one) => isSame(one, this.me));
  }

  // Call from a press: browsers ask only then.
  arm() {
    if ("Notification" in window && Notification.permission === "default") {
      // Not awaited: the browser's question may stay open for hours, and an alert must be acknowledged.
      Notification.requestPermission().catch(() => {});
    }
  }

  // While this browser's person is on duty the screen stays on, also after a reload.
  follow(model) {
    if (model.isEmpty || this.#isWanted === this.isOn(model)) return;
    this.#isWanted = !this.#isWanted;
    if (this.#isWanted) this.#keepAwake();
    else this.#wakeLock?.release().catch(() => {});
  }

  // Only for a hidden page; the tag makes several tabs show one.
  notify(card) {
    if (!document.hidden || !("Notification" in window) || Notification.permission !== "granted") return;
    const shown = new Notification(`${kindWord(card.kind)} ${card.premises}`, {
      body: `${card.place} – ${card.state === "unanswered" ? "unanswered" : "pressed again"}`,
      tag: card.key,
      requireInteraction: card.priority === 1,
      silent: true,
    });
    shown.onclick = () => {
      window.focus();
      shown.close();
    };
  }

  async #keepAwake() {
    if (!this.#isWanted || document.hidden || !navigator.wakeLock) return;
    try {
      const granted = await navigator.wakeLock.request("screen");
      const before = this.#wakeLock; // two may have been asked for one after the other
      this.#wakeLock = granted;
      await before?.release();
      if (!this.#isWanted) await granted.release(); // duty has ended meanwhile
    } catch {
      // Low battery or not allowed: the page works, the screen may go dark.
    }
  }
}

// Central knows who it is; only which of their own roles they chose is remembered here.
function inRole(role) {
  const chosen = account.roles.includes(role) ? role : account.roles.length === 1 ? account.roles[0] : null;
  return chosen && { role: chosen, name: account.name, account: account.account };
}
