// tus-js-client as npm gives it: node tus_upload.mjs ADDRESS TOKEN FILE
// Prints a line when it begins to send and for each piece, and the URL of the upload at the end.

import { createReadStream, statSync } from "node:fs";
import { Upload } from "tus-js-client";

const [address, token, path] = process.argv.slice(2);
const upload = new Upload(createReadStream(path), {
  endpoint: `http://${address}/files/tus/`,
  headers: { authorization: `Bearer ${token}` },
  metadata: { filename: "from-tus-js-client.txt" },
  uploadSize: statSync(path).size,
  chunkSize: 256 * 1024,
  retryDelays: Array(200).fill(50),
  onProgress: () => {},
  onChunkComplete: (size, accepted) => console.log(`at ${accepted}`),
  onSuccess: () => console.log(`done ${upload.url}`),
  onError: (error) => {
    console.log(`failed ${error}`);
    process.exit(1);
  },
});
upload.start();
