// Says something to the page's own program; nobody else's page can set this header.
export function post(path, data = {}, keepalive = false, signal = undefined) {
  return fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-watchlink": "1" },
    body: JSON.stringify(data),
    cache: "no-store",
    keepalive,
    signal,
  });
}

export async function asked(path, data) {
  const response = await post(path, data);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}
