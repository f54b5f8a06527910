/** Access control and TLS of one broker, and what it signs its own calls with: opened before anything else, so that a bad file stops the start (E-10). */
import type { AclFile } from "../acl/acl-file.ts";
import { signerOf } from "../acl/request-signature.ts";
import { openServerAcl, ownCredentials } from "../acl/server-acl.ts";
import { isLoopback } from "../base/cidr.ts";
import type { Logger } from "../base/logger.ts";
import type { Vfs } from "../base/vfs.ts";
import type { ProcessorTable } from "../remoting/processor.ts";
import type { RequestSigner } from "../remoting/server-api.ts";
import { readTlsSettings } from "../remoting/tls-settings.ts";
import { openTls, type ProgramTls } from "../remoting/tls.ts";
import type { MessageStore } from "../store/store-api.ts";
import { brokerAccessRules } from "./access-rules.ts";
import type { BrokerConfig } from "./broker-config.ts";

/** What protects a broker; everything is absent when nothing is asked for. */
export interface BrokerSecurity {
  readonly aclFile: AclFile | null;
  readonly sign: RequestSigner | undefined;
  readonly tls: ProgramTls | undefined;
  /** @returns the table itself when access control is off */
  guard(table: ProcessorTable, store: MessageStore): ProcessorTable;
  close(): void;
}

/** @throws EngineError ACL_FILE_INVALID | TLS_CONFIG_INVALID */
export function openBrokerSecurity(wiring: {
  readonly config: BrokerConfig;
  readonly vfs: Vfs;
  readonly logger: Logger;
  readonly now: () => number;
}): BrokerSecurity {
  const { config, vfs, logger } = wiring;
  const isOpen = !isLoopback(config.bindAddress);
  const tlsSettings = readTlsSettings(vfs, {
    mode: config["tls.server.mode"],
    enable: config.useTLS ? "true" : config["tls.enable"],
    configFile: config["tls.config.file"],
    isLoopback: !isOpen,
  });
  const isEncrypted = tlsSettings.mode === "enforcing";
  const acl = openServerAcl({ ...wiring, settings: config, isOpen, isEncrypted });
  const credentials = ownCredentials(vfs, config, config.aclCredentialsFile);
  if (acl !== null && credentials === null) {
    logger.warn(
      "this broker signs nothing: name servers and masters with access control will refuse it; write conf/tools.yml or set aclCredentialsFile",
    );
  }
  const tls = openTls(vfs, tlsSettings, logger.child("tls"));
  const peerKey = config.aclBrokerAccessKey || (credentials?.accessKey ?? "");
  return {
    aclFile: acl?.file ?? null,
    sign: signerOf(credentials),
    guard: (table, store) =>
      acl === null ? table : acl.guard(table, brokerAccessRules(store), peerKey),
    tls,
    close: () => {
      acl?.file.close();
      tls?.close();
    },
  };
}
