// "Real or generated?": one picture after another, two answers, and the score.

function binomialTail(right, asked) {
  // The probability of so many right answers or more by a coin: a sum of binomial terms, in logarithms.
  let term = asked * Math.log(0.5), sum = 0;
  for (let k = 0; k <= asked; k += 1) {
    if (k >= right) sum += Math.exp(term);
    term += Math.log((asked - k) / (k + 1));
  }
  return Math.min(1, sum);
}

function pageOfQuiz(main) {
  const pictures = DATA.quiz, given = [];
  const shown = make("img", { class: "asked", alt: "a picture, real or generated" });
  const verdict = make("p", { class: "told", role: "status" });
  const score = make("p", { class: "score" });
  const buttons = [["real", true], ["generated", false]].map(([word, real]) =>
    make("button", { type: "button", onclick: () => answer(real) }, word));
  const choices = make("div", { class: "tools" }, buttons);
  const again = make("button", { type: "button", onclick: () => { given.length = 0; verdict.textContent = ""; next(); } }, "once more");
  const over = make("div", { class: "over" });

  function next() {
    const done = given.length === pictures.length;
    choices.hidden = done;
    shown.hidden = done;
    over.replaceChildren();
    if (done) finish();
    else shown.src = pictures[given.length].source;
    const right = given.filter((one) => one.right).length;
    score.textContent = given.length ? `${right} of ${given.length} right` : `${pictures.length} pictures, half of them real`;
  }

  function answer(real) {
    const picture = pictures[given.length];
    given.push({ real: picture.real, said: real, right: picture.real === real });
    verdict.textContent = `${picture.real === real ? "Right" : "Wrong"}: it is ${picture.real ? "real" : "generated"}.`;
    verdict.className = `told ${picture.real === real ? "good" : "bad"}`;
    next();
  }

  function finish() {
    const right = given.filter((one) => one.right).length;
    const fooled = given.filter((one) => !one.real && one.said).length, made = given.filter((one) => !one.real).length;
    const chance = binomialTail(right, given.length);
    over.append(
      make("p", {}, `${fooled} of ${made} generated pictures were taken for real.`),
      make("p", {}, chance < 0.05
        ? `By guessing one comes this far ${chance < 0.001 ? "less than once in 1,000 times" : `${(100 * chance).toFixed(1)} times in 100`}: you can tell them apart.`
        : `By guessing one comes this far ${Math.round(100 * chance)} times in 100: this may be luck.`),
      make("div", { class: "tools" }, again),
      make("div", { class: "sheet" }, pictures.map((one, place) => make("figure", { class: given[place].right ? "good" : "bad" },
        make("img", { src: one.source, alt: one.real ? "real" : "generated" }),
        make("figcaption", {}, one.real ? "real" : "generated")))));
  }

  document.addEventListener("keydown", (event) => {
    if (choices.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "r") answer(true);
    if (event.key === "g") answer(false);
  });
  main.append(make("div", { class: "quiz" }, shown, choices, verdict, score,
    make("p", { class: "note" }, "Keys: r for real, g for generated."), over));
  next();
}
