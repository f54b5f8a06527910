/** Language names in the order of their codes (remoting-protocol 1.3). */
const LANGUAGES = [
  "JAVA",
  "CPP",
  "DOTNET",
  "PYTHON",
  "DELPHI",
  "ERLANG",
  "RUBY",
  "OTHER",
  "HTTP",
  "GO",
  "PHP",
  "OMS",
  "RUST",
] as const;

/** @returns the code of a language name, -1 for one we do not know */
export function languageCode(name: string): number {
  return (LANGUAGES as readonly string[]).indexOf(name);
}

/** @returns the name of a language code; OTHER for one we do not know */
export function languageName(code: number): string {
  return LANGUAGES[code] ?? "OTHER";
}
