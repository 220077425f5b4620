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

// Who types a group means it: the choice beside it follows.
document.querySelector("#allowed_groups")?.addEventListener("input", ({ target }) => {
  if (target.value.trim()) document.querySelector("#who-groups").checked = true;
});
