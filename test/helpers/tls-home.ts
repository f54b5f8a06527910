/** Certificates of one test: an authority, a server's and a client's pair, and a tls.properties that names them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate } from "../../engine/base/x509.ts";
import type { ClientTls } from "../../engine/remoting/tls.ts";

/** Paths below one folder, and what our client takes. */
export interface TlsHome {
  /** For tls.config.file: the server's certificate and the client's, both checked by the authority. */
  readonly configFile: string;
  readonly caFile: string;
  readonly clientCertFile: string;
  readonly clientKeyFile: string;
  readonly client: ClientTls;
}

/** @param home an existing folder @param needClientAuth of the server side */
export function writeTlsHome(home: string, needClientAuth: "none" | "require"): TlsHome {
  const folder = join(home, "tls");
  mkdirSync(folder, { recursive: true });
  const issuer = makeCertificate({ commonName: "lab test authority" });
  const server = makeCertificate({ commonName: "server", hosts: ["127.0.0.1"], issuer });
  const client = makeCertificate({ commonName: "client", issuer });
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const caFile = write("ca.pem", issuer.cert);
  const clientCertFile = write("client.pem", client.cert);
  const clientKeyFile = write("client.key", client.key);
  const lines = [
    `tls.server.certPath=${write("server.pem", server.cert)}`,
    `tls.server.keyPath=${write("server.key", server.key)}`,
    `tls.server.trustCertPath=${caFile}`,
    `tls.server.need.client.auth=${needClientAuth}`,
    "tls.server.authClient=true",
    `tls.client.certPath=${clientCertFile}`,
    `tls.client.keyPath=${clientKeyFile}`,
    `tls.client.trustCertPath=${caFile}`,
    "tls.client.authServer=true",
    "tls.test.mode.enable=false",
  ];
  return {
    configFile: write("tls.properties", `${lines.join("\n")}\n`),
    caFile,
    clientCertFile,
    clientKeyFile,
    client: { authServer: true, trustCert: issuer.cert, cert: client.cert, key: client.key },
  };
}
