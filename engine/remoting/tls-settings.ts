/**
 * tls.properties and the three settings around it, under 4.9's names (admin-protocol D.2, faults-and-security E-12). In 4.9 they are system
 * properties; here they stand in the property file or in ROCKETMQ_OVERRIDES.
 */
import { EngineError } from "../base/engine-error.ts";
import { parseProperties } from "../base/properties-file.ts";
import type { Vfs } from "../base/vfs.ts";

export const TLS_MODES = ["auto", "disabled", "permissive", "enforcing"] as const;
export const TLS_ENABLE = ["auto", "true", "false"] as const;
/** Of 4.9. */
export const TLS_CONFIG_FILE = "/etc/rocketmq/tls.properties";

/** What the property file of a broker or name server says. */
export interface TlsChoice {
  /** `auto`: enforcing when there is a certificate, else disabled. */
  readonly mode: (typeof TLS_MODES)[number];
  /** Outgoing connections; `auto`: when the server side is enforcing, as 4.9's broker. */
  readonly enable: (typeof TLS_ENABLE)[number];
  readonly configFile: string;
  /** The ports are bound to an address that only this machine reaches. */
  readonly isLoopback: boolean;
}

/** Paths of one side; empty = none. */
interface TlsPaths {
  readonly keyPath: string;
  readonly keyPassword: string;
  readonly certPath: string;
  readonly trustCertPath: string;
}

/** Settings in force. */
export interface TlsSettings {
  readonly mode: "disabled" | "permissive" | "enforcing";
  readonly isClientOn: boolean;
  /** A certificate made at start, and servers' certificates believed unseen. */
  readonly isTest: boolean;
  readonly needClientAuth: "none" | "optional" | "require";
  readonly server: TlsPaths;
  readonly client: TlsPaths;
  /** Servers' certificates are checked. */
  readonly authServer: boolean;
}

const KEYS: ReadonlySet<string> = new Set([
  "tls.test.mode.enable",
  "tls.server.need.client.auth",
  "tls.server.keyPath",
  "tls.server.keyPassword",
  "tls.server.certPath",
  "tls.server.authClient",
  "tls.server.trustCertPath",
  "tls.client.keyPath",
  "tls.client.keyPassword",
  "tls.client.certPath",
  "tls.client.authServer",
  "tls.client.trustCertPath",
]);

function refuse(message: string, hint: string): never {
  throw new EngineError("TLS_CONFIG_INVALID", { message, hint });
}

/** @returns the file's values; none when there is no file, as in 4.9 */
function readFile(vfs: Vfs, path: string): ReadonlyMap<string, string> {
  const entries = parseProperties(vfs.readText(path) ?? "", path);
  const unknown = entries.find(({ key }) => !KEYS.has(key));
  if (unknown !== undefined) {
    const where = `${path}:${unknown.line}: there is no key ${unknown.key}`;
    refuse(where, `there are ${[...KEYS].join(", ")}`);
  }
  return new Map(entries.map(({ key, value }) => [key, value]));
}

function flag(values: ReadonlyMap<string, string>, key: string, fallback: boolean): boolean {
  const value = values.get(key)?.toLowerCase();
  if (value === undefined || value === "") return fallback;
  if (value !== "true" && value !== "false")
    refuse(`${key}=${value} is neither true nor false`, "write true or false");
  return value === "true";
}

function paths(values: ReadonlyMap<string, string>, side: "server" | "client"): TlsPaths {
  const value = (name: string): string => values.get(`tls.${side}.${name}`) ?? "";
  return {
    keyPath: value("keyPath"),
    keyPassword: value("keyPassword"),
    certPath: value("certPath"),
    trustCertPath: value("trustCertPath"),
  };
}

function clientAuth(values: ReadonlyMap<string, string>): TlsSettings["needClientAuth"] {
  const word = (values.get("tls.server.need.client.auth") ?? "none").toLowerCase();
  if (word === "" || word === "none") return "none";
  if (word === "optional" || word === "require") return word;
  return refuse(
    `tls.server.need.client.auth=${word} is none of none, optional, require`,
    "4.9 reads such a word as none",
  );
}

/** What cannot be meant together. */
function check(settings: TlsSettings, choice: TlsChoice): void {
  const { mode, server, isTest, needClientAuth } = settings;
  const hasCertificate = server.certPath !== "" && server.keyPath !== "";
  if (isTest && !choice.isLoopback) {
    refuse(
      "tls.test.mode.enable=true on an address that others can reach",
      "set bindAddress=127.0.0.1, or give a certificate and take the test mode out",
    );
  }
  if (mode === "disabled") return;
  if (!hasCertificate && !isTest) {
    refuse(
      `tls.server.mode=${mode} without tls.server.certPath and tls.server.keyPath`,
      `write both into ${choice.configFile} (tls.config.file)`,
    );
  }
  // 4.9 takes any certificate then, which keeps nobody out.
  if (needClientAuth !== "none" && server.trustCertPath === "") {
    refuse(
      `tls.server.need.client.auth=${needClientAuth} without tls.server.trustCertPath`,
      "name the certificates that clients' certificates must descend from",
    );
  }
}

/**
 * @param vfs where the file is
 * @param choice of the property file
 * @throws EngineError TLS_CONFIG_INVALID
 */
export function readTlsSettings(vfs: Vfs, choice: TlsChoice): TlsSettings {
  const values = readFile(vfs, choice.configFile);
  const server = paths(values, "server");
  const isTest = flag(values, "tls.test.mode.enable", false);
  const automatic = server.certPath !== "" || isTest ? "enforcing" : "disabled";
  const mode = choice.mode === "auto" ? automatic : choice.mode;
  const settings: TlsSettings = {
    mode,
    isClientOn: choice.enable === "auto" ? mode === "enforcing" : choice.enable === "true",
    isTest,
    needClientAuth: clientAuth(values),
    server,
    client: paths(values, "client"),
    // 4.9's default is to believe anything.
    authServer: !isTest && flag(values, "tls.client.authServer", true),
  };
  check(settings, choice);
  return settings;
}
