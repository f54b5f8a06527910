/**
 * plain_acl.yml on disk: read at start (fail closed), read again when it changes (E-10), rewritten by administrators' requests the way small
 * state files are (S-06).
 */
import { EngineError } from "../base/engine-error.ts";
import { FileWatch } from "../base/file-watch.ts";
import type { Logger } from "../base/logger.ts";
import { writeStateFile } from "../base/state-file.ts";
import type { Vfs } from "../base/vfs.ts";
import {
  parseAclDocument,
  renderAclDocument,
  type AclDocument,
  type AclRules,
  type AclVersion,
  type LoadedAcl,
} from "./acl-document.ts";

/** Bits that let others than the owner at the secrets (E-07). */
const OTHERS = 0o077;

/** Where the file is and who hears of it. */
export interface AclFileWiring {
  readonly vfs: Vfs;
  /** The live file. */
  readonly path: string;
  readonly logger: Logger;
  /** Wall clock, ms. */
  readonly now: () => number;
}

/** One a server. */
export class AclFile {
  private readonly wiring: AclFileWiring;
  private loaded: LoadedAcl;
  private readonly watch: FileWatch;

  /** @throws EngineError ACL_FILE_INVALID when the file is missing, readable by others, or not understood (E-10: fail closed) */
  constructor(wiring: AclFileWiring) {
    this.wiring = wiring;
    this.watch = new FileWatch(wiring.vfs, [wiring.path], () => this.reload());
    try {
      this.loaded = this.read();
    } catch (error) {
      this.watch.close();
      throw error;
    }
    this.report(this.loaded);
  }

  /** The rules in force. */
  get rules(): AclRules {
    return this.loaded.rules;
  }

  /** Version of the rules in force, as the file says. */
  get version(): AclVersion {
    return this.loaded.document.version;
  }

  /** Stops watching. */
  close(): void {
    this.watch.close();
  }

  /**
   * Changes the file and, once it is safely written, the rules in force.
   * @param change from the document as it stands on disk now
   * @throws EngineError ACL_FILE_INVALID when the file or the result is not valid, or what `change` throws; nothing is changed then
   */
  update(change: (document: AclDocument) => AclDocument): void {
    const { vfs, path, now } = this.wiring;
    const { document } = this.read();
    const version = { counter: document.version.counter + 1, timestamp: now() };
    const text = renderAclDocument({ ...change(document), version });
    const checked = parseAclDocument(text, "the new rules");
    writeStateFile(vfs, path, text);
    this.watch.acknowledge();
    this.loaded = checked;
  }

  private read(): LoadedAcl {
    const { vfs, path } = this.wiring;
    const stat = vfs.stat(path);
    const text = stat === null ? null : vfs.readText(path);
    if (stat === null || text === null) {
      throw new EngineError("ACL_FILE_INVALID", {
        message: `${path}: there is no such file, and access control is on`,
        hint: "write the accounts into it, or set aclEnable=false; rocketmqHome (or $ROCKETMQ_HOME) says where conf/plain_acl.yml is",
      });
    }
    if ((stat.mode & OTHERS) !== 0) {
      throw new EngineError("ACL_FILE_INVALID", {
        message: `${path}: it holds secrets and others may read it (mode ${stat.mode.toString(8)})`,
        hint: `run \`chmod 600 ${path}\``,
      });
    }
    return parseAclDocument(text, path);
  }

  private reload(): void {
    const { logger, path } = this.wiring;
    try {
      this.loaded = this.read();
      logger.info("the access rules were read again", { path });
      this.report(this.loaded);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.error("the access rules cannot be read; the old ones stay in force", { path, reason });
    }
  }

  private report({ rules, notices }: LoadedAcl): void {
    const { logger } = this.wiring;
    for (const notice of notices) logger.warn(notice);
    logger.info("access control is on", { accounts: rules.accounts.size });
  }
}
