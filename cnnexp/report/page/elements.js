"use strict";
// Everything shown comes from the JSON in this page and is put in as text, never as markup.

const DATA = JSON.parse(document.getElementById("data").textContent);
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#8B5CF6"];
const SVG = "http://www.w3.org/2000/svg";
const STAGES = ["train", "val", "test"];
const STAGE_NAMES = { train: "training", val: "validation", test: "test" };
const MOST_SHOWN_AT_FIRST = 6;
const MOST_CURVES = 6;

function make(tag, attributes, ...children) {
  const element = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

function section(title, ...children) {
  return make("section", {}, make("h2", {}, title), children);
}

// A sound that is played from the page itself; nothing where there is none.
function player(source) {
  return source ? make("audio", { src: source, controls: true, preload: "metadata" }) : null;
}

function figure(value, digits) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  return Number(value.toPrecision(digits || 4)).toString();
}
