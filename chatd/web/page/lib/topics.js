// Who is to be drawn again: a view uses topics, the state announces them. Announcements before one frame of the screen
// are one drawing, so that many events a second cost no more than the screen shows.
import { useEffect, useState } from "./html.js";

const HIDDEN_MS = 100;    // a page that is not shown has no frames
const soon = (act) => (document.hidden ? setTimeout(act, HIDDEN_MS) : requestAnimationFrame(act));

export class Topics {
  #listeners = new Map(); #announced = new Set(); #counts = new Map(); #scheduled = false;

  on(topic, listener) {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  // How often these topics were announced.
  count(names) { return names.reduce((sum, name) => sum + (this.#counts.get(name) ?? 0), 0); }

  announce(...topics) {
    for (const topic of topics) {
      this.#announced.add(topic);
      this.#counts.set(topic, (this.#counts.get(topic) ?? 0) + 1);
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    soon(() => {
      this.#scheduled = false;
      const listeners = new Set();
      for (const topic of this.#announced)
        for (const listener of this.#listeners.get(topic) ?? []) listeners.add(listener);
      this.#announced.clear();
      for (const listener of listeners) listener();
    });
  }
}

// Draw the calling view again at each announcement of one of these topics.
export function useTopics(topics, ...names) {
  const [, draw] = useState(0);
  const drawnAt = topics.count(names);
  useEffect(() => {
    const again = () => draw((count) => count + 1);
    const ends = names.map((name) => topics.on(name, again));
    if (topics.count(names) !== drawnAt) again();    // announced after the view was drawn, before it listened
    return () => ends.forEach((end) => end());
  }, names);
}
