// Asks central for what is no act of the journal. Also for pages on which nobody is on duty.

export const TIMEOUT_MS = 15_000;
export const HEADERS = { "content-type": "application/json", "x-watchlink": "1" };

// Resolves to a sentence why it was not done, or to an empty one.
export async function post(path, body) {
  try {
    const answered = await fetch(path, { method: "POST", headers: HEADERS, body: JSON.stringify(body), signal: AbortSignal.timeout(TIMEOUT_MS) });
    return (await answered.json()).reason ?? "";
  } catch {
    return "Central did not answer. Reload the page to see whether it was done.";
  }
}
