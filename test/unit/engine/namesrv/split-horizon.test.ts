/** Each asker is answered with the address it can reach; askers are real connections from different loopback addresses. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseCidr } from "../../../../engine/base/cidr.ts";
import {
  brokerAddressFor,
  haAddressFor,
  parseAddressBook,
} from "../../../../engine/namesrv/address-book.ts";
import { REQUEST_CODE } from "../../../../engine/remoting/request-codes.ts";
import { NamesrvFixture, registration } from "./namesrv-fixture.ts";

const ADVERTISED =
  "127.0.1.0/24=192.0.2.1:1911,127.0.0.0/16=192.0.2.2:2911,127.0.1.64/26=192.0.2.3:3911,127.0.1.65/32=127.0.0.1:10911";

describe("split horizon over sockets", () => {
  let ns: NamesrvFixture;
  beforeEach(async () => {
    ns = await NamesrvFixture.start();
    await ns.register({ ext: { advertisedAddresses: ADVERTISED } });
  });
  afterEach(() => ns[Symbol.asyncDispose]());

  it.each([
    ["127.0.1.65", "127.0.0.1:10911"],
    ["127.0.1.66", "192.0.2.3:3911"],
    ["127.0.1.7", "192.0.2.1:1911"],
    ["127.0.9.7", "192.0.2.2:2911"],
    ["127.9.9.9", "10.0.0.1:10911"],
  ])("%s is told %s in routes, cluster info and system topics", async (asker, address) => {
    const peer = await ns.peer(asker);
    const route = await peer.ask({
      code: REQUEST_CODE.GET_ROUTEINFO_BY_TOPIC,
      ext: { topic: "JTopic" },
    });
    expect(route.body).toContain(`"brokerAddrs":{0:"${address}"}`);
    const cluster = await peer.ask({ code: REQUEST_CODE.GET_BROKER_CLUSTER_INFO });
    expect(cluster.body).toContain(`"brokerAddrs":{0:"${address}"}`);
    const system = await peer.ask({ code: REQUEST_CODE.GET_SYSTEM_TOPIC_LIST_FROM_NS });
    expect(system.body).toContain(`"brokerAddr":"${address}"`);
  });

  it("a slave is told its master's addresses as it reaches them: matching host, registered HA port", async () => {
    const slave = await ns.peer("127.0.1.7");
    const answer = await slave.ask(registration({ brokerId: 1, brokerAddr: "10.0.0.2:10911" }));
    expect(answer.ext).toEqual({ masterAddr: "192.0.2.1:1911", haServerAddr: "192.0.2.1:10912" });
  });

  it("a later registration without the field takes the entries back", async () => {
    await ns.register();
    expect((await ns.clusterInfo()).body).toContain('{0:"10.0.0.1:10911"}');
  });
});

describe("address book", () => {
  it("knows IPv6 networks and answers with brackets", () => {
    const book = parseAddressBook(
      "10.0.0.1:10911",
      "2001:db8::/32=[2001:db8::9]:10911, 2001:db8:1::/48=host-b:1 ,::/0=[::1]:5",
    );
    expect(brokerAddressFor(book, "2001:db8::5")).toBe("[2001:db8::9]:10911");
    expect(brokerAddressFor(book, "2001:db8:1::5")).toBe("host-b:1");
    expect(brokerAddressFor(book, "2001:dead::5")).toBe("[::1]:5");
    expect(brokerAddressFor(book, "10.0.0.7")).toBe("10.0.0.1:10911");
    expect(haAddressFor(book, "10.0.0.1:10912", "2001:db8::5")).toBe("[2001:db8::9]:10912");
  });

  it("a single address counts as its /32", () => {
    const book = parseAddressBook("a:1", "198.51.100.1=127.0.0.1:2,198.51.100.0/24=c:3");
    expect(brokerAddressFor(book, "198.51.100.1")).toBe("127.0.0.1:2");
    expect(brokerAddressFor(book, "198.51.100.2")).toBe("c:3");
  });

  it.each(["", "x", "198.51.100.0/-1", "198.51.100.0/33", "::/129", "198.51.100/24", "a.b.c.d/8"])(
    "%j is no network",
    (text) => {
      expect(parseCidr(text)).toBeNull();
    },
  );
});
