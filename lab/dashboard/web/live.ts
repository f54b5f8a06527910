import { signal } from "@preact/signals";
import { PATHS, type ClusterHistory, type ClusterSnapshot } from "../api.ts";

/** The last snapshot; undefined before the first. */
export const snapshot = signal<ClusterSnapshot | undefined>(undefined);
/** Rates so far, one point a round. */
export const history = signal<ClusterHistory | undefined>(undefined);
/** Wall clock, moved four times a second so that ages are true also when nothing arrives. */
export const now = signal(Date.now());
/** False while the stream is broken; the browser reconnects by itself. */
export const connected = signal(false);

const POINTS_MAX = 900;
const CLOCK_MS = 250;

function appendPoint(next: ClusterSnapshot): void {
  const before = history.value;
  if (before === undefined) return;
  const rateOf = (node: string, name: "inRate" | "outRate"): number | null => {
    const figure = next.nodes.find((view) => view.node === node)?.broker?.[name];
    return figure !== undefined && "value" in figure ? figure.value : null;
  };
  history.value = {
    ...before,
    times: [...before.times, next.at].slice(-POINTS_MAX),
    series: before.series.map((series) => ({
      node: series.node,
      inRate: [...series.inRate, rateOf(series.node, "inRate")].slice(-POINTS_MAX),
      outRate: [...series.outRate, rateOf(series.node, "outRate")].slice(-POINTS_MAX),
    })),
  };
}

async function loadHistory(): Promise<void> {
  const answer = await fetch(PATHS.history);
  if (answer.ok) history.value = (await answer.json()) as ClusterHistory;
}

/** Opens the live stream and the clock; call once. */
export function startLive(): void {
  setInterval(() => {
    now.value = Date.now();
  }, CLOCK_MS);
  const source = new EventSource(PATHS.live);
  source.addEventListener("open", () => {
    connected.value = true;
    loadHistory().catch(() => undefined);
  });
  source.addEventListener("error", () => {
    connected.value = false;
  });
  source.addEventListener("snapshot", (event) => {
    const next = JSON.parse(event.data as string) as ClusterSnapshot;
    snapshot.value = next;
    appendPoint(next);
    document.documentElement.dataset["seq"] = String(next.seq);
  });
}
