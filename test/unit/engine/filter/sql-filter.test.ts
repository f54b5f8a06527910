/** SQL92 filters as 4.9 has them (remoting-protocol 4.2.7); the same cases go through Apache's classes in test/interop/sql-filter.test.ts. */
import { describe, expect, it } from "vitest";
import { SqlFilter } from "../../../../engine/filter/sql-filter.ts";
import { SQL_CASES } from "../../../helpers/sql-cases.ts";
import { judge } from "../../../helpers/sql-judge.ts";

describe("a SQL92 filter", () => {
  it("judges every case of the table", () => {
    expect(SQL_CASES.length).toBeGreaterThan(150);
    const wrong = SQL_CASES.filter((one) => judge(one.sql, one.properties) !== one.verdict).map(
      (one) =>
        `${one.sql} ${JSON.stringify(one.properties["v"])}: ${judge(one.sql, one.properties)}, not ${one.verdict}`,
    );
    expect(wrong).toEqual([]);
  });

  it("names the place, what was expected there and what was found", () => {
    const problem = (sql: string): string => {
      try {
        return new SqlFilter(sql).text;
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(problem("a > AND b = 1")).toBe(
      'character 5 of the SQL92 filter: expected a property name or a value, found "AND"; in: a > AND b = 1',
    );
    expect(problem("a IN ('x', 5)")).toContain(
      'character 12 of the SQL92 filter: expected a text in quotes, found "5"',
    );
    expect(problem("(a = 1")).toContain(
      "character 7 of the SQL92 filter: expected ), found its end",
    );
    expect(problem("a = 'x")).toContain(
      "character 5 of the SQL92 filter: the text that begins with '",
    );
    expect(problem("a = 1 & b = 2")).toContain(
      'character 7 of the SQL92 filter: "&" means nothing',
    );
    expect(problem("NOT a > 1")).toContain("only numbers have an order, a condition has none");
    expect(problem("a BETWEEN 9 AND 1")).toContain("nothing is between 9 and 1");
    expect(problem("a = NULL")).toContain("write IS NULL");
    const long = `${"a = 1 OR ".repeat(100)} a ! 1`;
    expect(problem(long).length).toBeLessThan(200);
    expect(problem(long)).toContain("character 904");
  });

  it("says which part of its text does not count", () => {
    expect(new SqlFilter("a = 1 b = 2").ignored).toBe("b = 2");
    expect(new SqlFilter("a = 1 -- why\n").ignored).toBe("");
  });

  it("R-20: refuses what is longer than 4 KiB, nested deeper than 32 or has more than 256 values", () => {
    const nested = (depth: number): string => "(".repeat(depth) + "a = 1" + ")".repeat(depth);
    expect(judge(nested(32), { a: "1" })).toBe("T");
    expect(judge(nested(33), { a: "1" })).toBe("E");
    expect(judge(`${"NOT ".repeat(32)}TRUE`, {})).toBe("T");
    expect(judge(`${"NOT ".repeat(33)}TRUE`, {})).toBe("E");
    expect(judge(`a = '${"ü".repeat(2_045)}'`, {})).toBe("U");
    expect(judge(`a = '${"ü".repeat(2_046)}'`, {})).toBe("E");
    const terms = (count: number): string =>
      Array.from({ length: count / 2 }, () => "a=1").join(" OR ");
    expect(judge(terms(256), { a: "1" })).toBe("T");
    expect(judge(terms(258), { a: "1" })).toBe("E");
    const list = (count: number): string => Array.from({ length: count }, () => "'x'").join(",");
    expect(judge(`a IN (${list(255)})`, { a: "x" })).toBe("T");
    expect(judge(`a IN (${list(256)})`, { a: "x" })).toBe("E");
  });

  it("evaluates the deepest and longest filters without running out of stack", () => {
    const chain = `a ${"IS NULL ".repeat(500)}`;
    expect(judge(chain, {})).toBe("F");
    expect(judge(`(${"a = 1 OR ".repeat(127)}FALSE) AND TRUE`, { a: "2" })).toBe("F");
  });
});
