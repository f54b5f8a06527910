import { Hono, type Context } from "hono";
import { streamSSE } from "hono/streaming";
import { PATHS } from "../api.ts";
import type { Collector } from "./collector.ts";
import type { StaticFile } from "./static-files.ts";

const HEARTBEAT_MS = 5_000;
/** A reader this far behind is dropped; the browser reconnects by itself. */
const WAITING_MAX = 8;

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  // uPlot sets styles on its own elements; scripts come from this server only.
  "Content-Security-Policy":
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};

/** Names a browser on the machine, or a container in the lab, may use for this server (DNS rebinding, D-04). */
function isAllowedHost(header: string | undefined, allowed: ReadonlySet<string>): boolean {
  if (header === undefined) return false;
  const name = header.replace(/:\d+$/, "").toLowerCase();
  return allowed.has(name);
}

async function stream(context: Context, collector: Collector): Promise<Response> {
  return streamSSE(context, async (sse) => {
    const waiting: string[] = [];
    let wake: (() => void) | undefined;
    let open = true;
    const push = (text: string): void => {
      waiting.push(text);
      if (waiting.length > WAITING_MAX) open = false;
      wake?.();
    };
    const now = collector.snapshot();
    if (now !== undefined) push(JSON.stringify(now));
    const unsubscribe = collector.subscribe((snapshot) => push(JSON.stringify(snapshot)));
    sse.onAbort(() => {
      open = false;
      wake?.();
    });
    while (open) {
      const next = waiting.shift();
      if (next !== undefined) {
        await sse.writeSSE({ event: "snapshot", data: next });
        continue;
      }
      const timer = setTimeout(() => wake?.(), HEARTBEAT_MS);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      clearTimeout(timer);
      if (waiting.length === 0 && open) await sse.write(": still here\n\n");
    }
    unsubscribe();
  });
}

/** What the web server needs. */
export interface AppParts {
  readonly collector: Collector;
  readonly files: ReadonlyMap<string, StaticFile>;
  /** Host names it answers to, without port. */
  readonly hosts: ReadonlySet<string>;
}

/** @returns the web application: the page, one snapshot, the history, the live stream. Read-only. */
export function createApp({ collector, files, hosts }: AppParts): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    if (!isAllowedHost(context.req.header("host"), hosts))
      return context.text(
        "this server answers to its own names only (localhost, or its server's address)\n",
        421,
      );
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS))
      context.res.headers.set(name, value);
    return undefined;
  });
  app.get(PATHS.health, (context) =>
    context.json({ ok: true, seq: collector.snapshot()?.seq ?? 0 }),
  );
  app.get(PATHS.cluster, (context) => {
    const snapshot = collector.snapshot();
    return snapshot === undefined
      ? context.json({ error: "the first round is not finished yet" }, 503)
      : context.json(snapshot);
  });
  app.get(PATHS.history, (context) => context.json(collector.history()));
  app.get(PATHS.live, (context) => stream(context, collector));
  app.get("*", (context) => {
    const file = files.get(context.req.path === "/cluster" ? "/" : context.req.path);
    if (file === undefined) return context.text("no such page; the cluster is at /\n", 404);
    return context.body(new Uint8Array(file.body), 200, {
      "Content-Type": file.type,
      "Cache-Control": file.cacheControl,
    });
  });
  return app;
}
