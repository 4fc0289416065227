// Judge pictures with Node 20 or later, no packages: node detect.mjs PICTURE...
// PPE_URL names the service, http://127.0.0.1:8000 if unset.
import { openAsBlob } from "node:fs";
import { basename } from "node:path";

const url = process.env.PPE_URL ?? "http://127.0.0.1:8000";
const form = new FormData();
for (const path of process.argv.slice(2)) {
  form.append("images", await openAsBlob(path), basename(path));
}

const response = await fetch(`${url}/v1/detect?require=helmet,vest`, { method: "POST", body: form });
const answer = await response.json();
if (!response.ok) {
  console.error(`${answer.code}: ${answer.detail}`); // application/problem+json: decide by code, show detail
  process.exit(1);
}
for (const picture of answer.images) {
  if (picture.error) {
    console.log(`${picture.filename}: ${picture.error.code}: ${picture.error.detail}`);
    continue;
  }
  for (const { id, helmet, vest } of picture.people) {
    console.log(
      `${picture.filename}: person ${id}: helmet ${helmet.state} (${helmet.reason ?? helmet.confidence}), ` +
        `vest ${vest.state} (${vest.reason ?? vest.confidence})`,
    );
  }
  console.log(`${picture.filename}: ${picture.summary.people} people, ${picture.summary.not_compliant} not compliant`);
}
