/**
 * One configuration key as data: its type, its default and whether this engine honours it. The tables config-keys-*.ts list every key of
 * 4.9.0 (admin-protocol D.4) and our own; the types of BrokerConfig come from them.
 */

/** What the defaults of some keys depend on (admin-protocol D.2). */
export interface ConfigEnvironment {
  /** `$HOME`. */
  readonly home: string;
  readonly hostName: string;
  /** First address of this machine that others can reach. */
  readonly localAddress: string;
  /** `$NAMESRV_ADDR`, empty when unset. */
  readonly namesrvAddr: string;
  /** `$ROCKETMQ_HOME`, empty when unset. */
  readonly rocketmqHome: string;
  readonly cpus: number;
}

type Fallback<Value> = Value | ((environment: ConfigEnvironment) => Value);

/** Range of a number, both ends included. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
}

interface KeyBase<Value> {
  readonly fallback: Fallback<Value>;
  /** Undefined: honoured. Otherwise why the key changes nothing here; said once in the log when a file sets it. */
  readonly ignored: string | undefined;
}

export interface TextKey extends KeyBase<string> {
  readonly kind: "text";
}

export interface NumberKey extends KeyBase<number> {
  readonly kind: "number";
  readonly range: NumberRange;
}

export interface BoolKey extends KeyBase<boolean> {
  readonly kind: "bool";
}

export interface ChoiceKey<Choice extends string = string> extends KeyBase<Choice> {
  readonly kind: "choice";
  readonly choices: readonly Choice[];
}

export type ConfigKey = TextKey | NumberKey | BoolKey | ChoiceKey;
export type ConfigKeys = Readonly<Record<string, ConfigKey>>;

/** The value a key's setting has. */
export type ValueOfKey<Key extends ConfigKey> =
  Key extends ChoiceKey<infer Choice>
    ? Choice
    : Key extends TextKey
      ? string
      : Key extends NumberKey
        ? number
        : boolean;

/** A configuration object with one member a key. */
export type ConfigOf<Keys extends ConfigKeys> = {
  readonly [Name in keyof Keys]: ValueOfKey<Keys[Name]>;
};

/** Text; an honoured key. */
export function text(fallback: Fallback<string>): TextKey {
  return { kind: "text", fallback, ignored: undefined };
}

/** A whole number from 0; an honoured key. */
export function number(
  fallback: Fallback<number>,
  range: NumberRange = { min: 0, max: Number.MAX_SAFE_INTEGER },
): NumberKey {
  return { kind: "number", fallback, range, ignored: undefined };
}

/** `true` or `false`; an honoured key. */
export function bool(fallback: boolean): BoolKey {
  return { kind: "bool", fallback, ignored: undefined };
}

/** One word of a list; an honoured key. */
export function choice<const Choice extends string>(
  choices: readonly Choice[],
  fallback: NoInfer<Choice>,
): ChoiceKey<Choice> {
  return { kind: "choice", choices, fallback, ignored: undefined };
}

/**
 * Marks a key as known, checked and shown, but without effect.
 * @param key its type and default
 * @param reason one clause for the log: why nothing depends on it here
 */
export function ignored<Key extends ConfigKey>(key: Key, reason: string): Key {
  return { ...key, ignored: reason };
}
