import { describe, expect, it } from "vitest";
import { parseYamlSubset, type YamlNode } from "../../../../engine/acl/yaml-subset.ts";

/** The value without lines. */
function plain(node: YamlNode | null): unknown {
  if (node === null) return undefined;
  if (node.kind === "scalar") return node.text;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, value]) => [key, plain(value)]));
}

const read = (text: string): unknown => plain(parseYamlSubset(text, "acl.yml"));

describe("the YAML that plain_acl.yml is written in", () => {
  it("reads the layout of RocketMQ's sample: lists under and beside their key, comments, blank lines", () => {
    const text = `# comment
globalWhiteRemoteAddresses:
  - 10.10.103.*   # trailing
- never
`;
    expect(() => read(text)).toThrow(/acl\.yml:4: /);
    expect(
      read(`
globalWhiteRemoteAddresses:
- 10.10.103.*   # trailing
- 192.168.0.*

accounts:
  - accessKey: ReaderKey
    secretKey: 'it''s'
    whiteRemoteAddress:
    topicPerms:
    - topicA=DENY
    - topicB=PUB|SUB
    admin: false
  -
    accessKey: "quoted \\"\\u00e4"
`),
    ).toEqual({
      globalWhiteRemoteAddresses: ["10.10.103.*", "192.168.0.*"],
      accounts: [
        {
          accessKey: "ReaderKey",
          secretKey: "it's",
          whiteRemoteAddress: null,
          topicPerms: ["topicA=DENY", "topicB=PUB|SUB"],
          admin: "false",
        },
        { accessKey: 'quoted "ä' },
      ],
    });
  });

  it("reads flow lists and maps on one line, as SnakeYAML may write them", () => {
    expect(
      read("dataVersion: [{counter: 3, timestamp: 1}]\naccounts: []\nx: {a: [1, 'b,c'], d: }"),
    ).toEqual({
      dataVersion: [{ counter: "3", timestamp: "1" }],
      accounts: [],
      x: { a: ["1", "b,c"], d: null },
    });
  });

  it("an empty file and one of comments are nothing", () => {
    expect(read("")).toBeUndefined();
    expect(read("---\n# only this\n")).toBeUndefined();
  });

  it.each([
    ["a: &x 1", 1, "reserves"],
    ["a: *x", 1, "reserves"],
    ["a: !!str x", 1, "reserves"],
    ["a: |\n  text", 1, "reserves"],
    ["a: 1\na: 2", 2, "twice"],
    ["a: {b: 1, b: 2}", 1, "twice"],
    ["a:\n\tb: 1", 2, "tab"],
    ["a: 1\n  b: 2", 2, "indented"],
    ["a: 'open", 1, "no closing '"],
    ["a: [1, 2", 1, "is missing on this line"],
    ["a: 'x' y", 1, "behind a complete value"],
    ["a: b: c", 1, "second"],
    ["just text", 1, "key: value"],
    ["a: 1\n---\nb: 2", 2, "one document"],
    ['a: "\\q"', 1, "no escape"],
    [`a: ${"[".repeat(40)}`, 1, "deeper"],
  ])("refuses %j on line %i", (text, line, what) => {
    expect(() => read(text)).toThrow(new RegExp(`acl\\.yml:${line}: .*${what}`, "s"));
  });

  it("refuses a file larger than a mebibyte (E-10)", () => {
    expect(() => read(`# ${"x".repeat(1_048_576)}`)).toThrow(/larger than 1048576/);
  });
});
