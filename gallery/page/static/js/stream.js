// What the program says at once. A page that it does not hear shows no faces: they may have been withdrawn.
const LOST_MS = 12_000;

export function listen(path, heard, lost = () => undefined) {
  let last = Date.now();
  const stream = new EventSource(path);
  for (const kind of ["beat", "lock", "redraw", "unit"]) {
    stream.addEventListener(kind, (event) => {
      last = Date.now();
      heard[kind]?.(JSON.parse(event.data));
    });
  }
  setInterval(() => {
    if (Date.now() - last > LOST_MS) lost();
    // A browser gives up after some errors.
    if (stream.readyState === EventSource.CLOSED) lost();
  }, 1000);
  addEventListener("pagehide", () => stream.close());
}

export function showUnit(state) {
  document.getElementById("unit").classList.toggle("needs-care", state.needs_care);
  const words = document.getElementById("unit-words");
  if (words.textContent !== state.words) words.textContent = state.words;
}
