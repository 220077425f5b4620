// The last page of a sign-out: times as this clock shows them, and on to the application once the
// frames have told the others. Without this there is the button.

document.querySelectorAll("time[data-clock]").forEach((time) => {
  time.textContent = new Date(time.dateTime).toLocaleTimeString(document.documentElement.lang, {
    hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  });
});

const onward = document.querySelector("a[data-onward]");
if (onward) {
  let gone = false;
  const go = () => {
    if (!gone) location.replace(onward.href);
    gone = true;
  };
  // The page has loaded when its frames have. One that never does keeps nobody.
  document.readyState === "complete" ? go() : addEventListener("load", go);
  setTimeout(go, 5000);
}
