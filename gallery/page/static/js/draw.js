// Draws parts of the page as they are now, in place: a page that is loaded anew loses what is touched while it comes.
let newest = 0;

// Read by a request: a page of ours may make no markup of words itself (trusted types).
function pageNow() {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    request.addEventListener("load", () => (request.response === null ? failed(new Error("no page")) : done(request.response)));
    request.addEventListener("error", () => failed(new Error("no answer")));
    request.send();
  });
}

// Locked or open, of one person or not, and whose: scripts and the rest of the page go by it.
function kind(page) {
  return [page.body.className, page.getElementById("report") !== null, page.getElementById("lock")?.textContent].join();
}

// Returns whether they are drawn; null = a later call does it, or has found that somebody is busy. Throws where the
// unit does not answer.
export async function draw(ids, isFree) {
  newest += 1;
  const mine = newest;
  if (!isFree()) return false;
  const now = await pageNow();
  if (mine !== newest) return null;
  if (!isFree()) return false;
  if (kind(now) !== kind(document)) {
    location.reload();
    return true;
  }
  document.title = now.title;
  for (const id of ids) {
    const part = document.getElementById(id);
    const fresh = now.getElementById(id);
    for (const name of Object.keys(part.dataset)) delete part.dataset[name];
    Object.assign(part.dataset, fresh.dataset);
    for (const button of fresh.querySelectorAll("button:disabled")) button.disabled = false; // its script runs
    // What is the same stays, and with it where somebody's finger or keyboard is.
    if (part.innerHTML !== fresh.innerHTML) part.replaceChildren(...fresh.childNodes);
  }
  return true;
}
