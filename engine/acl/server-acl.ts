/** Access control of one server, name server or broker, from its settings: the file, the rules in front of its requests, its own signature. */
import { join } from "node:path";
import { EngineError } from "../base/engine-error.ts";
import type { Logger } from "../base/logger.ts";
import type { Vfs } from "../base/vfs.ts";
import type { ProcessorTable } from "../remoting/processor.ts";
import { AccessControl, type AclMode } from "./access-control.ts";
import type { AccessRules } from "./access-rule.ts";
import { AclFile } from "./acl-file.ts";
import { readCredentials } from "./credentials-file.ts";
import type { AclCredentials } from "./request-signature.ts";

/** Where mqadmin, too, finds what to sign with. */
const TOOLS_FILE = "conf/tools.yml";

/** Settings that both servers have under the same names. */
export interface AclSettings {
  readonly aclEnable: boolean;
  readonly aclMode: AclMode;
  readonly aclBrokerAccessKey: string;
  readonly rocketmqHome: string;
  readonly "rocketmq.acl.plain.file": string;
}

/** What access control is opened with. */
export interface ServerAclWiring {
  readonly settings: AclSettings;
  readonly vfs: Vfs;
  readonly logger: Logger;
  /** Wall clock, ms. */
  readonly now: () => number;
  /** Others than this machine can connect. */
  readonly isOpen: boolean;
  /** Connections are encrypted, or refused. */
  readonly isEncrypted: boolean;
}

/** Access control that is on. */
export interface ServerAcl {
  readonly file: AclFile;
  guard(table: ProcessorTable, rules: AccessRules, brokerAccessKey: string): ProcessorTable;
}

function warnOfWeakness({ settings, logger, isOpen, isEncrypted }: ServerAclWiring): void {
  if (settings.aclMode === "compat")
    logger.warn("aclMode=compat: white lists let their addresses in without key and signature");
  // E-05
  if (isOpen && !isEncrypted)
    logger.warn(
      "access control without TLS: a request that is overheard can be sent again; set tls.server.mode=enforcing",
    );
}

/**
 * @returns null when access control is off
 * @throws EngineError ACL_FILE_INVALID: it is on and the file is missing or bad (E-10)
 */
export function openServerAcl(wiring: ServerAclWiring): ServerAcl | null {
  const { settings, vfs, logger, now } = wiring;
  if (!settings.aclEnable) return null;
  if (settings.rocketmqHome === "") {
    throw new EngineError("ACL_FILE_INVALID", {
      message: "aclEnable=true, and nothing says where conf/plain_acl.yml is",
      hint: "set rocketmqHome in the property file, or $ROCKETMQ_HOME",
    });
  }
  const path = join(settings.rocketmqHome, settings["rocketmq.acl.plain.file"]);
  const aclLogger = logger.child("acl");
  const file = new AclFile({ vfs, path, logger: aclLogger, now });
  warnOfWeakness({ ...wiring, logger: aclLogger });
  return {
    file,
    guard: (table, rules, brokerAccessKey) =>
      new AccessControl({
        current: () => file.rules,
        mode: settings.aclMode,
        rules,
        brokerAccessKey,
        logger: aclLogger,
        now: () => performance.now(),
      }).guard(table),
  };
}

/**
 * What a broker signs its calls with (E-09).
 * @param path of aclCredentialsFile; empty: conf/tools.yml below the home, when access control is on and it is there
 * @throws EngineError ACL_FILE_INVALID when the file that was named is missing, or either is bad
 */
export function ownCredentials(
  vfs: Vfs,
  settings: Pick<AclSettings, "aclEnable" | "rocketmqHome">,
  path: string,
): AclCredentials | null {
  if (path === "") {
    return settings.aclEnable && settings.rocketmqHome !== ""
      ? readCredentials(vfs, join(settings.rocketmqHome, TOOLS_FILE))
      : null;
  }
  const credentials = readCredentials(vfs, path);
  if (credentials !== null) return credentials;
  throw new EngineError("ACL_FILE_INVALID", {
    message: `${path}: there is no such file`,
    hint: "check aclCredentialsFile; the file has accessKey and secretKey, as mqadmin's conf/tools.yml",
  });
}
