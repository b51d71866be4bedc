// Quick Find filters the menu while you type. Without script the form finds pages on Setup Home.
(() => {
  const box = document.getElementById("setupSearch");
  const nothing = document.getElementById("nothing");
  if (!box) return;
  const filter = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const group of document.querySelectorAll("nav.menu .group")) {
      let here = 0;
      for (const entry of group.querySelectorAll("li")) {
        const text = (entry.textContent + " " + entry.dataset.words).toLowerCase();
        entry.hidden = !words.every((word) => text.includes(word));
        if (!entry.hidden) here += 1;
      }
      group.hidden = here === 0;
      shown += here;
    }
    nothing.textContent = shown ? "" : "No pages match.";
  };
  box.addEventListener("input", filter);
  if (box.value) filter(); // typed before this script ran
  box.form.addEventListener("submit", (event) => {
    const found = [...document.querySelectorAll("nav.menu .group li:not([hidden]) a")];
    if (found.length !== 1 || !box.value.trim()) return;
    event.preventDefault();
    location.href = found[0].href;
  });
})();

// Links that are buttons answer to the space bar too.
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || !event.target.matches("a[role=button]")) return;
  event.preventDefault();
  event.target.click();
});
