import type { BrokerView, NodeView } from "../../api.ts";
import { formatBytes, formatRate } from "../format.ts";
import { Figure } from "./figure.tsx";
import { Role, State } from "./state.tsx";

function BrokerFacts({ broker }: { readonly broker: BrokerView }) {
  return (
    <dl class="facts">
      <dt>in</dt>
      <dd>
        <Figure of={broker.inRate} format={formatRate} />
      </dd>
      <dt>out</dt>
      <dd>
        <Figure of={broker.outRate} format={formatRate} />
      </dd>
      <dt>log end</dt>
      <dd>
        <Figure of={broker.logEnd} format={formatBytes} />
      </dd>
      <dt>unflushed</dt>
      <dd>
        <Figure of={broker.unflushed} format={formatBytes} />
      </dd>
      <dt>memory</dt>
      <dd>
        <Figure of={broker.rssBytes} format={formatBytes} />
      </dd>
      <dt>listed by</dt>
      <dd>
        {broker.beliefs.map((belief) => (
          <span class="belief" key={belief.namesrv}>
            {belief.namesrv}{" "}
            <Figure of={belief.lists} format={(lists) => (lists ? "yes" : "NO")} />{" "}
          </span>
        ))}
      </dd>
    </dl>
  );
}

/** One node on the map. */
export function NodeCard({ view }: { readonly view: NodeView }) {
  return (
    <li class={`node ${view.state}`} data-node={view.node} data-state={view.state}>
      <h3>
        {view.node} <Role role={view.role} />
      </h3>
      <p class="line">
        <State state={view.state} /> <code>{view.address}</code>
      </p>
      {view.reason === "" ? null : <p class="reason">{view.reason}</p>}
      {view.registered === undefined ? null : (
        <p class="line">
          lists <Figure of={view.registered.listed} format={String} /> of {view.registered.expected}{" "}
          brokers
        </p>
      )}
      {view.broker === undefined ? null : <BrokerFacts broker={view.broker} />}
    </li>
  );
}
