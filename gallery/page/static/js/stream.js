// What the program says at once. A page that it does not hear shows no faces: they may have been withdrawn.
const LOST_S = 12;

let stream = null;
let listening = 0;
let isOver = false;

export function listen(path, heard, lost = () => undefined) {
  if (isOver) return;
  // Counted, not read off the clock, which somebody may set.
  let silent = 0;
  stream = new EventSource(path);
  // What was said before, or while the stream was down, was not heard.
  stream.addEventListener("open", () => heard.open?.());
  for (const kind of ["beat", "lock", "redraw", "unit"]) {
    stream.addEventListener(kind, (event) => {
      silent = 0;
      heard[kind]?.(JSON.parse(event.data));
    });
  }
  listening = setInterval(() => {
    silent += 1;
    // A browser gives up after some errors.
    if (silent > LOST_S || stream.readyState === EventSource.CLOSED) lost();
  }, 1000);
  addEventListener("pagehide", hangUp);
}

// Hears no more.
export function hangUp() {
  isOver = true;
  clearInterval(listening);
  stream?.close();
}

// Returns whether other alerts are drawn than there are.
export function showUnit(state) {
  const unit = document.getElementById("unit");
  unit.classList.toggle("needs-care", state.needs_care);
  const words = document.getElementById("unit-words");
  if (words.textContent !== state.words) words.textContent = state.words;
  return document.getElementById("alerts").dataset.nearby !== state.nearby;
}
