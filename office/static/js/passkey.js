// Passkeys. A form with data-passkey="get|create" asks the browser for one and is sent with what it answers.
"use strict";

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const keys = (list) => (list ?? []).map((key) => ({ ...key, id: toBytes(key.id) }));

const WORDS = {
  NotAllowedError: "The passkey was not used: cancelled, or no passkey of yours is here. Try again.",
  InvalidStateError: "This device already has a passkey for your account.",
  SecurityError: "Passkeys do not work at this address. Use the office's name instead of a number.",
};

async function options(form) {
  const inPage = form.dataset.optionsIn && document.getElementById(form.dataset.optionsIn);
  if (inPage) return JSON.parse(inPage.textContent).publicKey;
  const answer = await fetch(form.dataset.options, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error("The office does not answer. Try again.");
  return (await answer.json()).request_options.publicKey;
}

async function ask(form) {
  const given = await options(form);
  given.challenge = toBytes(given.challenge);
  if (form.dataset.passkey === "create") {
    given.user.id = toBytes(given.user.id);
    given.excludeCredentials = keys(given.excludeCredentials);
    return navigator.credentials.create({ publicKey: given });
  }
  given.allowCredentials = keys(given.allowCredentials);
  return navigator.credentials.get({ publicKey: given });
}

function asJson(credential) {
  const answer = credential.response;
  const response = { clientDataJSON: toText(answer.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (answer[name]) response[name] = toText(answer[name]);
  }
  if (answer.getTransports) response.transports = answer.getTransports();
  return JSON.stringify({
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  const field = form.elements.credential;
  const error = form.querySelector(".error[role=alert]");
  form.addEventListener("submit", async (event) => {
    if (field.value) return;
    event.preventDefault();
    error.textContent = "";
    try {
      field.value = asJson(await ask(form));
      form.submit();
    } catch (e) {
      field.value = "";
      error.textContent = WORDS[e.name] ?? e.message;
    }
  });
}
window.addEventListener("pageshow", () => {
  // After "back" the old answer would be sent again, and refused.
  for (const form of document.querySelectorAll("form[data-passkey]")) form.elements.credential.value = "";
});
