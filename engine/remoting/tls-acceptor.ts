/**
 * Decides what an accepted connection speaks (remoting-protocol 6.2): a first byte of 0x16 begins a TLS handshake, anything else is plain.
 * Only servers with TLS have one; without, a connection is served as it comes.
 */
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { ServerTls } from "./tls.ts";

const HANDSHAKE = 0x16;
/** No byte at all for this long, or a handshake that does not end, closes the connection (F-20, F-21), ms. */
const SILENT_MS = 120_000;

/** Who takes the connection then. */
export interface Accepted {
  /** @param socket paused @param first what it sent already */
  plain(socket: Socket, first: Buffer): void;
  secure(socket: TLSSocket): void;
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

/** One a listening port. */
export class TlsAcceptor {
  private readonly tls: ServerTls;
  private readonly server: Server;
  /** Connections that nobody took yet, by the peer's address and port: TLS hands out a socket of its own. */
  private readonly pending = new Map<string, { readonly socket: Socket; readonly to: Accepted }>();

  constructor(tls: ServerTls) {
    this.tls = tls;
    this.server = createServer(tls.options, (socket) => this.shakenHands(socket));
    this.server.on("tlsClientError", (_error, socket) => socket.destroy());
    tls.onRenewed((options) => this.server.setSecureContext(options));
  }

  get pendingCount(): number {
    return this.pending.size;
  }

  /** @param socket accepted and paused; nothing was read of it @param to who takes it */
  accept(socket: Socket, to: Accepted): void {
    const peer = peerOf(socket);
    this.pending.set(peer, { socket, to });
    socket.on("error", () => undefined);
    socket.once("close", () => this.pending.delete(peer));
    if (this.tls.mode === "enforcing") {
      this.shakeHands(socket);
      return;
    }
    socket.setTimeout(SILENT_MS, () => socket.destroy());
    socket.once("data", (first: Buffer) => {
      socket.pause();
      socket.setTimeout(0);
      if (first[0] === HANDSHAKE) {
        socket.unshift(first);
        this.shakeHands(socket);
      } else {
        this.pending.delete(peer);
        to.plain(socket, first);
      }
    });
    socket.resume();
  }

  close(): void {
    for (const { socket } of this.pending.values()) socket.destroy();
  }

  private shakeHands(socket: Socket): void {
    // Documented for connections that were accepted elsewhere; the handshake's time limit counts from here.
    this.server.emit("connection", socket);
  }

  private shakenHands(socket: TLSSocket): void {
    const peer = peerOf(socket);
    const to = this.pending.get(peer)?.to;
    this.pending.delete(peer);
    const isShown = Object.keys(socket.getPeerCertificate()).length > 0;
    const isRefused = this.tls.checksClients && isShown && !socket.authorized;
    if (isRefused || to === undefined) socket.destroy();
    else to.secure(socket);
  }
}
