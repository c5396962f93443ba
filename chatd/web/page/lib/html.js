// The view library (chatd/web/vendor/README.md), and what it lacks.
import { Component, html, h } from "../../vendor/htm-preact.module.js";
export { html, render, useEffect, useErrorBoundary, useLayoutEffect, useMemo, useRef, useState }
  from "../../vendor/htm-preact.module.js";

const same = (one, other) => {
  for (const key in one) if (one[key] !== other[key]) return false;
  for (const key in other) if (!(key in one)) return false;
  return true;
};

// A view that is drawn again only when one of its properties is another object.
export const memo = (View) => class extends Component {
  shouldComponentUpdate(next) { return !same(this.props, next); }
  render(props) { return h(View, props); }
};

export const classes = (...names) => names.filter(Boolean).join(" ");
