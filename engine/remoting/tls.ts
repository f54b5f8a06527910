/** TLS of servers and clients: certificates in memory, read again when their files change (E-12). */
import { createSecureContext, type SecureContextOptions, type TlsOptions } from "node:tls";
import { EngineError } from "../base/engine-error.ts";
import { FileWatch } from "../base/file-watch.ts";
import type { Logger } from "../base/logger.ts";
import type { Vfs } from "../base/vfs.ts";
import { makeCertificate } from "../base/x509.ts";
import type { TlsSettings } from "./tls-settings.ts";

/** TLS of a listening port. */
export interface ServerTls {
  /** `permissive` serves plain connections too. */
  readonly mode: "permissive" | "enforcing";
  /** A client that shows a certificate shows a good one; whether it must show one stands in `options`. */
  readonly checksClients: boolean;
  /** As of now. */
  readonly options: TlsOptions;
  /** Told the new options when the certificate files changed and are good. */
  onRenewed(listener: (options: TlsOptions) => void): void;
}

/** TLS of outgoing connections. Certificates and keys are PEM texts. */
export interface ClientTls {
  /** Servers must show a certificate that descends from `trustCert` (or, without, from an authority that Node knows). Names are not compared, as in 4.9. */
  readonly authServer: boolean;
  readonly trustCert?: string | undefined;
  /** Shown to servers that ask. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly keyPassword?: string | undefined;
}

/** What a program's settings come to. */
export interface ProgramTls {
  readonly server: ServerTls | undefined;
  readonly client: (() => ClientTls) | undefined;
  close(): void;
}

const VERSION_MIN = "TLSv1.2";
/** F-21. */
const HANDSHAKE_MS = 10_000;

function readPem(vfs: Vfs, path: string): string | undefined {
  if (path === "") return undefined;
  const text = vfs.readText(path);
  if (text !== null) return text;
  throw new EngineError("TLS_CONFIG_INVALID", {
    message: `${path}: there is no such file`,
    hint: "check the paths in tls.properties",
  });
}

/** @throws EngineError TLS_CONFIG_INVALID when key and certificate cannot be used */
function checked<Options extends SecureContextOptions>(options: Options, what: string): Options {
  try {
    createSecureContext(options);
    return options;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError("TLS_CONFIG_INVALID", {
      message: `${what} cannot be used: ${reason}`,
      hint: "certificate and key must be PEM, belong together, and the password must be right",
      cause,
    });
  }
}

function serverOptions(vfs: Vfs, settings: TlsSettings, test: SecureContextOptions): TlsOptions {
  const { server, needClientAuth } = settings;
  const certificate = settings.isTest
    ? test
    : { cert: readPem(vfs, server.certPath), key: readPem(vfs, server.keyPath) };
  const options: TlsOptions = {
    ...certificate,
    passphrase: server.keyPassword === "" ? undefined : server.keyPassword,
    ca: readPem(vfs, server.trustCertPath),
    minVersion: VERSION_MIN,
    requestCert: needClientAuth !== "none",
    rejectUnauthorized: needClientAuth === "require",
    handshakeTimeout: HANDSHAKE_MS,
  };
  return checked(options, "the server's certificate");
}

function clientTls(vfs: Vfs, { client, authServer }: TlsSettings): ClientTls {
  const tls: ClientTls = {
    authServer,
    trustCert: readPem(vfs, client.trustCertPath),
    cert: readPem(vfs, client.certPath),
    key: readPem(vfs, client.keyPath),
    keyPassword: client.keyPassword === "" ? undefined : client.keyPassword,
  };
  checked(clientOptions(tls), "the client's certificate");
  return tls;
}

/** @returns what `tls.connect` needs besides host and port */
export function clientOptions(tls: ClientTls) {
  return {
    ca: tls.trustCert,
    cert: tls.cert,
    key: tls.key,
    passphrase: tls.keyPassword,
    minVersion: VERSION_MIN,
    rejectUnauthorized: tls.authServer,
    // Brokers are called by the addresses they registered; 4.9's clients compare no names either.
    checkServerIdentity: () => undefined,
  } as const;
}

class RenewableTls implements ProgramTls {
  readonly server: ServerTls | undefined;
  readonly client: (() => ClientTls) | undefined;
  private readonly listeners: ((options: TlsOptions) => void)[] = [];
  private readonly watch: FileWatch;
  private readonly load: () => void;
  private serverNow: TlsOptions = {};
  private clientNow: ClientTls = { authServer: true };

  constructor(vfs: Vfs, settings: TlsSettings, logger: Logger) {
    const { mode, server, client } = settings;
    const made = settings.isTest ? makeCertificate({ commonName: "rocketmq-lab test" }) : undefined;
    const test = { cert: made?.cert, key: made?.key };
    this.load = () => {
      // Both are read before either is used: a bad one changes nothing.
      const next = mode === "disabled" ? {} : serverOptions(vfs, settings, test);
      if (settings.isClientOn) this.clientNow = clientTls(vfs, settings);
      this.serverNow = next;
    };
    this.load();
    if (mode !== "disabled") this.server = this.serverTls(mode, settings.needClientAuth !== "none");
    if (settings.isClientOn) this.client = () => this.clientNow;
    const files = [server, client].flatMap((side) => [
      side.certPath,
      side.keyPath,
      side.trustCertPath,
    ]);
    this.watch = new FileWatch(
      vfs,
      files.filter((path) => path !== ""),
      () => this.renew(logger),
    );
  }

  close(): void {
    this.watch.close();
  }

  private serverTls(mode: ServerTls["mode"], checksClients: boolean): ServerTls {
    const options = (): TlsOptions => this.serverNow;
    return {
      mode,
      checksClients,
      get options() {
        return options();
      },
      onRenewed: (listener) => void this.listeners.push(listener),
    };
  }

  private renew(logger: Logger): void {
    try {
      this.load();
      for (const listener of this.listeners) listener(this.serverNow);
      logger.info("the TLS certificates were read again");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.error("the TLS certificates cannot be read; the old ones stay in use", { reason });
    }
  }
}

/**
 * @param settings read by `readTlsSettings`
 * @returns what servers and clients of the program use, or undefined when neither has TLS
 * @throws EngineError TLS_CONFIG_INVALID when a file is missing or bad
 */
export function openTls(vfs: Vfs, settings: TlsSettings, logger: Logger): ProgramTls | undefined {
  if (settings.mode === "disabled" && !settings.isClientOn) return undefined;
  if (settings.isTest) logger.warn("tls.test.mode.enable=true: nobody's certificate is checked");
  else if (settings.isClientOn && !settings.authServer)
    logger.warn("tls.client.authServer=false: servers' certificates are not checked");
  return new RenewableTls(vfs, settings, logger);
}
