import { EngineError } from "../base/engine-error.ts";
import type { Vfs } from "../base/vfs.ts";
import type { AclCredentials } from "./request-signature.ts";
import { parseYamlSubset } from "./yaml-subset.ts";

const OTHERS = 0o077;

/**
 * Reads what a program signs its requests with: `accessKey`, `secretKey` and perhaps `securityToken`, as mqadmin's conf/tools.yml has them.
 * @param path of the file
 * @returns null when there is no such file
 * @throws EngineError ACL_FILE_INVALID when others may read it (E-07), or a key is missing
 */
export function readCredentials(vfs: Vfs, path: string): AclCredentials | null {
  const stat = vfs.stat(path);
  const text = stat === null ? null : vfs.readText(path);
  if (stat === null || text === null) return null;
  const refuse = (message: string, hint: string): never => {
    throw new EngineError("ACL_FILE_INVALID", { message: `${path}: ${message}`, hint });
  };
  if ((stat.mode & OTHERS) !== 0)
    refuse("it holds a secret and others may read it", `run \`chmod 600 ${path}\``);
  const root = parseYamlSubset(text, path);
  const field = (name: string): string | undefined => {
    const node = root?.kind === "map" ? root.entries.get(name) : undefined;
    return node?.kind === "scalar" ? (node.text ?? undefined) : undefined;
  };
  const accessKey = field("accessKey");
  const secretKey = field("secretKey");
  const securityToken = field("securityToken");
  if (accessKey === undefined || secretKey === undefined)
    return refuse("accessKey or secretKey is missing", "write both, one `key: value` a line");
  return { accessKey, secretKey, ...(securityToken === undefined ? {} : { securityToken }) };
}
