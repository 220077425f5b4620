// Passkey ceremonies: data attributes in, one hidden input out, then the form is sent as any other.
//
// <div data-passkey="get|create" data-url data-options='{…JSON}' [data-autofill] [data-upgrade] data-say-…>
//   <input type="hidden" name="passkey_response"> <button data-passkey-start hidden>
//   [<button data-passkey-elsewhere hidden>] <p role="status" data-passkey-status>

const Credential = window.PublicKeyCredential;

const toBytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const withBytes = (list) => list?.map((item) => ({ ...item, id: toBytes(item.id) }));

// The browser's own readers where it has them; by hand where it (or an extension) does not.
function readOptions(kind, json) {
  const native = kind === "create" ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
  if (Credential[native]) return Credential[native](json);
  const options = { ...json, challenge: toBytes(json.challenge) };
  if (json.user) options.user = { ...json.user, id: toBytes(json.user.id) };
  if (json.allowCredentials) options.allowCredentials = withBytes(json.allowCredentials);
  if (json.excludeCredentials) options.excludeCredentials = withBytes(json.excludeCredentials);
  return options;
}

function toJSON(credential) {
  try {
    return credential.toJSON();
  } catch {
    const { response } = credential;
    const names = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
    const answer = Object.fromEntries(names.filter((name) => response[name]).map((name) => [name, toText(response[name])]));
    if (response.getTransports) answer.transports = response.getTransports();
    return {
      id: credential.id, rawId: toText(credential.rawId), type: credential.type, response: answer,
      authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  }
}

async function capabilities() {
  const known = (await Credential.getClientCapabilities?.().catch(() => null)) ?? {};
  if (known.conditionalGet === undefined) {
    known.conditionalGet = (await Credential.isConditionalMediationAvailable?.().catch(() => false)) ?? false;
  }
  return known;
}

// Every outcome of navigator.credentials as one of the page's sentences. Cancelled, timed out, nothing
// there and verification failed are all NotAllowedError: one neutral sentence covers them. An address
// without passkeys (SecurityError) is put on record, and the page that comes back says under which name.
const SENTENCE = { NotAllowedError: "sayNone", AbortError: "", InvalidStateError: "sayExists" };

class Ceremony {
  #waiting = null;
  #able = {};

  constructor(root) {
    this.root = root;
    this.kind = root.dataset.passkey;
    this.json = JSON.parse(root.dataset.options);
    this.form = root.closest("form");
    this.start = root.querySelector("[data-passkey-start]");
    this.elsewhere = root.querySelector("[data-passkey-elsewhere]");
    this.status = root.querySelector("[data-passkey-status]");
  }

  async open() {
    this.start.hidden = false;
    this.start.addEventListener("click", () => this.ask());
    this.elsewhere?.addEventListener("click", () => this.ask({ anywhere: true }));
    // A page restored by the Back button has lost its pending request.
    addEventListener("pageshow", (event) => { if (event.persisted) this.arm(); });
    this.#able = await capabilities();
    this.arm();
  }

  // What may run unasked: autofill in the address field, or a passkey made along a password sign-in.
  arm() {
    if (this.kind === "get" && "autofill" in this.root.dataset && this.#able.conditionalGet) this.#quietly("get");
    if (this.kind === "create" && "upgrade" in this.root.dataset && this.#able.conditionalCreate) this.#quietly("create");
  }

  async #quietly(kind) {
    const mine = (this.#waiting = new AbortController());
    // A conditional create can stay pending for ever: it gets a moment, and nothing waits for it.
    const signal = kind === "create" ? AbortSignal.any([mine.signal, AbortSignal.timeout(1500)]) : mine.signal;
    try {
      const options = { publicKey: readOptions(kind, this.json), mediation: "conditional", signal };
      this.#answer(await navigator.credentials[kind](options), kind === "create");
    } catch {
      // Nobody asked for it, so nobody is told.
    } finally {
      if (this.#waiting === mine) this.#waiting = null;
    }
  }

  async ask({ anywhere = false } = {}) {
    this.#waiting?.abort();
    this.#busy(true);
    this.#say(this.root.dataset.sayWait);
    try {
      this.#answer(await navigator.credentials[this.kind](this.#request(anywhere)));
    } catch (error) {
      if (error.name === "SecurityError") return this.#send({ error: error.name });
      this.#busy(false);
      this.#refused(error);
    }
  }

  #request(anywhere) {
    const publicKey = readOptions(this.kind, this.json);
    if (this.kind === "create") return { publicKey };
    if (anywhere) return { publicKey: { ...publicKey, hints: ["hybrid", "security-key"] } };
    // Immediate mode: without a passkey on this device it fails at once instead of showing a QR code.
    const immediate = this.#able.immediateGet && !publicKey.allowCredentials?.length;
    return immediate ? { publicKey, uiMode: "immediate" } : { publicKey };
  }

  #answer(credential, upgrade = false) {
    if (credential) this.#send(toJSON(credential), upgrade);
  }

  #send(answer, upgrade = false) {
    this.root.querySelector("[name=passkey_response]").value = JSON.stringify(answer);
    // What was typed beside a passkey is not the passkey's business.
    this.form.querySelectorAll("input[type=password]").forEach((input) => { input.value = ""; });
    const button = document.createElement("button");
    Object.assign(button, { formAction: this.root.dataset.url, formNoValidate: true, hidden: true });
    if (upgrade) Object.assign(button, { name: "upgrade", value: "yes" });
    this.root.append(button);
    this.form.requestSubmit(button);
    button.remove();
  }

  #refused(error) {
    this.#say(this.root.dataset[SENTENCE[error.name] ?? "sayOther"] ?? this.root.dataset.sayOther ?? "");
    if (error.name === "NotAllowedError" && this.elsewhere && this.kind === "get") this.elsewhere.hidden = false;
    this.arm();
  }

  #busy(on) {
    this.start.toggleAttribute("data-busy", on);
    if (on) this.start.setAttribute("aria-busy", "true");
    else this.start.removeAttribute("aria-busy");
  }

  #say(text) { this.status.textContent = text ?? ""; }
}

document.querySelectorAll("[data-passkey]").forEach((root) => {
  if (Credential) return new Ceremony(root).open();
  root.dataset.off = "";
  document.querySelectorAll("[data-passkey-missing]").forEach((notice) => { notice.hidden = false; });
});
// Tell the passkey provider that nobody has this passkey: a hint, and nothing depends on it.
document.querySelectorAll("[data-unknown]").forEach((root) =>
  Credential?.signalUnknownCredential?.(JSON.parse(root.dataset.unknown)).catch(() => {}));
