// Redirect addresses, checked while they are typed. The server says what it says when they are saved.
document.querySelectorAll("textarea[data-addresses]").forEach((area) => {
  const notes = document.querySelector(`[data-notes="${area.name}"]`);
  let wait, asked = 0;
  const ask = async () => {
    const mine = ++asked;
    const uris = area.value.split("\n").map((line) => line.trim()).filter(Boolean);
    const query = new URLSearchParams([...uris.map((uri) => ["uri", uri]), ["application_type", area.dataset.kind]]);
    const answer = uris.length ? await fetch(`${area.dataset.addresses}?${query}`, { headers: { Accept: "application/json" } }) : null;
    if (mine !== asked || (answer && !answer.ok)) return;
    const found = answer ? (await answer.json()).notes : [];
    notes.replaceChildren(...found.map(({ blocks, message }) =>
      Object.assign(document.createElement("li"), { textContent: message, className: blocks ? "wrong" : "hint" })));
  };
  area.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(() => ask().catch(() => {}), 300); });
});

// Groups that were typed and then not chosen are not sent.
const groups = document.querySelector("#who-groups");
const fit = () => { groups.form.querySelectorAll("[name=allowed_groups]").forEach((one) => { one.disabled = !groups.checked; }); };
if (groups) {
  groups.form.addEventListener("change", fit);
  addEventListener("pageshow", fit);
  fit();
}

// A known application: its redirect addresses follow from where it is, until somebody changes them.
document.querySelectorAll("textarea[data-patterns]").forEach((area) => {
  let filled = area.value;
  document.querySelector("#address").addEventListener("input", ({ target }) => {
    if (area.value !== filled) return;
    const typed = target.value.trim().replace(/[?#].*/, "").replace(/\/+$/, "");
    const home = typed && !typed.includes("://") ? `https://${typed}` : typed;
    filled = area.value = home && area.dataset.patterns.replaceAll("{address}", home);
    area.dispatchEvent(new Event("input"));
  });
});
