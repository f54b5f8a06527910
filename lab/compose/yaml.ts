import { stringify } from "yaml";

/**
 * @param document plain data
 * @returns YAML that the 1.1 parser of docker-compose 1.29 and the 1.2 parser of Compose v2 read alike (`restart: "no"`, docker-lab 6);
 * keys keep their order, so the same topology always gives the same text
 */
export function toComposeYaml(document: Readonly<Record<string, unknown>>): string {
  return stringify(document, { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false });
}
