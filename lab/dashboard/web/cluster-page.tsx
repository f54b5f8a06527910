import type { ClusterSnapshot } from "../api.ts";
import { formatSeconds, formatTime } from "./format.ts";
import { connected, now, snapshot } from "./live.ts";
import { NodeCard } from "./parts/node-card.tsx";
import { PairTable } from "./parts/pair-table.tsx";
import { RateChart } from "./parts/rate-chart.tsx";
import { State } from "./parts/state.tsx";

function Header({ of }: { readonly of: ClusterSnapshot }) {
  const age = Math.max(0, now.value - of.at) / 1_000;
  const live = connected.value && age < 3.5;
  return (
    <header class="top">
      <h1>
        lab {of.lab} · {of.preset}
      </h1>
      <p class="verdict" aria-live="polite">
        <State state={of.verdict.state} /> {of.verdict.text}
      </p>
      <p class={live ? "age" : "age stale"}>
        {live ? "● live" : "○ stale"}, {formatSeconds(age)} old
      </p>
    </header>
  );
}

function HostMap({ of }: { readonly of: ClusterSnapshot }) {
  return (
    <section class="map" aria-label="Hosts and nodes">
      {of.hosts.map((host) => (
        <section class="host" key={host} aria-label={host}>
          <h2>{host}</h2>
          <ul>
            {of.nodes
              .filter((view) => view.host === host)
              .map((view) => (
                <NodeCard key={view.node} view={view} />
              ))}
          </ul>
        </section>
      ))}
    </section>
  );
}

function Events({ of }: { readonly of: ClusterSnapshot }) {
  if (of.events.length === 0) return <p>Nothing has changed since the dashboard started.</p>;
  return (
    <ol class="events">
      {of.events.map((event) => (
        <li key={`${event.at}-${event.node}`}>
          <time>{formatTime(event.at)}</time> <State state={event.state} /> {event.node}:{" "}
          {event.text}
        </li>
      ))}
    </ol>
  );
}

/** The first page: is the cluster healthy, and what would a failure cost right now? */
export function ClusterPage() {
  const of = snapshot.value;
  if (of === undefined) {
    return (
      <p class="waiting">
        {connected.value
          ? "Waiting for the first round…"
          : "The dashboard's server does not answer; trying again…"}
      </p>
    );
  }
  return (
    <>
      <Header of={of} />
      <main>
        <HostMap of={of} />
        <PairTable pairs={of.pairs} />
        <div class="charts">
          <RateChart kind="inRate" title="in, messages a second" />
          <RateChart kind="outRate" title="out, messages a second" />
        </div>
        <h2>Events</h2>
        <Events of={of} />
        <p class="as">
          as <code>lab status --name {of.lab}</code>
        </p>
      </main>
    </>
  );
}
