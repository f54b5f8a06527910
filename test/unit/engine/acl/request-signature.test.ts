import { createSecretKey } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameSignature } from "../../../../engine/acl/frame-signature.ts";
import { isSignedWith, signRequest } from "../../../../engine/acl/request-signature.ts";
import { SERIALIZE_JSON, SERIALIZE_ROCKETMQ } from "../../../../engine/remoting/command.ts";
import { FrameReader } from "../../../../engine/remoting/frame.ts";
import { encodeFrameHead } from "../../../../engine/remoting/header.ts";
import { SIGNED } from "./apache-vectors.ts";

const secretOf = (text: string) => createSecretKey(Buffer.from(text, "utf8"));
const FIELDS_OF_SIGNATURE = new Set(["AccessKey", "Signature", "SecurityToken"]);

/** How a frame with these fields is judged in place: null = it takes the general path. */
function judgeFrame(
  code: number,
  ext: ReadonlyMap<string, string>,
  body: Buffer,
  how: { readonly secret: string; readonly type: 0 | 1 },
): boolean | null {
  const signature = new FrameSignature();
  let verdict: boolean | null = null;
  const reader = new FrameReader((frame) => {
    verdict =
      signature.read(frame) === null ? null : signature.isSignedWith(secretOf(how.secret), frame);
  });
  const header = { code, language: 0, version: 393, opaque: 1, flag: 0, remark: null };
  const head = encodeFrameHead({ ...header, extFields: ext }, how.type, body.length);
  const bytes = Buffer.concat([head, body]);
  reader.feed(bytes, 0, bytes.length);
  return verdict;
}

describe("signatures of ACL 1.0", () => {
  it.each(SIGNED)("$name, signed by Apache's client, is believed and made the same", (vector) => {
    const ext = new Map(Object.entries(vector.ext));
    const body = vector.body === "" ? null : Buffer.from(vector.body, "utf8");
    expect(isSignedWith(ext, body, secretOf(vector.secret))).toBe(true);
    expect(isSignedWith(ext, body, secretOf(`${vector.secret}x`))).toBe(false);
    const bare = new Map([...ext].filter(([name]) => !FIELDS_OF_SIGNATURE.has(name)));
    const token = ext.get("SecurityToken");
    const signed = signRequest(
      { code: vector.code, extFields: bare, body },
      {
        accessKey: ext.get("AccessKey") ?? "",
        secretKey: vector.secret,
        ...(token === undefined ? {} : { securityToken: token }),
      },
    );
    expect(Object.fromEntries(signed.extFields ?? [])).toEqual(vector.ext);
  });

  it.each(SIGNED)("$name is judged the same where it lies in the read buffer", (vector) => {
    const ext = new Map(Object.entries(vector.ext));
    const body = Buffer.from(vector.body, "utf8");
    for (const type of [SERIALIZE_JSON, SERIALIZE_ROCKETMQ] as const) {
      const isPlain = !ext.has("_UNIQUE_KEY_QUERY");
      expect(judgeFrame(vector.code, ext, body, { secret: vector.secret, type })).toBe(isPlain);
      expect(judgeFrame(vector.code, ext, body, { secret: "wrong-secret", type })).toBe(false);
    }
  });

  it("the signature may cover _UNIQUE_KEY_QUERY or not, SecurityToken or not, and nothing else less", () => {
    const [vector] = SIGNED;
    const ext = new Map(Object.entries(vector?.ext ?? {}));
    const body = Buffer.from(vector?.body ?? "");
    const secret = secretOf(vector?.secret ?? "");
    ext.set("_UNIQUE_KEY_QUERY", "true").set("SecurityToken", "t");
    expect(isSignedWith(ext, body, secret)).toBe(true);
    ext.set("other", "1");
    expect(isSignedWith(ext, body, secret)).toBe(false);
  });

  it.each(["", "AAAA", "vlFog66z1FEpwe74d/QPJB5iXUs", `${"A".repeat(27)}=`])(
    "a missing or odd signature %j is a mismatch",
    (signature) => {
      const ext = new Map([
        ["AccessKey", "accessKey-1"],
        ["Signature", signature],
      ]);
      expect(isSignedWith(ext, null, secretOf("s3cret-of-1"))).toBe(false);
      const how = { secret: "s3cret-of-1", type: SERIALIZE_JSON } as const;
      expect(judgeFrame(310, ext, Buffer.alloc(0), how)).toBe(false);
    },
  );

  it("in place is never more lenient than the general path, and agrees for what clients send", () => {
    const text = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('"\\\n\u0001', "ä中", ""));
    const name = fc.oneof(
      fc.string({ minLength: 1, maxLength: 6 }),
      fc.constantFrom("a", "b", "i"),
    );
    fc.assert(
      fc.property(
        fc.dictionary(name, text, { maxKeys: 14 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom(SERIALIZE_JSON, SERIALIZE_ROCKETMQ),
        (fields, bytes, type) => {
          const body = Buffer.from(bytes);
          const credentials = { accessKey: "accessKey-1", secretKey: "s3cret-of-1" };
          const extFields = new Map(Object.entries(fields));
          const signed = signRequest({ code: 310, extFields, body }, credentials).extFields;
          const how = { secret: "s3cret-of-1", type };
          const verdict = judgeFrame(310, signed ?? new Map(), body, how);
          const isSimple = Object.entries(fields)
            .flat()
            .every((part) => /^[ !#-[\]-~]*$/.test(part));
          const general = isSignedWith(signed ?? new Map(), body, secretOf("s3cret-of-1"));
          expect(general).toBe(true);
          // Whatever needs an escape beyond the short ones may take the general path.
          expect(verdict === true || !isSimple).toBe(true);
          const forged = Buffer.concat([body, Buffer.from("x")]);
          expect(judgeFrame(310, signed ?? new Map(), forged, how)).not.toBe(true);
        },
      ),
    );
  });

  it("a header with a field twice is not judged in place: the two readers could see two requests", () => {
    const credentials = { accessKey: "accessKey-1", secretKey: "s3cret-of-1" };
    const request = { code: 10, extFields: new Map([["topic", "mine"]]) };
    const ext = JSON.stringify(
      Object.fromEntries(signRequest(request, credentials).extFields ?? []),
    );
    const signature = new FrameSignature();
    const verdicts: boolean[] = [];
    const reader = new FrameReader((frame) => {
      const isRead = signature.read(frame) === "accessKey-1";
      verdicts.push(isRead && signature.isSignedWith(secretOf("s3cret-of-1"), frame));
    });
    for (const fields of [ext, ext.replace("{", '{"topic":"yours",')]) {
      const header = Buffer.from(
        `{"code":10,"extFields":${fields},"flag":0,"opaque":1,"version":393}`,
      );
      const prefix = Buffer.alloc(8);
      prefix.writeInt32BE(header.length + 4, 0);
      prefix.writeInt32BE(header.length, 4);
      const bytes = Buffer.concat([prefix, header]);
      reader.feed(bytes, 0, bytes.length);
    }
    expect(verdicts).toEqual([true, false]);
  });
});
