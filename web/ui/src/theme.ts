// Runs in <head>, before the first paint: a remembered choice of light or dark,
// and the mark that scripts run, which shows the controls that need them.
const remembered = (() => {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null; // storage is forbidden: follow the system
  }
})();
if (remembered === "light" || remembered === "dark") {
  document.documentElement.dataset["theme"] = remembered;
}
document.documentElement.dataset["script"] = "";
