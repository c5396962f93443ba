// The contents of files: fetched with the token, kept as blobs while they are shown. The browser's own cache has them
// on the disk. What is too large to keep gets a link that is valid for an hour.

const KEPT_BLOBS = 120;

export class Files {
  #blobs = new Map();

  constructor(session) { this.session = session; }

  // A URL for an <img>. The same file is fetched once.
  blob(path) {
    let found = this.#blobs.get(path);
    if (found) {
      this.#blobs.delete(path);
    } else {
      found = this.#fetch(path);
      found.catch(() => this.#blobs.delete(path));
    }
    this.#blobs.set(path, found);
    if (this.#blobs.size > KEPT_BLOBS) {
      const [oldest, blob] = this.#blobs.entries().next().value;
      this.#blobs.delete(oldest);
      blob.then((url) => URL.revokeObjectURL(url), () => {});
    }
    return found;
  }

  async #fetch(path) {
    const answer = await fetch(path, { credentials: "omit", headers: { Authorization: `Bearer ${await this.session.access()}` } });
    if (!answer.ok) throw Object.assign(new Error(`HTTP ${answer.status}`), { status: answer.status });
    return URL.createObjectURL(await answer.blob());
  }

  link(id) { return this.session.request("POST", `/files/${id}/link`); }
}
