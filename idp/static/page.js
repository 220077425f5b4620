// What makes a page more convenient. Every page works without it.

const all = (selector, act) => document.querySelectorAll(selector).forEach(act);

// Announce in a polite live region that is there before it speaks.
const live = Object.assign(document.createElement("p"), { className: "hush" });
live.setAttribute("role", "status");
live.dataset.live = "";
document.body.append(live);
const say = (text) => { live.textContent = text; };

// A form is sent once. Not `disabled`: a disabled button is not submitted and loses the focus.
all("form[data-once]", (form) => {
  form.addEventListener("submit", (event) => {
    if (form.hasAttribute("data-submitting")) return event.preventDefault();
    form.setAttribute("data-submitting", "");
    hideSecrets(form);
  });
});

// An answer to a POST cannot be gone back to; its address can.
if ("posted" in document.body.dataset) history.replaceState(null, "", location.href);

// Coming back with the Back button may show the page as it was left.
addEventListener("pageshow", () => all("[data-submitting]", (form) => form.removeAttribute("data-submitting")));

// The summary of problems takes the focus, also where `autofocus` on it is not honoured.
document.querySelector("[data-summary]")?.focus();

// Show and hide a password. It is hidden again before it is sent, so that browsers know it for one.
function reveal(button, shown) {
  const input = document.getElementById(button.dataset.reveal);
  input.type = shown ? "text" : "password";
  button.textContent = shown ? button.dataset.hide : button.dataset.show;
  button.setAttribute("aria-label", shown ? button.dataset.hideLabel : button.dataset.showLabel);
}
const hideSecrets = (form) => form.querySelectorAll("[data-reveal]").forEach((button) => reveal(button, false));
all("[data-reveal]", (button) => {
  button.hidden = false;
  button.addEventListener("click", () => {
    reveal(button, document.getElementById(button.dataset.reveal).type === "password");
  });
});

// Times are told in UTC; where there is a clock, by it.
const { lang } = document.documentElement;
all("time[data-local]", (time) => {
  const how = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
  time.textContent = new Date(time.dateTime).toLocaleString(lang === "en" ? "en-GB" : lang, how);
});

// A logo that does not load: its initial stands in the gate. (The stylesheet does it where a broken
// image can be styled; one that had failed before this runs is asked for again, to be told so.)
all("img[data-initial]", (image) => {
  const initial = Object.assign(document.createElement("span"), { className: "tile", textContent: image.dataset.initial });
  initial.setAttribute("aria-hidden", "true");
  image.addEventListener("error", () => image.replaceWith(initial));
  if (image.complete && !image.naturalWidth) image.src = image.src;
});

// Wait before another mail may be asked for. Counted as text; told once at the end.
all("[data-wait]", (button) => {
  const label = button.textContent;
  const until = Date.now() + Number(button.dataset.wait) * 1000;
  button.setAttribute("aria-disabled", "true");
  button.addEventListener("click", (event) => {
    if (button.hasAttribute("aria-disabled")) event.preventDefault();
  });
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left > 0) {
      button.textContent = button.dataset.waitText.replace("{seconds}", left);
      return setTimeout(tick, 1000);
    }
    button.removeAttribute("aria-disabled");
    button.textContent = label;
    say(label);
  };
  tick();
});

// One sign-in, several tabs: the waiting ones ask whether it was finished when told to, and when somebody comes back to them.
// Pages of a signed-in person tell them, all others as they are left: a sign-in may end at an application's address.
const channel = "BroadcastChannel" in window ? new BroadcastChannel("gatehouse") : null;
const tell = () => channel?.postMessage("look");
"signedIn" in document.body.dataset ? tell() : addEventListener("pagehide", tell);
const elsewhere = document.querySelector("[data-elsewhere]");
async function look() {
  if (!elsewhere.hidden) return;
  const answer = await fetch(elsewhere.dataset.elsewhere, { headers: { Accept: "application/json" } }).catch(() => null);
  if (answer?.ok && (await answer.json()).signed_in) elsewhere.hidden = false;
}
if (elsewhere) {
  channel?.addEventListener("message", look);
  document.addEventListener("visibilitychange", () => document.hidden || look());
  addEventListener("focus", look);
}

// Pages that only carry a form on: send it now, the button stays for the rest.
document.querySelector("form[data-send]")?.requestSubmit();
