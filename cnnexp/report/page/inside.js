// "What this net has learnt": a section for each technique, in reading order.

function pageOfInside(main) {
  if (DATA.inside.length > 1) {
    main.append(make("nav", { class: "contents" }, DATA.inside.map((one) =>
      make("a", { href: `#${one.technique}` }, one.technique.replaceAll("-", " ")))));
  }
  for (const one of DATA.inside) {
    main.append(make("section", { id: one.technique, class: "inside" },
      make("h2", {}, one.technique.replaceAll("-", " ")),
      make("p", { class: "soft" }, one.line),
      one.pictures.map((picture) => make("div", { class: "scroll" }, make("img", { src: picture.source, alt: `${one.title}: ${picture.name}` }))),
      make("p", {}, make("b", {}, "What is seen. "), one.seen),
      make("p", {}, make("b", {}, "What it does not prove. "), one.beware),
      one.lines.length ? make("details", {}, make("summary", {}, "the figures"), make("pre", { class: "scroll" }, [one.title, "", ...one.lines].join("\n"))) : null));
  }
  if (DATA.left_out.length) {
    main.append(section("Left out", make("table", {}, make("tbody", {}, DATA.left_out.map((one) =>
      make("tr", {}, make("td", {}, one.technique), make("td", { class: "wrap" }, one.reason)))))));
  }
}
