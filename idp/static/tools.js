// What only some pages need: of the account, of the console, and those with something to copy. Comes after page.js.

const all = (selector, act) => document.querySelectorAll(selector).forEach(act);
const say = (text) => { document.querySelector("[data-live]").textContent = text; };

// Copy: the text of the element named by data-copy; the result is told, not only shown.
all("[data-copy]", (button) => {
  if (!navigator.clipboard) return;
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).innerText.trim());
    button.textContent = button.dataset.done;
    say(button.dataset.done);
    setTimeout(() => { button.textContent = label; say(""); }, 3000);
  });
});

// Download the same text as a file; print the page.
all("[data-download]", (button) => {
  button.hidden = false;
  button.addEventListener("click", () => {
    const text = document.getElementById(button.dataset.download).innerText.trim() + "\n";
    const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    Object.assign(document.createElement("a"), { href: url, download: button.dataset.name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  });
});
all("[data-print]", (button) => {
  button.hidden = false;
  button.addEventListener("click", () => print());
});

// Tabs that lie in one line on a narrow screen: the present one is in sight.
all(".tabs [aria-current]", (tab) => {
  const line = tab.parentElement;
  line.scrollLeft = tab.offsetLeft - line.offsetLeft - (line.clientWidth - tab.offsetWidth) / 2;
});

// A colour that is picked is typed as well, and one that is typed is shown.
all("input[data-fills]", (picker) => {
  const field = document.getElementById(picker.dataset.fills);
  picker.addEventListener("input", () => { field.value = picker.value; });
  field.addEventListener("input", () => { if (/^#[0-9a-f]{6}$/i.test(field.value)) picker.value = field.value; });
});

// What was typed into a form that had to wait for a proof is there again afterwards: nothing secret, in this tab alone.
function keepTyped() {
  const again = document.querySelector("[data-again]") && JSON.parse(sessionStorage.getItem("typed"));
  sessionStorage.removeItem("typed");
  const mayKeep = ({ name, type, autocomplete, dataset }) =>
    name && !("unkept" in dataset) && autocomplete !== "one-time-code" && !["hidden", "password", "file", "submit"].includes(type);
  const same = (one, [name, value]) => one.name === name && (!["checkbox", "radio"].includes(one.type) || one.value === value);
  all("form[method=post]", (form) => {
    const fields = [...form.elements].filter(mayKeep);
    if (again?.action === form.action) fields.forEach((one) => {
      const found = again.fields.find((kept) => same(one, kept));
      if (found) [, one.value, one.checked] = found;
    });
    form.addEventListener("submit", () => {
      const typed = fields.map((one) => [one.name, one.value, one.checked ?? false]);
      sessionStorage.setItem("typed", JSON.stringify({ action: form.action, fields: typed }));
    });
  });
}
keepTyped();
