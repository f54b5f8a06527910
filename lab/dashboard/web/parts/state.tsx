import type { NodeState, ViewRole } from "../../api.ts";

const STATE_ICONS: Readonly<Record<NodeState, string>> = {
  ok: "●",
  degraded: "▲",
  down: "✕",
  unknown: "?",
};
const ROLE_ICONS: Readonly<Record<ViewRole, string>> = {
  namesrv: "◇",
  master: "■",
  slave: "□",
  dashboard: "○",
};
const ROLE_WORDS: Readonly<Record<ViewRole, string>> = {
  namesrv: "name server",
  master: "master",
  slave: "slave",
  dashboard: "dashboard",
};

/** A state as icon, word and colour: never colour alone. */
export function State({ state }: { readonly state: NodeState }) {
  return (
    <span class={`state ${state}`}>
      <span aria-hidden="true">{STATE_ICONS[state]}</span> {state}
    </span>
  );
}

/** A role as shape and word. */
export function Role({ role }: { readonly role: ViewRole }) {
  return (
    <span class="role">
      <span aria-hidden="true">{ROLE_ICONS[role]}</span> {ROLE_WORDS[role]}
    </span>
  );
}
