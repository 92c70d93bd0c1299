// The sounds as numbers and as samples. Pure: no audio device, no clock.
// Pulses have five harmonics and soft edges (IEC 60601-1-8's way): audible through talk, and easy to locate.

const HARMONICS = [1, 0.7, 0.5, 0.35, 0.25];
const EDGE_S = 0.02;

const pulses = (times, frequencies, lengthS) =>
  times.map((atS, i) => ({ atS, hz: frequencies[i % frequencies.length], lengthS }));

export const TONES = {
  // 3+2, 3+2, alternating 660/880, every 5 s.
  p1: { pulses: pulses([0, 0.2, 0.4, 0.8, 1, 1.7, 1.9, 2.1, 2.5, 2.7], [660, 880], 0.13), everyS: 5 },
  p2: { pulses: pulses([0, 0.4, 0.8], [660], 0.2), everyS: 15 },
  p3: { pulses: pulses([0], [520], 0.25), everyS: null },
  lost: { pulses: pulses([0, 0.45], [440, 330], 0.4), everyS: 30 },
  test: { pulses: pulses([0, 0.3], [520, 660], 0.2), everyS: null },
};

// One period as samples in −1 … 1.
export function samples(tone, rate) {
  const last = tone.pulses.at(-1);
  const lengthS = tone.everyS ?? last.atS + last.lengthS;
  const made = new Float32Array(Math.ceil(lengthS * rate));
  const loudest = HARMONICS.reduce((sum, part) => sum + part, 0);
  for (const { atS, hz, lengthS: pulseS } of tone.pulses) {
    const from = Math.round(atS * rate);
    const count = Math.round(pulseS * rate);
    for (let i = 0; i < count; i += 1) {
      const t = i / rate;
      const edge = Math.min(1, t / EDGE_S, (pulseS - t) / EDGE_S);
      const wave = HARMONICS.reduce((sum, part, k) => sum + part * Math.sin(2 * Math.PI * hz * (k + 1) * t), 0);
      made[from + i] = (0.9 * edge * wave) / loudest;
    }
  }
  return made;
}
