// Puts the parts together: a page of many runs, or of one.

function pageOfRuns(main) {
  const shown = new Set();
  DATA.runs.forEach((run, place) => { if (hasCurves(run) && shown.size < MOST_SHOWN_AT_FIRST) shown.add(place); });
  const details = make("div", { id: "details" });
  const [detailed = -1] = telling();
  const select = make("span");
  const open = (place, scroll) => {
    select.replaceChildren(runSelect("run", place, (chosen) => open(chosen, false)));
    details.replaceChildren(...runDetails(DATA.runs[place], "h3"));
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (scroll) detailsSection.scrollIntoView({ behavior: still ? "instant" : "smooth" });
  };
  const detailsSection = section("One run", make("div", { class: "tools" }, select), details);
  const [curves, drawCurves] = curvesOfAll(shown, () => { drawRows(); drawCurves(); });
  const [tools, table, drawRows] = runsTable(shown, (place, on) => { if (on) shown.add(place); else shown.delete(place); drawCurves(); }, (place) => open(place, true));
  main.append(section("Runs", tools, table, DATA.notes.map((note) => make("p", { class: "note" }, note))));
  drawCurves();
  for (const part of [curves, differences(), detailed >= 0 ? detailsSection : null]) if (part) main.append(part);
  if (detailed >= 0) open(detailed, false);
}

const main = document.getElementById("page");
main.append(make("h1", {}, DATA.title), make("p", { class: "soft" }, DATA.subtitle));
if (DATA.answers) pageOfAnswers(main);
else if (DATA.quiz) pageOfQuiz(main);
else if (DATA.inside) pageOfInside(main);
else if (DATA.map) pageOfMap(main);
else if (DATA.runs.length === 1) main.append(...runDetails(DATA.runs[0], "h2"), ...DATA.notes.map((note) => make("p", { class: "note" }, note)));
else pageOfRuns(main);
document.documentElement.dataset.drawn = "yes";
