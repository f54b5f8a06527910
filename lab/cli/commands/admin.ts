import { ADMIN_OPTIONS } from "../admin/action.ts";
import { ADMIN_ACTIONS, ADMIN_NOUNS, actionUsage, findAction } from "../admin/find-action.ts";
import { openPlace } from "../admin/place.ts";
import { defineCommand } from "../define-command.ts";

const USAGES = ADMIN_ACTIONS.map((action) => [actionUsage(action), action.summary] as const);
const WIDTH = Math.max(...USAGES.map(([usage]) => usage.length));

export const adminCommand = defineCommand({
  name: "admin",
  summary: "topics, groups, messages, offsets and brokers: look and change",
  description: `What there is:\n${USAGES.map(([usage, what]) => `  ${usage.padEnd(WIDTH)}  ${what}`).join("\n")}\n\nWithout a verb: list. Everything goes over RocketMQ's own protocol, so --namesrv reaches any other 4.9 cluster, Apache's too; deleting a topic there wants --yes. \`lab mqadmin\` is the original tool.`,
  examples: ADMIN_ACTIONS.map(({ example }) => example),
  args: [
    {
      name: "NOUN",
      help: ADMIN_NOUNS.join(", "),
      required: true,
      values: ADMIN_NOUNS,
    },
    { name: "VERB", help: "what to do; see above", required: false, variadic: true },
  ],
  options: ADMIN_OPTIONS,
  async run(context, { args: words, options }) {
    const { action, args } = findAction(words, options);
    const place = await openPlace(context, {
      namesrv: options.namesrv,
      timeoutMs: options.timeout,
    });
    try {
      const result = await action.run({ context, place, args, options });
      return { schema: `lab.admin.${action.noun}.${action.verb}/1`, ...result };
    } finally {
      await place.close();
    }
  },
});
