/** Who waits for which reply (remoting-protocol 4.8). */
import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { EngineError } from "../../../../../engine/base/engine-error.ts";
import { PendingReplies } from "../../../../../engine/client/producer/pending-replies.ts";
import type { RemotingCommand } from "../../../../../engine/remoting/command.ts";

/** PUSH_REPLY_MESSAGE_TO_CLIENT as 4.9.0 sends it. */
function pushed(correlationId: string, body: Buffer, sysFlag = 0): RemotingCommand {
  const extFields = new Map(
    Object.entries({
      producerGroup: "PG",
      topic: "C1_REPLY_TOPIC",
      queueId: "0",
      sysFlag: String(sysFlag),
      bornTimestamp: "1795360599055",
      flag: "3",
      properties: `CORRELATION_ID\u0001${correlationId}\u0002MSG_TYPE\u0001reply\u0002`,
      bornHost: "/192.0.2.7:54321",
      storeHost: "/192.0.2.20:10911",
      storeTimestamp: "1795360599060",
    }),
  );
  return { code: 326, extFields, body } as unknown as RemotingCommand;
}

describe("pending replies", () => {
  it("each goes to its own request, in any order; nobody's is dropped", async () => {
    const replies = new PendingReplies();
    const [a, b] = [replies.add("a", 5_000), replies.add("b", 5_000)];
    replies.receive(pushed("nobody", Buffer.from("x")));
    replies.receive(pushed("b", Buffer.from("for b")));
    replies.receive(pushed("a", Buffer.from("for a")));
    replies.receive(pushed("a", Buffer.from("again")));
    expect((await a).body.toString()).toBe("for a");
    expect(await b).toMatchObject({
      topic: "C1_REPLY_TOPIC",
      body: Buffer.from("for b"),
      bornTimestamp: 1_795_360_599_055,
      storeTimestamp: 1_795_360_599_060,
      flag: 3,
    });
  });

  it("inflates what was compressed", async () => {
    const replies = new PendingReplies();
    const reply = replies.add("a", 5_000);
    replies.receive(pushed("a", deflateSync(Buffer.from("large")), 1));
    expect((await reply).body.toString()).toBe("large");
  });

  it("gives up when the time is over, and keeps the others", async () => {
    const replies = new PendingReplies();
    const late = replies.add("late", 20);
    const other = replies.add("other", 5_000);
    await expect(late).rejects.toMatchObject({ code: "CLIENT_NO_REPLY" });
    replies.receive(pushed("late", Buffer.from("too late")));
    replies.receive(pushed("other", Buffer.from("in time")));
    expect((await other).body.toString()).toBe("in time");
  });

  it("fails one that could not be sent, and all when the client closes", async () => {
    const replies = new PendingReplies();
    const waiting = ["a", "b", "c"].map((id) => replies.add(id, 5_000));
    replies.fail("a", new EngineError("CLIENT_NO_ROUTE", { message: "no route" }));
    replies.failAll(new EngineError("CLIENT_CLOSED", { message: "closed" }));
    const codes = (await Promise.allSettled(waiting)).map((result) =>
      result.status === "rejected" ? (result.reason as EngineError).code : "answered",
    );
    expect(codes).toEqual(["CLIENT_NO_ROUTE", "CLIENT_CLOSED", "CLIENT_CLOSED"]);
  });
});
