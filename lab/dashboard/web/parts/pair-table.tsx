import type { PairView } from "../../api.ts";
import { formatBytes, formatSeconds } from "../format.ts";
import { Figure } from "./figure.tsx";
import { State } from "./state.tsx";

/** Who replicates to whom, how far behind, and what losing the master's host would cost now. */
export function PairTable({ pairs }: { readonly pairs: readonly PairView[] }) {
  if (pairs.length === 0)
    return <p>This preset has no slaves: a dead master's unread messages wait for its return.</p>;
  return (
    <table>
      <caption>Replication pairs</caption>
      <thead>
        <tr>
          <th scope="col">pair</th>
          <th scope="col">direction</th>
          <th scope="col">mode</th>
          <th scope="col">state</th>
          <th scope="col" class="number">
            lag
          </th>
          <th scope="col" class="number">
            behind
          </th>
          <th scope="col" class="number">
            SEND_OK at risk if the master's host is lost
          </th>
        </tr>
      </thead>
      <tbody>
        {pairs.map((pair) => (
          <tr key={pair.brokerName} data-pair={pair.brokerName}>
            <th scope="row">{pair.brokerName}</th>
            <td>
              {pair.masterHost} → {pair.slaveHost}
            </td>
            <td>{pair.mode}</td>
            <td>
              <State state={pair.state} />
            </td>
            <td class="number">
              <Figure of={pair.lagBytes} format={formatBytes} />
            </td>
            <td class="number">
              <Figure of={pair.lagSeconds} format={formatSeconds} />
            </td>
            <td class="number">
              <Figure of={pair.okAtRisk} format={formatBytes} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
