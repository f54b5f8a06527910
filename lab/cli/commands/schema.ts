import { EngineError } from "../../../engine/base/engine-error.ts";
import { suggestion } from "../../base/did-you-mean.ts";
import { DOCUMENTS, jsonSchemaOf } from "../../schemas/documents.ts";
import { defineCommand } from "../define-command.ts";

/** `lab.doctor.addresses/1` is what `lab doctor addresses --json` prints. */
const NAMES: readonly string[] = DOCUMENTS.map((id) => id.slice("lab.".length, id.indexOf("/")));

export const schemaCommand = defineCommand({
  name: "schema",
  summary: "JSON Schema of what a command prints with --json",
  description:
    "Every --json document names its schema in its first member, for example lab.status/1; the number changes when an old reader would break. Errors of all commands are lab.error/1. Without COMMAND: the list. The same files lie in lab/schemas.",
  examples: [
    { command: "lab schema status", what: "of `lab status --json`" },
    { command: "lab schema doctor addresses", what: "of a command of two words" },
    { command: "lab schema error", what: "of errors" },
  ],
  args: [
    {
      name: "COMMAND",
      help: "a command's name, or error",
      required: false,
      variadic: true,
      values: NAMES,
    },
  ],
  options: {},
  run(_context, { args }) {
    if (args.length === 0) {
      const jsonSchema = { anyOf: DOCUMENTS.map(jsonSchemaOf) };
      const data = { document: "any", jsonSchema };
      return Promise.resolve({ schema: "lab.schema/1", data, text: DOCUMENTS.join("\n") });
    }
    const name = args.join(".");
    const document = DOCUMENTS[NAMES.indexOf(name)];
    const jsonSchema = document === undefined ? null : jsonSchemaOf(document);
    if (document === undefined || jsonSchema === null) {
      throw new EngineError("CLI_USAGE", {
        message: `no schema is published for "${args.join(" ")}"`,
        hint: suggestion(name, NAMES, "`lab schema` lists them"),
      });
    }
    return Promise.resolve({
      schema: "lab.schema/1",
      data: { document, jsonSchema },
      text: JSON.stringify(jsonSchema, null, 2),
    });
  },
});
