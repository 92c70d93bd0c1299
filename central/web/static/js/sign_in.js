// Signing in with a passkey: central asks, the browser's own dialog answers, central verifies.

const HEADERS = { "content-type": "application/json", "x-watchlink": "1" };
const button = document.getElementById("passkey");
const said = document.getElementById("passkey-said");

document.documentElement.dataset.script = "on";
button?.addEventListener("click", async () => {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  said.textContent = "";
  said.textContent = await signIn();
  button.setAttribute("aria-disabled", "false");
});

// Returns what went wrong; a browser that is let in leaves this page.
async function signIn() {
  if (!window.PublicKeyCredential) return "This browser has no passkeys. Use a printed code.";
  let options;
  try {
    options = await post("begin", null);
  } catch {
    return "Central did not answer. Try again.";
  }
  if (options.reason) return options.reason;
  let credential;
  try {
    credential = await navigator.credentials.get({ publicKey: { ...options.publicKey, challenge: bytes(options.publicKey.challenge) } });
  } catch (error) {
    if (error.name === "SecurityError") return "This browser allows no passkeys at this address. Open the page by its name, such as localhost, not by a number.";
    return "No passkey was used. Try again, or use a printed code.";
  }
  try {
    const outcome = await post("finish", answer(credential));
    if (outcome.reason) return outcome.reason;
  } catch {
    return "Central did not answer. Try again.";
  }
  location.replace("/");
  return "Signed in.";
}

async function post(step, body) {
  const answered = await fetch(`/sign-in/passkey/${step}`, { method: "POST", headers: HEADERS, body: JSON.stringify(body) });
  return answered.json();
}

function answer(credential) {
  const { authenticatorData, clientDataJSON, signature, userHandle } = credential.response;
  return {
    id: text(credential.rawId),
    rawId: text(credential.rawId),
    type: credential.type,
    response: {
      authenticatorData: text(authenticatorData),
      clientDataJSON: text(clientDataJSON),
      signature: text(signature),
      userHandle: userHandle ? text(userHandle) : null,
    },
    clientExtensionResults: {},
  };
}

const bytes = (coded) => Uint8Array.from(atob(coded.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
