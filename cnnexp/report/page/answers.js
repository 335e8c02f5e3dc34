// A page of pictures with what a net says of each, before training and after.

function saidBars(bars) {
  return make("table", { class: "said" }, make("tbody", {}, bars.map(([label, probability], place) => {
    const bar = make("span", { class: "bar" });
    bar.style.width = `${Math.max(0, Math.min(1, probability)) * 100}%`;
    return make("tr", {}, make("td", { class: place ? "wrap" : "wrap best" }, label), make("td", { class: "number" }, probability.toFixed(2)), make("td", { class: "measure" }, bar));
  })));
}

function pageOfAnswers(main) {
  if (DATA.began_with) main.append(make("p", {}, "before: ", make("b", {}, DATA.began_with), ", as it was before the run; after: the trained run. The bars are probabilities."));
  main.append(make("div", { class: "answers" }, DATA.answers.map((one) =>
    make("article", {},
      make("figure", {}, make("img", { src: one.source, alt: one.name }), player(one.heard), make("figcaption", {}, one.name)),
      one.sides.map((side) => make("div", { class: side.name || "after" },
        side.name ? make("h3", {}, side.name) : null,
        side.bars.length ? saidBars(side.bars) : make("pre", {}, side.lines.join("\n"))))))));
}
