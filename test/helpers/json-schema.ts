/** Holds a `--json` document against its published JSON Schema. */
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";

/** @returns the file a document's schema is published in */
export function schemaFile(document: string): string {
  return `lab/schemas/${document.replace("/", "-")}.json`;
}

/**
 * @param text what a command printed
 * @returns nothing when it is right, else what is wrong with it
 */
export function schemaProblems(text: string): string {
  const value: unknown = JSON.parse(text);
  const { schema } = value as { readonly schema: string };
  const published = JSON.parse(readFileSync(schemaFile(schema), "utf8")) as object;
  const validator = new Ajv({ allErrors: true, strict: false });
  if (validator.validate(published, value)) return "";
  return `${schema}: ${validator.errorsText()}`;
}
