// Says whether the browser's session is still the one that a relying party was told about
// (OpenID Connect Session Management 1.0, section 3.2). It learns that and nothing else.

const name = `${document.body.dataset.cookie}=`;
const browserState = () => document.cookie.split("; ").find((one) => one.startsWith(name))?.slice(name.length);

async function digest(text) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The message is "client_id session_state". Who sent it is for the browser to say, not the message.
async function answer(message, origin) {
  const asked = typeof message === "string" && message.match(/^([\x20-\x7e]{1,255}) ([0-9a-f]{64})\.([\w-]{1,64})$/);
  const state = browserState();
  // A browser that keeps our cookie from frames cannot tell: "changed" would sign everybody out.
  if (!asked || !state || !globalThis.crypto?.subtle) return "error";
  const [, client, told, salt] = asked;
  return await digest(`${client} ${origin} ${state} ${salt}`) === told ? "unchanged" : "changed";
}

addEventListener("message", async ({ data, origin, source }) => {
  if (!source || source === window || origin === "null") return;
  source.postMessage(await answer(data, origin), origin);
});
