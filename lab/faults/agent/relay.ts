/**
 * A TCP relay that holds every byte back for a fixed time in both directions, for kernels without netem. The rules of the fault send a node's
 * connections here; the relay goes on to the real address, so clients keep using the address they know.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { RelayRoute } from "./protocol.ts";

/** Above this many bytes held back the sender is stopped, as a full pipe of that length would. */
const HELD_MAX = 4 * 1_024 * 1_024;

function forward(from: Socket, to: Socket, delayMs: number): void {
  let held = 0;
  from.on("data", (chunk: Buffer) => {
    held += chunk.length;
    if (held > HELD_MAX) from.pause();
    setTimeout(() => {
      held -= chunk.length;
      if (!to.destroyed) to.write(chunk);
      if (from.isPaused() && held <= HELD_MAX / 2) from.resume();
    }, delayMs);
  });
  from.on("end", () => setTimeout(() => to.end(), delayMs));
  // A reset travels as long as a byte does.
  from.on("error", () => setTimeout(() => to.destroy(), delayMs));
  from.on("close", () => setTimeout(() => to.destroySoon(), delayMs));
}

function listen(route: RelayRoute, delayMs: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = connect({
      host: route.host,
      port: route.port,
      allowHalfOpen: true,
      noDelay: true,
    });
    forward(client, upstream, delayMs);
    forward(upstream, client, delayMs);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(route.listen, "127.0.0.1", () => resolve(server));
  });
}

/**
 * @param routes connections to take
 * @param delayMs held back a direction
 * @returns the servers, listening
 */
export async function startRelay(
  routes: readonly RelayRoute[],
  delayMs: number,
): Promise<readonly Server[]> {
  return Promise.all(routes.map((route) => listen(route, delayMs)));
}
