/** The JSON lines our Java and Go test programs print. */
export interface SendEvent {
  readonly event: "send";
  readonly key: string;
  /** Of LabFeatures and the Go program only. */
  readonly msgId: string;
  readonly status: string;
  readonly queue: string;
  readonly offset: number;
  readonly offsetMsgId: string;
  readonly error: string;
  readonly at: number;
}

export interface ReceiveEvent {
  readonly event: "recv";
  /** Id of the consumer; of LabFeatures and the Go program only. */
  readonly consumer: string;
  readonly key: string;
  readonly topic: string;
  readonly broker: string;
  readonly queue: number;
  readonly offset: number;
  readonly reconsume: number;
  readonly tags: string;
  readonly head: string;
  readonly size: number;
  readonly stored: number;
  readonly born: number;
  /** The next three of LabFeatures and the Go program only. */
  readonly msgId: string;
  readonly bornHost: string;
  readonly storeHost: string;
  readonly at: number;
}

function parse(line: string): { event?: string } | null {
  if (!line.startsWith("{") || !line.includes('"event":')) return null;
  return JSON.parse(line) as { event?: string };
}

/** @returns the sends among the lines a LabProducer printed */
export function sends(lines: readonly string[]): SendEvent[] {
  return lines.map(parse).filter((event): event is SendEvent => event?.event === "send");
}

/** @returns the deliveries among the lines a LabConsumer printed */
export function deliveries(lines: readonly string[]): ReceiveEvent[] {
  return lines.map(parse).filter((event): event is ReceiveEvent => event?.event === "recv");
}

/** @returns distinct keys delivered */
export function keysOf(events: readonly { readonly key: string }[]): Set<string> {
  return new Set(events.map((event) => event.key));
}
