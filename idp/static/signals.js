// Tells the passkey provider what the server knows. A hint, never more: failures change nothing.
//
// <script type="application/json" data-passkey-signals>{"accepted"|"details": {…}}</script>

const Credential = window.PublicKeyCredential;
const SIGNALS = { accepted: "signalAllAcceptedCredentials", details: "signalCurrentUserDetails" };

async function signal(facts) {
  for (const [name, method] of Object.entries(SIGNALS)) {
    if (facts[name] && Credential?.[method]) await Credential[method](facts[name]).catch(() => {});
  }
}

document.querySelectorAll("[data-passkey-signals]").forEach((facts) => signal(JSON.parse(facts.textContent)));
// Where the provider cannot be told, the page's own words stand in.
if (Credential?.signalAllAcceptedCredentials) {
  document.querySelectorAll("[data-unless-signals]").forEach((words) => { words.hidden = true; });
}
