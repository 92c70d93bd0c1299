// The sounders, aloud if wanted: the same pulses as the piezo's.
const PATTERNS = {
  // [hertz, on ms, gap ms] …, then how often it comes again (0 = once)
  attack: { pulses: [[660, 140, 100], [880, 140, 100], [660, 140, 350], [880, 140, 100], [660, 140, 0]], every_ms: 2500 },
  assist: { pulses: [[660, 200, 200], [660, 200, 200], [660, 200, 0]], every_ms: 15000 },
  notice: { pulses: [[520, 300, 0]], every_ms: 0 },
  confirm: { pulses: [[660, 80, 40], [880, 80, 0]], every_ms: 0 },
  undelivered: { pulses: [[440, 250, 80], [330, 250, 80], [440, 250, 80], [330, 250, 0]], every_ms: 10000 },
};
const URGENCY = ["attack", "undelivered", "assist", "notice", "confirm"];

let audio = null;
let playing = "off";
let again = 0;

export function setHearing(isWanted) {
  if (isWanted) {
    audio = audio ?? new AudioContext();
    audio.resume();
  } else if (audio) {
    audio.suspend();
  }
}

// Plays the most urgent of these patterns.
export function hear(patterns) {
  const wanted = URGENCY.find((name) => patterns.includes(name)) ?? "off";
  if (wanted === playing) return;
  playing = wanted;
  clearTimeout(again);
  play();
}

function play() {
  const pattern = PATTERNS[playing];
  if (!pattern) return;
  if (audio && audio.state === "running") {
    let at = audio.currentTime;
    for (const [hertz, on_ms, gap_ms] of pattern.pulses) {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      tone.type = "square";
      tone.frequency.value = hertz;
      gain.gain.value = 0.1;
      tone.connect(gain).connect(audio.destination);
      tone.start(at);
      tone.stop(at + on_ms / 1000);
      at += (on_ms + gap_ms) / 1000;
    }
  }
  if (pattern.every_ms) again = setTimeout(play, pattern.every_ms);
}
