// Duty in this browser: who it is, notifications while the page is hidden, and a screen that stays on.

import { isSame } from "./model.js";
import { onOtherTab, remember, remembered } from "./settings.js";
import { kindWord } from "./words.js";

export class Duty {
  #wakeLock = null;
  #isWanted = false;

  constructor(onChange) {
    this.me = person(remembered("person", null));
    onOtherTab("person", () => {
      this.me = person(remembered("person", null));
      onChange();
    });
    document.addEventListener("visibilitychange", () => this.#keepAwake());
  }

  become(me) {
    this.me = me;
    remember("person", me);
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
      this.#wakeLock = await navigator.wakeLock.request("screen");
    } catch {
      // Low battery or not allowed: the page works, the screen may go dark.
    }
  }
}

function person(kept) {
  return kept && typeof kept.role === "string" && typeof kept.name === "string" ? { role: kept.role, name: kept.name } : null;
}
