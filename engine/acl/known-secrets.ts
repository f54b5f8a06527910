/** E-11: accounts that stand in every copy of RocketMQ, and secrets that are the first guess. */
const KNOWN: ReadonlySet<string> = new Set([
  "12345678",
  "123456789",
  "1234567890",
  "11111111",
  "password",
  "passw0rd",
  "rocketmq",
  "rocketmq2",
  "secretkey",
  "changeme",
  "adminadmin",
  "admin123",
]);

/** @returns true when nobody needs to guess the account's secret: the sample's, the access key itself, `admin` and the like */
export function isKnownSecret(accessKey: string, secretKey: string): boolean {
  const secret = secretKey.toLowerCase();
  return secret === accessKey.toLowerCase() || KNOWN.has(secret);
}
