// Plays the sounds. The browser slows a background tab's timers, so nothing here waits for one: a sound is a loop on the
// audio clock, started and stopped when the feed brings news, and the tone for a lost feed is scheduled ahead at each
// beat, to sound by itself if the next beats do not come. One tab sounds for all: it holds a lock.

import { TONES, samples } from "./tones.js";

const LOCK = "watchlink.sound";
const QUIET_S = 60;
const RUNS_WITHIN_MS = 5000; // a busy computer's sound begins late; one that is blocked never does

export class Sound {
  #context = null;
  #volume = null;
  #buffers = new Map();
  #playing = null; // { name, source }
  #proof = null; // the tone that somebody who goes on duty listens for
  #wanted = null;
  #lost = null;
  #lostAfterS;
  #quietUntil = 0; // on the audio clock
  #holdsLock = false;
  #letGo = null;
  #isElsewhere = false;
  #isAsking = false;

  constructor(lostAfterMs, onChange) {
    this.#lostAfterS = lostAfterMs / 1000;
    this.onChange = onChange;
  }

  // Works without a press only if the browser is set to allow it (a wall display).
  start() {
    this.#open();
  }

  // Call from a press or key: browsers start audio only then. Resolves to whether it runs.
  async unlock() {
    this.#open();
    if (!this.#context) return false;
    await Promise.race([this.#context.resume(), new Promise((done) => setTimeout(done, RUNS_WITHIN_MS))]);
    if (this.isRunning) this.#once("test");
    this.#changed();
    return this.isRunning;
  }

  // Call from a press. Plays the tone of an attack once, whatever is quiet, and says whether it sounds.
  async prove() {
    this.hush();
    this.#open();
    if (!this.#context) return false;
    await Promise.race([this.#context.resume(), new Promise((done) => setTimeout(done, RUNS_WITHIN_MS))]);
    if (this.isRunning) this.#proof = this.#once("p1", this.#context.destination);
    this.#changed();
    return this.isRunning;
  }

  // Ends the tone that was played to be heard.
  hush() {
    this.#proof?.stop();
    this.#proof = null;
  }

  get isRunning() {
    return this.#context?.state === "running";
  }

  // Somebody can hear: this tab or another one of this browser.
  get isOn() {
    return this.isRunning || this.#isElsewhere;
  }

  get quietLeftS() {
    return this.#context ? Math.max(0, this.#quietUntil - this.#context.currentTime) : 0;
  }

  // name: "p1", "p2" or null; stays until another call.
  loop(name) {
    this.#wanted = name;
    this.#apply();
  }

  // Not under a sound that says as much or more: "p1" is before "p2".
  once(name) {
    const isCovered = this.#wanted !== null && this.#wanted <= name;
    if (this.#holdsLock && this.isRunning && !isCovered) this.#once(name);
  }

  // Once through the quiet, which goes on. Says whether it did.
  through(name) {
    if (!this.quietLeftS || !this.#holdsLock || !this.isRunning) return false;
    this.#once(name, this.#context.destination);
    return true;
  }

  quiet() {
    if (!this.#context) return;
    const nowS = this.#context.currentTime;
    this.#quietUntil = nowS + QUIET_S;
    // Ends on the audio clock too, whatever the tab's timers do.
    this.#volume.gain.cancelScheduledValues(nowS);
    this.#volume.gain.setValueAtTime(0, nowS);
    this.#volume.gain.setValueAtTime(1, this.#quietUntil);
    this.onChange();
  }

  // A new attack is never covered.
  endQuiet() {
    if (!this.#context || !this.quietLeftS) return;
    this.#quietUntil = 0;
    this.#volume.gain.cancelScheduledValues(this.#context.currentTime);
    this.#volume.gain.setValueAtTime(1, this.#context.currentTime);
    this.onChange();
  }

  // Each beat puts the tone for a lost feed off again.
  beat() {
    this.#lost?.stop();
    this.#lost = null;
    if (!this.#holdsLock || !this.isRunning) return;
    this.#lost = this.#source("lost", this.#context.destination);
    this.#lost.start(this.#context.currentTime + this.#lostAfterS);
  }

  // Whether another tab sounds, asked now and then.
  async look() {
    const { held } = navigator.locks ? await navigator.locks.query() : { held: [] };
    const isElsewhere = !this.#holdsLock && held.some((lock) => lock.name === LOCK);
    if (isElsewhere !== this.#isElsewhere) {
      this.#isElsewhere = isElsewhere;
      this.onChange();
    }
  }

  // For tests and the curious: what sounds in this tab now.
  get playing() {
    return this.#playing?.name ?? null;
  }

  #open() {
    if (this.#context || !("AudioContext" in window)) return;
    this.#context = new AudioContext();
    this.#volume = this.#context.createGain();
    this.#volume.connect(this.#context.destination);
    this.#context.addEventListener("statechange", () => this.#changed());
    this.#changed();
  }

  #changed() {
    if (this.isRunning && !this.#holdsLock && !this.#isAsking) this.#ask();
    if (!this.isRunning) this.#letGo?.();
    this.#apply();
    this.onChange();
  }

  #ask() {
    if (!navigator.locks) {
      this.#holdsLock = true;
      return;
    }
    this.#isAsking = true;
    navigator.locks.request(LOCK, () => {
      this.#isAsking = false;
      if (!this.isRunning) return null;
      return new Promise((resolve) => {
        this.#holdsLock = true;
        this.#isElsewhere = false;
        this.#letGo = () => {
          this.#holdsLock = false;
          this.#letGo = null;
          resolve();
        };
        this.#apply();
        this.beat();
        this.onChange();
      });
    });
  }

  #apply() {
    const name = this.#holdsLock && this.isRunning ? this.#wanted : null;
    if (name === this.playing) return;
    this.#playing?.source.stop();
    this.#playing = null;
    if (!name) return;
    const source = this.#source(name, this.#volume);
    source.start();
    this.#playing = { name, source };
  }

  #once(name, output = this.#volume) {
    const source = this.#source(name, output);
    source.loop = false;
    source.start();
    return source;
  }

  #source(name, output) {
    const tone = TONES[name];
    if (!this.#buffers.has(name)) {
      const made = samples(tone, this.#context.sampleRate);
      const buffer = this.#context.createBuffer(1, made.length, this.#context.sampleRate);
      buffer.copyToChannel(made, 0);
      this.#buffers.set(name, buffer);
    }
    const source = this.#context.createBufferSource();
    source.buffer = this.#buffers.get(name);
    source.loop = tone.everyS !== null;
    source.connect(output);
    return source;
  }
}
