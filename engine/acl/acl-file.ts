/**
 * plain_acl.yml on disk: read at start (fail closed), read again when it changes (E-10), rewritten by administrators' requests the way small
 * state files are (S-06).
 */
import { EngineError } from "../base/engine-error.ts";
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

/** As 4.9: the file is looked at twice a second. */
const WATCH_MS = 500;
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
  /** Size and time of the file when it was read last, good or bad. */
  private seen: string;
  private readonly timer: NodeJS.Timeout;

  /** @throws EngineError ACL_FILE_INVALID when the file is missing, readable by others, or not understood (E-10: fail closed) */
  constructor(wiring: AclFileWiring) {
    this.wiring = wiring;
    this.seen = this.fingerprint();
    this.loaded = this.read();
    this.report(this.loaded);
    this.timer = setInterval(() => this.reloadIfChanged(), WATCH_MS);
    this.timer.unref();
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
    clearInterval(this.timer);
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
    this.seen = this.fingerprint();
    this.loaded = checked;
  }

  private fingerprint(): string {
    const stat = this.wiring.vfs.stat(this.wiring.path);
    return stat === null ? "missing" : `${stat.size} ${stat.mtimeMs} ${stat.mode}`;
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

  private reloadIfChanged(): void {
    const { logger, path } = this.wiring;
    try {
      const now = this.fingerprint();
      if (now === this.seen) return;
      this.seen = now;
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
