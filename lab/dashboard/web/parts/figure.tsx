import type { Measured } from "../../api.ts";
import { formatSeconds } from "../format.ts";
import { now } from "../live.ts";

/** A figure older than this is greyed: three rounds (dashboard rule 2). */
const STALE_MS = 3_500;

/** Draws a known figure, or a dash whose title says why it is unknown and what it was last. */
export function Figure<Value>({
  of,
  format,
}: {
  readonly of: Measured<Value>;
  readonly format: (value: Value) => string;
}) {
  if ("value" in of) {
    const stale = now.value - of.at > STALE_MS;
    const title = stale ? `as of ${formatSeconds((now.value - of.at) / 1_000)} ago` : "";
    return (
      <span class={stale ? "figure stale" : "figure"} title={title}>
        {format(of.value)}
      </span>
    );
  }
  const last = of.lastValue === undefined ? "" : ` (last ${format(of.lastValue)})`;
  return (
    <span class="figure unknown" title={`unknown: ${of.why}${last}`} tabIndex={0}>
      –<span class="hidden-text"> unknown: {of.why}</span>
    </span>
  );
}
