// Prints what AsyncAPI's own parser says about a document: the errors, and what it found in it.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const ERROR = 0;
const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
const errors = diagnostics.filter((one) => one.severity === ERROR).map((one) => `${one.path.join("/")}: ${one.message}`);
const count = (collection) => (document ? collection(document).all().length : 0);
console.log(
  JSON.stringify({
    errors,
    channels: count((found) => found.channels()),
    operations: count((found) => found.operations()),
    messages: count((found) => found.components().messages()),
  }),
);
