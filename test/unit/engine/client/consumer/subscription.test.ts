import { describe, expect, it } from "vitest";
import {
  matchesTags,
  parseSubscription,
} from "../../../../../engine/client/consumer/subscription.ts";

describe("subscription", () => {
  it("of all messages has no tags", () => {
    for (const expression of ["*", "", "  * "]) {
      const subscription = parseSubscription("T", expression, 1);
      expect([subscription.subString, subscription.tagsSet]).toEqual(["*", []]);
      expect(matchesTags(subscription, undefined)).toBe(true);
    }
  });

  it("of tags carries Java's hash of each (4.2.7)", () => {
    const subscription = parseSubscription("T", "TagA || order-created||标签|| ", 7);
    expect(subscription.tagsSet).toEqual(["TagA", "order-created", "标签"]);
    expect(subscription.codeSet).toEqual([2_598_919, -392_709_271, 857_175]);
    expect(subscription.subVersion).toBe(7);
  });

  it("compares tags exactly, so a tag of the same hash is left out", () => {
    const subscription = parseSubscription("T", "Aa", 1);
    expect(subscription.codeSet).toEqual(parseSubscription("T", "BB", 1).codeSet);
    expect(matchesTags(subscription, "Aa")).toBe(true);
    expect(matchesTags(subscription, "BB")).toBe(false);
    expect(matchesTags(subscription, undefined)).toBe(false);
  });

  it("refuses an expression without a tag and a bad topic", () => {
    expect(() => parseSubscription("T", "|| ||", 1)).toThrow("names no tag");
    expect(() => parseSubscription("a b", "*", 1)).toThrow("no valid topic name");
  });

  it("by SQL92 carries the text as it is and no tags: the broker reads it", () => {
    const selector = { type: "SQL92", expression: " a > 1 || 'x' " } as const;
    const subscription = parseSubscription("T", selector, 3);
    expect(subscription).toMatchObject({
      expressionType: "SQL92",
      subString: " a > 1 || 'x' ",
      tagsSet: [],
      codeSet: [],
      subVersion: 3,
    });
    expect(matchesTags(subscription, "TagA")).toBe(true);
    const byTag = parseSubscription("T", { type: "TAG", expression: "TagA" }, 3);
    expect(byTag).toEqual(parseSubscription("T", "TagA", 3));
    expect(() => parseSubscription("T", { type: "SQL92", expression: " " }, 1)).toThrow("is empty");
  });
});
